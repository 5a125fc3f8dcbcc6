//! What a node has saved and how well its demand was foreseen.

use serde::{Deserialize, Serialize};
use tidegate_wire::Timestamp;

use super::Ledger;
use crate::{forecast::STEPS, state::Node};

/// Weight of the newest window in the measures of forecast error: half-life 1 h.
const ERROR_NEWEST: f64 = 0.0058;
/// Most steps that a table is taken to be late.
const STALENESS_MAX: f64 = 8.0;
/// Part of a step that a table may come after its start without being taken to come after all of it.
const STALENESS_SLACK: f64 = 0.1;
/// Growth of the stretch for a bound that was exceeded; it shrinks so that one in a thousand is.
const STRETCH: f64 = 1.5;
const STRETCH_MAX: f64 = 50.0;
/// Acknowledgements that the staleness is taken from.
const STALENESS_KEPT: usize = 8;

/// One node's leases, its tokens as far as they can be known from outside, and its forecast errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Supply {
    /// Leases still out.
    pub ledger: Ledger,
    /// Tokens saved at the end of the last window: estimated from what was leased and what was admitted.
    pub tokens: f64,
    /// Tokens that only guaranteed buckets may take, of the newest lease.
    pub reserve: f64,
    /// Steps that passed from a table's issue until it or a newer one was enforced, in the last acknowledgements, newest last.
    staleness: Vec<f64>,
    /// How much further than its variance says the demand reaches, learned from how often it was exceeded.
    pub stretch: f64,
    /// What was expected not to be exceeded, by the time the window that it was for is closed.
    bounds: Vec<Bound>,
    /// Mean squared error of the demand of the next 1, 2, ... windows together, over its forecast.
    error: [f64; STEPS],
    forecasts: Vec<[f64; STEPS]>,
    actuals: Vec<f64>,
    acknowledged: Option<u64>,
    /// Windows that it has reported.
    pub windows: u32,
}

impl Default for Supply {
    fn default() -> Self {
        Self {
            ledger: Ledger::default(),
            tokens: 0.0,
            reserve: 0.0,
            staleness: vec![1.0],
            stretch: 1.0,
            bounds: vec![],
            error: std::array::from_fn(|h| 2.0 + 2.0 * h as f64),
            forecasts: vec![],
            actuals: vec![],
            acknowledged: None,
            windows: 0,
        }
    }
}

/// A demand that was not to be exceeded, and what came so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Bound {
    left: usize,
    demand: f64,
    seen: f64,
}

/// What a node's total did in a window.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// Requests offered, corrected for retries and censoring.
    pub demand: f64,
    /// Requests offered, as reported.
    pub offered: f64,
    /// Requests throttled.
    pub throttled: f64,
    /// Whether the node reported the window.
    pub reported: bool,
}

impl Supply {
    /// Takes in what the node says it enforces at the end of a window, `end`. A node that does not say since when is taken to do so
    /// since that moment, unless it is its first table.
    pub fn acknowledge(&mut self, node: &Node, end: Timestamp) {
        let Some(epoch) = node.acknowledged() else { return };
        if self.acknowledged >= Some(epoch) {
            return;
        }
        let said = node.staleness_ms();
        if let Some(lease) = self.ledger.of_epoch(epoch).filter(|_| said.is_some() || self.acknowledged.is_some()) {
            let since_ms = said.map_or(end.as_millis(), |age| lease.issued_ms.saturating_add(age));
            // It stands for all that it overtook, the oldest of which was waited for longest.
            let overtaken = self.acknowledged.and_then(|before| self.ledger.after_epoch(before)).unwrap_or(lease);
            let steps = (since_ms - overtaken.issued_ms) as f64 / lease.step_ms as f64;
            self.staleness.push(steps.clamp(0.0, STALENESS_MAX));
            let old = self.staleness.len().saturating_sub(STALENESS_KEPT);
            self.staleness.drain(..old);
        }
        self.acknowledged = Some(epoch);
        self.ledger.acknowledge(epoch);
    }

    /// Steps from a table's issue until it is surely enforced, as far as the last tables tell.
    pub fn staleness(&self) -> usize {
        let longest = self.staleness.iter().copied().fold(0.0, f64::max);
        // Fits: bounded when it was noted.
        (longest - STALENESS_SLACK).ceil().max(0.0) as usize
    }

    /// Takes in a window of `seconds` that started at `start`.
    pub fn close(&mut self, outcome: Outcome, start: Timestamp, seconds: f64) {
        self.settle(outcome, start, seconds);
        if !outcome.reported {
            return;
        }
        self.windows = self.windows.saturating_add(1);
        self.measure(outcome.demand);
        self.check_bounds(outcome.demand);
    }

    /// Notes the forecast of the next windows.
    pub fn expect(&mut self, means: [f64; STEPS]) {
        self.forecasts.push(means);
        if self.forecasts.len() > STEPS {
            self.forecasts.remove(0);
        }
    }

    /// Notes the demand of the coming windows together that should be exceeded by a share of `1 - slo` only.
    pub fn bound(&mut self, windows: usize, demand: f64) {
        self.bounds.push(Bound { left: windows, demand, seen: 0.0 });
    }

    /// Variance of the demand of the next `windows` windows together, whose mean is `mean`.
    pub fn variance(&self, windows: usize, mean: f64) -> f64 {
        let per_mean = self.error[windows.clamp(1, STEPS) - 1];
        per_mean * mean.max(0.5)
    }

    fn settle(&mut self, outcome: Outcome, start: Timestamp, seconds: f64) {
        let lease = match self.acknowledged {
            Some(epoch) => self.ledger.of_epoch(epoch),
            None => self.ledger.newest(),
        };
        let Some(lease) = lease else { return };
        let refill = lease.rate(start) * seconds;
        let admitted = (outcome.offered - outcome.throttled).max(0.0);
        // When in the window the requests came is not known: half the refill is taken to come before them.
        let before = (self.tokens + 0.5 * refill).min(lease.burst);
        self.tokens = (before - admitted + 0.5 * refill).clamp(0.0, lease.burst);
        if outcome.throttled > 0.0 {
            // Something was refused, so at that moment no more than the reserve was left.
            self.tokens = self.tokens.min(self.reserve + 0.5 * refill);
        }
    }

    fn check_bounds(&mut self, demand: f64) {
        for bound in &mut self.bounds {
            bound.seen += demand;
            bound.left -= 1;
            if bound.left == 0 {
                let factor = if bound.seen > bound.demand { STRETCH } else { STRETCH.powf(-0.001) };
                self.stretch = (self.stretch * factor).clamp(1.0, STRETCH_MAX);
            }
        }
        self.bounds.retain(|b| b.left > 0);
    }

    fn measure(&mut self, demand: f64) {
        self.actuals.push(demand);
        if self.actuals.len() > STEPS {
            self.actuals.remove(0);
        }
        let newest = ERROR_NEWEST.max(1.0 / f64::from(self.windows + 4));
        for h in 1..=STEPS.min(self.actuals.len()).min(self.forecasts.len()) {
            let actual: f64 = self.actuals[self.actuals.len() - h..].iter().sum();
            let expected: f64 = self.forecasts[self.forecasts.len() - h][..h].iter().sum();
            let off = (actual - expected).powi(2) / expected.max(0.5);
            self.error[h - 1] += newest * (off - self.error[h - 1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{allocate::Lease, state::Instance};

    fn node(epoch: u64, staleness_ms: &[Option<u64>]) -> Node {
        let instance = |staleness_ms| Instance { epoch: Some(epoch), staleness_ms, window: 0 };
        let instances: BTreeMap<String, Instance> = staleness_ms.iter().enumerate().map(|(i, ms)| (i.to_string(), instance(*ms))).collect();
        Node { instances, ..Node::new("n", 0, 0) }
    }

    /// One of `epochs` every 30 s from time 0 on.
    fn supply(epochs: u64) -> Supply {
        let mut supply = Supply { staleness: vec![], ..Supply::default() };
        for epoch in 1..=epochs {
            let issued_ms = (epoch as i64 - 1) * 30_000;
            let times = Lease { epoch, issued_ms, step_ms: 30_000, expires_ms: issued_ms + 300_000, ..Lease::default() };
            supply.ledger.issue(times);
        }
        supply
    }

    #[test]
    fn a_table_is_sure_to_be_enforced_from_the_step_after_it_came() {
        let steps_after = |ms: u64| {
            let mut supply = supply(1);
            supply.acknowledge(&node(1, &[Some(ms)]), Timestamp::from_secs(90));
            supply.staleness()
        };
        assert_eq!([0, 1_000, 20_000, 30_000, 31_000, 40_000, 60_000].map(steps_after), [0, 0, 1, 1, 1, 2, 2]);
        assert_eq!(steps_after(1 << 40), STALENESS_MAX as usize);
    }

    #[test]
    fn the_slowest_instance_counts_and_who_does_not_say_has_had_it_since_the_end_of_the_window() {
        let steps = |staleness_ms: &[Option<u64>]| {
            let mut supply = supply(2);
            supply.acknowledge(&node(1, &[None]), Timestamp::from_secs(30));
            assert_eq!(supply.staleness(), 0, "a first table says nothing");
            supply.acknowledge(&node(2, staleness_ms), Timestamp::from_secs(120));
            supply.staleness()
        };
        assert_eq!(steps(&[Some(0), Some(40_000)]), 2);
        assert_eq!(steps(&[Some(0), None]), 0, "one that has just begun");
        assert_eq!(steps(&[None]), 3);
    }

    #[test]
    fn a_table_that_overtook_others_says_how_long_they_were_waited_for() {
        let mut supply = supply(4);
        supply.acknowledge(&node(1, &[Some(0)]), Timestamp::from_secs(30));
        supply.acknowledge(&node(4, &[Some(0)]), Timestamp::from_secs(120));
        assert_eq!(supply.staleness(), 2, "the second was issued 60 s before the fourth");
    }
}
