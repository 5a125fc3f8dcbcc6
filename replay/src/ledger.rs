//! The books of what has been leased: checks in every tick that no set of leases still out exceeds the origin.

use std::collections::VecDeque;

use tidegate_wire::{RateTable, Timestamp, rates::rate_at};

use crate::{lease, origin::Origin};

/// All leases that a node might still be enforcing.
#[derive(Debug)]
pub struct Ledger {
    origin: Origin,
    nodes: Vec<VecDeque<Lease>>,
}

/// The node's totals of one rate table.
#[derive(Debug)]
struct Lease {
    epoch: u64,
    issued_at: Timestamp,
    expires_at: Timestamp,
    step_s: i64,
    refill_per_s: Vec<f64>,
    burst: f64,
}

/// Leases that together exceed the origin.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("at {at} leases out for {when} add up to {leased} {what}, the origin has {bound}")]
pub struct Breach {
    /// The tick after which it was found.
    pub at: Timestamp,
    /// The time at which all of them would hold.
    pub when: Timestamp,
    /// What is exceeded.
    pub what: &'static str,
    /// Sum of the leases.
    pub leased: f64,
    /// What the origin has.
    pub bound: f64,
}

impl Ledger {
    /// Empty books of `nodes` nodes.
    pub fn new(origin: Origin, nodes: usize) -> Self {
        Self { origin, nodes: (0..nodes).map(|_| VecDeque::new()).collect() }
    }

    /// Enters a table that was issued to `node`.
    pub fn issued(&mut self, node: usize, table: &RateTable) {
        let leases = &mut self.nodes[node];
        leases.retain(|l| table.issued_at < l.expires_at);
        leases.push_back(Lease {
            epoch: table.epoch,
            issued_at: table.issued_at,
            expires_at: table.expires_at,
            step_s: i64::from(table.step_s.max(1)),
            refill_per_s: table.pool.refill_per_s.clone(),
            burst: lease::burst(table),
        });
    }

    /// Crosses out what `node` can no longer be enforcing, as it has reported `epoch`.
    pub fn acknowledged(&mut self, node: usize, epoch: u64) {
        while self.nodes[node].front().is_some_and(|l| l.epoch < epoch) {
            self.nodes[node].pop_front();
        }
    }

    /// Adds up what may be enforced at `now` and at each later step of the leases that are out.
    ///
    /// # Errors
    /// The first time at which the sum exceeds the origin.
    pub fn check(&self, now: Timestamp) -> Result<(), Breach> {
        let all = self.nodes.iter().flatten();
        let steps = all.map(|l| l.refill_per_s.len() as i64).max().unwrap_or(1);
        let step_s = self.nodes.iter().flatten().map(|l| l.step_s).min().unwrap_or(1);
        for step in 0..=steps {
            let when = now.plus_secs(step * step_s);
            let refill = self.most(when, |l| l.refill_at(when));
            self.within(now, when, "tokens/s", refill, self.origin.sustained_per_s)?;
            let burst = self.most(when, |l| l.burst);
            self.within(now, when, "tokens of burst", burst, self.origin.burst)?;
        }
        Ok(())
    }

    /// Sum over the nodes of the most that one of their leases not yet ended at `when` amounts to.
    fn most(&self, when: Timestamp, amount: impl Fn(&Lease) -> f64) -> f64 {
        let of_node = |leases: &VecDeque<Lease>| leases.iter().filter(|l| when < l.expires_at).map(&amount).fold(0.0, f64::max);
        self.nodes.iter().map(of_node).sum()
    }

    fn within(&self, at: Timestamp, when: Timestamp, what: &'static str, leased: f64, bound: f64) -> Result<(), Breach> {
        if leased <= bound * (1.0 + 1e-9) {
            return Ok(());
        }
        Err(Breach { at, when, what, leased, bound })
    }
}

impl Lease {
    fn refill_at(&self, when: Timestamp) -> f64 {
        let step = (when.as_secs() - self.issued_at.as_secs()).max(0) / self.step_s;
        rate_at(&self.refill_per_s, usize::try_from(step).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin = Origin { sustained_per_s: 10.0, burst: 100.0 };

    fn table(epoch: u64, refill_per_s: f64, burst: f64) -> RateTable {
        RateTable { epoch, ..lease::fixed(0, 0, refill_per_s, burst) }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_secs(second)
    }

    #[test]
    fn all_of_the_origin_can_be_leased_and_no_more() {
        let mut ledger = Ledger::new(ORIGIN, 2);
        ledger.issued(0, &table(1, 4.0, 50.0));
        ledger.issued(1, &table(1, 6.0, 50.0));
        assert_eq!(ledger.check(at(0)), Ok(()));
        ledger.issued(0, &table(2, 4.1, 50.0));
        assert_eq!(ledger.check(at(0)).unwrap_err().what, "tokens/s");
    }

    #[test]
    fn bursts_of_buckets_count() {
        let mut ledger = Ledger::new(ORIGIN, 1);
        let mut over = table(1, 1.0, 60.0);
        lease::guarantee(&mut over, 0, 0.5, 41.0);
        ledger.issued(0, &over);
        assert_eq!(ledger.check(at(0)).unwrap_err().what, "tokens of burst");
    }

    #[test]
    fn a_lease_counts_until_a_newer_one_is_acknowledged() {
        let mut ledger = Ledger::new(ORIGIN, 2);
        ledger.issued(0, &table(1, 9.0, 0.0));
        ledger.issued(0, &table(2, 1.0, 0.0));
        ledger.issued(1, &table(2, 9.0, 0.0));
        assert!(ledger.check(at(0)).is_err());
        ledger.acknowledged(0, 2);
        assert_eq!(ledger.check(at(0)), Ok(()));
    }

    #[test]
    fn a_lease_counts_until_it_ends() {
        let mut ledger = Ledger::new(ORIGIN, 1);
        ledger.issued(0, &RateTable { expires_at: at(60), ..table(1, 11.0, 0.0) });
        assert!(ledger.check(at(59)).is_err());
        assert_eq!(ledger.check(at(60)), Ok(()));
    }

    #[test]
    fn a_later_step_counts_too() {
        let mut ledger = Ledger::new(ORIGIN, 1);
        let mut rising = table(1, 9.0, 0.0);
        rising.pool.refill_per_s = vec![9.0, 9.0, 12.0];
        ledger.issued(0, &rising);
        assert_eq!(ledger.check(at(0)).unwrap_err().when, at(60));
    }
}
