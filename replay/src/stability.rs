//! Whether the loop of planner, store and nodes comes to rest: its response to the test signals of [`crate::signal`].
//!
//! Two nodes share an origin; one's demand is the signal, the other's is steady. The clients are what makes it a loop: of those
//! refused half come back, so that the limiter changes what it measures. Everything that is random is seeded.

use std::{collections::BTreeMap, sync::Arc};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use tidegate_edge_node::{EdgeNode, Options};
use tidegate_planner::{Model, Planner, Settings, settings};
use tidegate_wire::{RateTable, Timestamp};

use crate::{
    CompareError,
    kv::{Kv, Staleness},
    signal::{CALM, Signal},
    workload::{WINDOW_S, Workload},
};

/// Requests per second of each node in the calm.
const CALM_PER_S: f64 = 30.0;
/// Windows that are looked at after the demand has come to rest.
pub const REST: u32 = 60;
/// Windows at the end of the rest by which its level is told.
const TAIL: usize = 20;
/// A rate that strays no further from its level than this share of it is settled.
pub const BAND: f64 = 0.15;
/// Seconds after which a refused client comes back, at the least, and how much later at the most.
const BACK_AFTER_S: (u32, u32) = (5, 20);
/// Tries after which a client gives up.
const TRIES: u8 = 3;
const BUCKETS: u64 = 5;

/// How the signal's node fared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Response {
    /// The signal.
    pub signal: &'static str,
    /// Seconds until a published table is seen.
    pub delay_s: u32,
    /// The origin's capacity over the mean of all demand at rest.
    pub capacity_x: f64,
    /// Windows after the demand came to rest until the expected demand stays within [`BAND`] of its level.
    pub settled_after: u32,
    /// Windows after the demand came to rest until none is refused any more; [`REST`] when some is to the end.
    pub served_after: u32,
    /// How far the expected demand went beyond the highest demand that there was, over that.
    pub overshoot: f64,
    /// Standard deviation of the leased rate over its mean, in the last windows.
    pub ripple: f64,
    /// How much of a wave there is in the leased rate of the last windows: near 1 for one that goes on for ever, however small.
    pub ringing: f64,
    /// Share of the demand of the last windows that was refused.
    pub refused: f64,
    /// By window: demand, expected demand, leased rate, refused, requests per second.
    #[serde(skip)]
    pub course: Vec<[f64; 4]>,
}

/// A client who was refused and comes back.
#[derive(Debug, Clone, Copy)]
struct Comeback {
    node: usize,
    bucket: u64,
    tries: u8,
}

struct Loop {
    planner: Planner,
    nodes: Vec<EdgeNode>,
    kv: Kv,
    random: ChaCha8Rng,
    comebacks: BTreeMap<u32, Vec<Comeback>>,
    /// Of the open window, by node and bucket.
    retries: BTreeMap<(usize, String), u64>,
    sequence: u64,
    /// The newest table of each node.
    leased: BTreeMap<String, Arc<RateTable>>,
}

/// Runs `signal` with tables that are `delay_s` seconds late, at an origin of `capacity_x` times the demand at rest.
///
/// # Errors
/// [`CompareError::Settings`] when the planner refuses the capacity.
pub fn respond(signal: Signal, delay_s: u32, capacity_x: f64, model: Option<&Model>, seed: u64) -> Result<Response, CompareError> {
    let rest = signal.rests_from();
    let sustained_per_s = capacity_x * CALM_PER_S * (1.0 + signal.at(rest));
    let origin = settings::Origin { sustained_per_s, burst: 60.0 * sustained_per_s, ..settings::Origin::default() };
    let mut run = Loop::new(Settings { origins: vec![origin], ..Settings::default() }, model.cloned(), delay_s, seed)?;
    let mut course = vec![];
    for window in 0..rest + REST {
        course.push(run.window(window, signal.at(window)));
    }
    Ok(judge(signal, delay_s, capacity_x, course))
}

impl Loop {
    fn new(settings: Settings, model: Option<Model>, delay_s: u32, seed: u64) -> Result<Self, CompareError> {
        Ok(Self {
            planner: Planner::new(settings, model)?,
            nodes: (0..2).map(|n| EdgeNode::new(Workload::node_id(n), None, Options::default())).collect(),
            kv: Kv::new(Staleness::fixed(delay_s), 0),
            random: ChaCha8Rng::seed_from_u64(seed),
            comebacks: BTreeMap::new(),
            retries: BTreeMap::new(),
            sequence: 0,
            leased: BTreeMap::new(),
        })
    }

    /// Demand, expected demand, leased rate and refused requests of node 0, per second.
    fn window(&mut self, window: u32, level: f64) -> [f64; 4] {
        let (mut demand, mut refused) = (0, 0);
        for second in window * WINDOW_S..(window + 1) * WINDOW_S {
            while let Some((_, node, table)) = self.kv.polled_by(second) {
                self.nodes[node].adopt(&table, Timestamp::from_secs(i64::from(second)));
            }
            for comeback in self.comebacks.remove(&second).unwrap_or_default() {
                let bucket = Workload::bucket_id(comeback.bucket as usize);
                *self.retries.entry((comeback.node, bucket)).or_default() += 1;
                self.ask(comeback, second);
            }
            for (node, per_s) in [CALM_PER_S * level, CALM_PER_S].into_iter().enumerate() {
                let fresh = self.poisson(per_s);
                let mut turned_away = 0;
                for request in 0..fresh {
                    turned_away += u64::from(!self.ask(Comeback { node, bucket: request % BUCKETS, tries: 0 }, second));
                }
                if node == 0 {
                    demand += fresh;
                    refused += turned_away;
                }
            }
        }
        let (expected, leased) = self.tick(window);
        let per_s = |count: u64| count as f64 / f64::from(WINDOW_S);
        [per_s(demand), expected, leased, per_s(refused)]
    }

    fn ask(&mut self, client: Comeback, second: u32) -> bool {
        let bucket = Workload::bucket_id(client.bucket as usize);
        let admitted = self.nodes[client.node].take(&bucket, 1, Timestamp::from_secs(i64::from(second))).admitted > 0;
        if !admitted && client.tries < TRIES && self.random.random_bool(0.5) {
            let back = second + BACK_AFTER_S.0 + self.random.random_range(0..BACK_AFTER_S.1);
            self.comebacks.entry(back).or_default().push(Comeback { tries: client.tries + 1, ..client });
        }
        admitted
    }

    fn tick(&mut self, window: u32) -> (f64, f64) {
        let start = Timestamp::from_secs(i64::from(window * WINDOW_S));
        self.sequence += 1;
        for (number, node) in self.nodes.iter_mut().enumerate() {
            let mut report = node.report(start, WINDOW_S, self.sequence);
            for counts in &mut report.buckets {
                counts.retries = self.retries.remove(&(number, counts.bucket.clone())).unwrap_or(0).min(counts.requests);
            }
            self.planner.observe(&report);
        }
        let plan = self.planner.tick(start.plus_secs(i64::from(WINDOW_S)));
        for (id, table) in plan.tables {
            self.publish(&id, table, (window + 1) * WINDOW_S);
        }
        let expected = self.planner.nodes().iter().find(|n| n.node == Workload::node_id(0)).map_or(0.0, |n| n.forecast);
        let leased = self.leased.get(&Workload::node_id(0)).map_or(0.0, |t| t.pool.refill_per_s.iter().copied().fold(0.0, f64::max));
        (expected / f64::from(WINDOW_S), leased)
    }

    fn publish(&mut self, id: &str, table: Arc<RateTable>, second: u32) {
        let Some(node) = Workload::node_index(id) else { return };
        let old = self.leased.insert(id.to_owned(), Arc::clone(&table));
        if old.is_none_or(|old| old.epoch < table.epoch) {
            self.kv.publish(node, table, second);
        }
    }

    /// Counts arrivals whose gaps are exponential, until a second is over.
    fn poisson(&mut self, mean: f64) -> u64 {
        let (mut time, mut count) = (0.0, 0);
        loop {
            time -= (1.0 - self.random.random::<f64>()).ln() / mean;
            if time > 1.0 {
                return count;
            }
            count += 1;
        }
    }
}

fn judge(signal: Signal, delay_s: u32, capacity_x: f64, course: Vec<[f64; 4]>) -> Response {
    let rest = signal.rests_from() as usize;
    let column = |k: usize| course.iter().map(|c| c[k]).collect::<Vec<f64>>();
    let (expected, leased) = (column(1), column(2));
    let tail = course.len() - TAIL;
    let (before, level) = (mean(&expected[CALM as usize - TAIL..CALM as usize]), mean(&expected[tail..]));
    let strays = |w: &usize| (expected[*w] / level - 1.0).abs() > BAND;
    let settled_after = (rest..course.len()).rev().find(strays).map_or(0, |w| (w + 1 - rest) as u32);
    let demand_peak = column(0)[CALM as usize..].iter().copied().fold(before, f64::max);
    let peak = expected[CALM as usize..].iter().copied().fold(0.0, f64::max);
    let last = &leased[course.len() - REST as usize / 2..];
    let (offered, refused) = (mean(&column(0)[tail..]), mean(&column(3)[tail..]));
    Response {
        signal: signal.name(),
        delay_s,
        capacity_x,
        settled_after,
        served_after: (rest..course.len()).rev().find(|w| course[*w][3] > 0.0).map_or(0, |w| (w + 1 - rest) as u32),
        overshoot: (peak / demand_peak - 1.0).max(0.0),
        ripple: deviation(last) / mean(last).max(f64::MIN_POSITIVE),
        ringing: ringing(last),
        refused: refused / offered.max(f64::MIN_POSITIVE),
        course,
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len().max(1) as f64).sqrt()
}

/// How much of a wave there is in `values`: for the period at which it is most, the lesser of the correlation with itself one
/// period later and of the anticorrelation half a period later. 1 for a wave that goes on for ever, 0 for noise.
fn ringing(values: &[f64]) -> f64 {
    let mean = mean(values);
    let power: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    if power < 1e-9 * mean * mean {
        return 0.0;
    }
    let correlation = |lag: usize| values.iter().zip(&values[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / power;
    (1..=values.len() / 4).map(|half| correlation(2 * half).min(-correlation(half))).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_rings_and_a_level_does_not() {
        let wave: Vec<f64> = (0..40).map(|w| 10.0 + if w / 4 % 2 == 0 { 3.0 } else { -3.0 }).collect();
        assert!(ringing(&wave) > 0.7, "{}", ringing(&wave));
        assert_eq!(ringing(&[5.0; 40]), 0.0);
        let dying: Vec<f64> = (0..40).map(|w| 10.0 + 5.0 * 0.5_f64.powi(w)).collect();
        assert!(ringing(&dying) < 0.2, "{}", ringing(&dying));
    }
}
