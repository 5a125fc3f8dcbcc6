//! What is still lent to a node: every lease that it may be enforcing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tidegate_wire::{Timestamp, rates::rate_at};

/// The node's part of a lease: what bounds the requests that it can send to the origin.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Lease {
    /// Plan it belongs to.
    pub epoch: u64,
    /// Start of step 0, milliseconds since the Unix epoch.
    pub issued_ms: i64,
    /// Length of a step, milliseconds.
    pub step_ms: i64,
    /// End, milliseconds since the Unix epoch.
    pub expires_ms: i64,
    /// Pool refill by step, tokens per second. The last entry is the safe rate, so nothing changes when the lease ends.
    pub refill_per_s: Vec<f64>,
    /// Pool capacity and guaranteed bursts together, tokens.
    pub burst: f64,
    /// Most that a bucket under a global limit may reach, tokens per second, by row.
    pub ceilings: Vec<(u32, f64)>,
}

impl Lease {
    /// Highest refill in force at any moment of the step that starts at `t`, tokens per second.
    pub fn rate_over(&self, t: Timestamp) -> f64 {
        let since = t.as_millis() - self.issued_ms;
        let first = since.div_euclid(self.step_ms).max(0) as usize;
        let last = (since + self.step_ms - 1).div_euclid(self.step_ms).max(0) as usize;
        rate_at(&self.refill_per_s, first).max(rate_at(&self.refill_per_s, last))
    }

    /// Highest refill in force at any moment from `t` on, tokens per second.
    pub fn rate_from(&self, t: Timestamp) -> f64 {
        let step = (t.as_millis() - self.issued_ms).div_euclid(self.step_ms).max(0) as usize;
        self.refill_per_s.iter().skip(step).copied().fold(self.safe_per_s(), f64::max)
    }

    /// Lowest refill in force at any moment of the step that starts at `t`, or from `t` on, tokens per second.
    fn least(&self, t: Timestamp, on: bool) -> f64 {
        let since = t.as_millis() - self.issued_ms;
        let first = since.div_euclid(self.step_ms).max(0) as usize;
        let next = (since + self.step_ms - 1).div_euclid(self.step_ms).max(0) as usize;
        let last = if on { self.refill_per_s.len().max(next) } else { next };
        (first..=last).map(|step| rate_at(&self.refill_per_s, step)).fold(f64::INFINITY, f64::min)
    }

    /// Refill in force at `t`, tokens per second.
    pub fn rate(&self, t: Timestamp) -> f64 {
        let step = (t.as_millis() - self.issued_ms).div_euclid(self.step_ms).max(0);
        rate_at(&self.refill_per_s, step as usize)
    }

    fn safe_per_s(&self) -> f64 {
        self.refill_per_s.last().copied().unwrap_or(0.0)
    }
}

/// All leases of one node that are neither superseded by an acknowledged one nor forgotten.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Ledger {
    leases: Vec<Lease>,
    /// Leases that ended without a newer one acknowledged: a node cut off is still on one of them.
    ended: Option<Ended>,
}

/// The most that is left of leases that have ended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Ended {
    /// The newest of them.
    epoch: u64,
    safe_per_s: f64,
    burst: f64,
    /// The end of a lease does not lower a ceiling.
    ceilings: BTreeMap<u32, f64>,
}

impl Ledger {
    /// Enters a new lease.
    pub fn issue(&mut self, lease: Lease) {
        self.leases.push(lease);
    }

    /// Strikes what the node can no longer be enforcing: leases older than `epoch`.
    pub fn acknowledge(&mut self, epoch: u64) {
        if !self.leases.iter().any(|l| l.epoch <= epoch) {
            return;
        }
        let newest = self.leases.iter().map(|l| l.epoch).filter(|e| *e <= epoch).max().unwrap_or(0);
        self.leases.retain(|l| l.epoch >= newest);
        // After a clock went back, a newer lease can end before an older one.
        self.ended = self.ended.take().filter(|ended| ended.epoch >= newest);
    }

    /// Folds leases that have ended into what is left of them: their safe rate and their burst.
    pub fn expire(&mut self, now: Timestamp) {
        let newest = self.newest().map(|l| l.epoch);
        let has_ended = |l: &Lease| l.expires_ms <= now.as_millis() && Some(l.epoch) != newest;
        for lease in self.leases.extract_if(.., |l| has_ended(l)) {
            let left = self.ended.get_or_insert_default();
            left.epoch = left.epoch.max(lease.epoch);
            left.safe_per_s = left.safe_per_s.max(lease.safe_per_s());
            left.burst = left.burst.max(lease.burst);
            raise(&mut left.ceilings, &lease.ceilings);
        }
    }

    /// The lease of the newest epoch.
    pub fn newest(&self) -> Option<&Lease> {
        self.leases.last()
    }

    /// The lease of `epoch`, or of the newest epoch before it.
    pub fn of_epoch(&self, epoch: u64) -> Option<&Lease> {
        self.leases.iter().rev().find(|l| l.epoch <= epoch)
    }

    /// The oldest lease of an epoch after `epoch`.
    pub fn after_epoch(&self, epoch: u64) -> Option<&Lease> {
        self.leases.iter().find(|l| l.epoch > epoch)
    }

    /// The newest lease issued at or before `t`.
    pub fn issued_before(&self, t: Timestamp) -> Option<&Lease> {
        self.leases.iter().rev().find(|l| l.issued_ms <= t.as_millis()).or(self.leases.first())
    }

    /// Most that the node may be refilling during the step that starts at `t`, tokens per second.
    pub fn committed_per_s(&self, t: Timestamp) -> f64 {
        let ended = self.ended.as_ref().map_or(0.0, |ended| ended.safe_per_s);
        self.leases.iter().map(|l| l.rate_over(t)).fold(ended, f64::max)
    }

    /// Most that the node may be refilling at any moment from `t` on, tokens per second: after a clock went back, leases may
    /// outlast the schedule of a new one.
    pub fn committed_from(&self, t: Timestamp) -> f64 {
        let ended = self.ended.as_ref().map_or(0.0, |ended| ended.safe_per_s);
        self.leases.iter().map(|l| l.rate_from(t)).fold(ended, f64::max)
    }

    /// Part of what is committed that stays so all through the step that starts at `t`, or from `t` `on`, tokens per second.
    pub fn surely_committed(&self, t: Timestamp, on: bool) -> f64 {
        let ended = self.ended.as_ref().map_or(0.0, |ended| ended.safe_per_s);
        self.leases.iter().map(|l| l.least(t, on)).fold(ended, f64::max)
    }

    /// Most that the node may be refilling after all schedules have run out, tokens per second.
    pub fn committed_safe_per_s(&self) -> f64 {
        let ended = self.ended.as_ref().map_or(0.0, |ended| ended.safe_per_s);
        self.leases.iter().map(Lease::safe_per_s).fold(ended, f64::max)
    }

    /// Most that the node may have saved, tokens.
    pub fn committed_burst(&self) -> f64 {
        let ended = self.ended.as_ref().map_or(0.0, |ended| ended.burst);
        self.leases.iter().map(|l| l.burst).fold(ended, f64::max)
    }

    /// Highest ceilings still lent for buckets under a global limit, tokens per second, by row.
    pub fn committed_ceilings(&self) -> BTreeMap<u32, f64> {
        let mut highest = self.ended.as_ref().map_or_else(BTreeMap::new, |ended| ended.ceilings.clone());
        self.leases.iter().for_each(|lease| raise(&mut highest, &lease.ceilings));
        highest
    }
}

fn raise(highest: &mut BTreeMap<u32, f64>, ceilings: &[(u32, f64)]) {
    for (row, ceiling) in ceilings {
        let held = highest.entry(*row).or_default();
        *held = held.max(*ceiling);
    }
}

/// Raises each of `targets` above what is `committed` only as far as `total` allows; a lower target is taken at once.
///
/// The sum of `max(committed, result)` never exceeds `total` where that of `committed` does not.
pub fn within(total: f64, committed: &[f64], targets: &[f64]) -> Vec<f64> {
    let held: f64 = committed.iter().sum();
    let wanted: f64 = committed.iter().zip(targets).map(|(c, t)| (t - c).max(0.0)).sum();
    let part = if wanted > 0.0 { ((total - held) / wanted).clamp(0.0, 1.0) } else { 0.0 };
    committed.iter().zip(targets).map(|(c, t)| if t > c { c + (t - c) * part } else { *t }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(epoch: u64, refill: &[f64], burst: f64) -> Lease {
        let issued_ms = epoch as i64 * 30_000;
        Lease { epoch, issued_ms, step_ms: 30_000, expires_ms: issued_ms + 300_000, refill_per_s: refill.to_vec(), burst, ceilings: vec![] }
    }

    #[test]
    fn a_lease_counts_until_a_newer_one_is_acknowledged() {
        let mut l = Ledger::default();
        l.issue(lease(1, &[9.0, 1.0], 50.0));
        l.issue(lease(2, &[2.0, 2.0], 20.0));
        let t = Timestamp::from_millis(31_000);
        assert_eq!((l.committed_per_s(t), l.committed_burst()), (9.0, 50.0));
        l.acknowledge(2);
        assert_eq!((l.committed_per_s(t), l.committed_burst()), (2.0, 20.0));
    }

    #[test]
    fn an_ended_lease_leaves_its_safe_rate_and_burst() {
        let mut l = Ledger::default();
        l.issue(lease(1, &[9.0, 1.0], 50.0));
        l.issue(lease(2, &[0.5], 20.0));
        let late = Timestamp::from_secs(3600);
        l.expire(late);
        assert_eq!((l.committed_per_s(late), l.committed_burst()), (1.0, 50.0));
        l.acknowledge(2);
        assert_eq!((l.committed_per_s(late), l.committed_burst()), (0.5, 20.0));
    }

    #[test]
    fn a_ceiling_outlasts_its_lease_until_a_newer_one_is_acknowledged() {
        let mut l = Ledger::default();
        l.issue(Lease { ceilings: vec![(7, 3.0)], ..lease(1, &[9.0], 50.0) });
        l.issue(Lease { ceilings: vec![(7, 0.5), (8, 1.0)], ..lease(2, &[9.0], 50.0) });
        assert_eq!(l.committed_ceilings(), [(7, 3.0), (8, 1.0)].into());
        l.expire(Timestamp::from_secs(3600));
        assert_eq!(l.committed_ceilings(), [(7, 3.0), (8, 1.0)].into(), "a node that was cut off still has it");
        l.acknowledge(2);
        assert_eq!(l.committed_ceilings(), [(7, 0.5), (8, 1.0)].into());
    }

    #[test]
    fn a_newer_lease_that_ended_first_outlasts_the_acknowledgement_of_an_older_one() {
        let mut l = Ledger::default();
        l.issue(lease(9, &[5.0, 1.0], 10.0));
        l.issue(Lease { issued_ms: 0, expires_ms: 300_000, ..lease(10, &[5.0, 2.0], 20.0) });
        l.issue(lease(11, &[5.0, 1.0], 10.0));
        l.expire(Timestamp::from_millis(400_000));
        l.acknowledge(9);
        assert_eq!((l.committed_safe_per_s(), l.committed_burst()), (2.0, 20.0));
        l.acknowledge(11);
        assert_eq!((l.committed_safe_per_s(), l.committed_burst()), (1.0, 10.0));
    }

    #[test]
    fn raises_fit_into_what_is_free() {
        let got = within(10.0, &[4.0, 4.0], &[8.0, 1.0]);
        assert_eq!(got, vec![6.0, 1.0]);
        assert_eq!(within(10.0, &[6.0, 6.0], &[8.0, 7.0]), vec![6.0, 6.0], "nothing is free");
    }
}
