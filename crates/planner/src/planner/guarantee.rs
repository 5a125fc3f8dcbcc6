//! What a node's buckets are guaranteed of its lease: together as much as they are sure to use. The rest is pooled: guaranteed, it would
//! often lie idle, and lent it is worth more. How sure depends on what the pool is worth to them: where it refuses, they are
//! guaranteed also what they may use.

use super::{Planner, origin::NodeLease};
use crate::{
    allocate::{Candidate, Guarantee, buckets},
    forecast::{STEPS, quantile::logit},
    guard::{Context, dispose},
};

/// Windows of its rate that a guaranteed bucket can save, or of what others may take from it if that is less: who is alone needs none.
const SAVED_WINDOWS: f64 = 0.5;
/// Probability with which buckets use what they are guaranteed, where the pool refuses nobody,
const SURE: f64 = 0.9;
/// and where it refuses everybody.
const LIKELY: f64 = 0.1;
/// Requests per window that a bucket must be sure to bring to be guaranteed anything: with fewer, not even the one token that takes
/// is worth keeping for it.
const LEAST: f64 = 1.0 / SAVED_WINDOWS;

/// What a bucket is guaranteed of its node's lease.
#[derive(Debug, Clone, Default)]
pub(super) struct Lent {
    /// Refill in the step in which the table is expected to be read, tokens per second.
    pub per_s: f64,
    /// Refill by step, tokens per second.
    pub refill_per_s: Vec<f64>,
    /// Burst, tokens.
    pub capacity: f64,
}

impl Lent {
    /// Of a bucket that borrows all it takes.
    pub fn nothing(lease: &NodeLease) -> Self {
        Self { refill_per_s: vec![0.0; lease.schedule.len()], ..Self::default() }
    }
}

impl Planner {
    /// Those of `candidates` who are guaranteed something, busiest first, and the others: who is sure to come in every window is,
    /// as far as their part of the burst has a token for each.
    pub(super) fn surely_come<'a>(&self, lease: &NodeLease, candidates: &'a [Candidate]) -> (Vec<&'a Candidate>, Vec<&'a Candidate>) {
        let (seconds, logit) = (self.store.interval_s() as f64, self.sureness(lease));
        let sure = |c: &&Candidate| c.floor > 0.0 || c.least_per_s(self.gamma, seconds, logit) * seconds >= LEAST;
        let (mut come, mut others): (Vec<_>, Vec<_>) = candidates.iter().partition(sure);
        let (sure_per_s, expected_per_s) = self.sure_and_expected_per_s(lease, &come);
        let most = (lease.burst * sure_per_s / expected_per_s) as usize;
        others.extend(come.drain(most.min(come.len())..));
        (come, others)
    }

    /// Logit of the probability with which buckets use what they are guaranteed of `lease`.
    fn sureness(&self, lease: &NodeLease) -> f64 {
        let total = self.store.nodes[lease.number].total as usize;
        logit(SURE + (LIKELY - SURE) * f64::from(self.store.columns.throttle_ratio[total]))
    }

    /// What `candidates` are sure to use, and all of the node is expected to ask for, which is no less, tokens per second.
    fn sure_and_expected_per_s(&self, lease: &NodeLease, candidates: &[&Candidate]) -> (f64, f64) {
        let (seconds, logit) = (self.store.interval_s() as f64, self.sureness(lease));
        let sure_per_s: f64 = candidates.iter().map(|c| c.least_per_s(self.gamma, seconds, logit)).sum();
        (sure_per_s, self.expected_per_s(lease).max(sure_per_s).max(f64::MIN_POSITIVE))
    }

    /// Expected demand of the node of `lease` when it reads it, tokens per second.
    fn expected_per_s(&self, lease: &NodeLease) -> f64 {
        let step = self.late(lease.number).min(STEPS - 1);
        let total = self.store.nodes[lease.number].total as usize;
        f64::from(self.means.steps[step][total]) / self.store.interval_s() as f64
    }

    /// What each of `listed` is guaranteed, in order: together as large a part of the lease as of what is expected is sure to come
    /// from them.
    pub(super) fn guarantees(&mut self, lease: &NodeLease, listed: &[&Candidate]) -> Vec<Lent> {
        let seconds = self.store.interval_s() as f64;
        let (sure_per_s, expected_per_s) = self.sure_and_expected_per_s(lease, listed);
        let part = sure_per_s / expected_per_s;
        let floors: f64 = listed.iter().map(|c| c.floor).sum();
        let per_s = (part * lease.rate).max(floors.min(lease.rate));
        let proposed = buckets::guarantee(self.gamma, per_s, seconds, self.default_policy().slo, listed);
        let rates: Vec<f64> = listed.iter().zip(proposed).map(|(c, proposal)| self.disposed(c, proposal)).collect();
        let rates = within(per_s, floors, &rates, listed);
        for (candidate, rate) in listed.iter().zip(&rates) {
            self.store.columns.rate[candidate.row as usize] = *rate as f32;
        }
        let expected_per_s = self.expected_per_s(lease);
        let contested = |(c, rate): (&&Candidate, &f64)| rate.min(expected_per_s - c.borne_out / seconds) * seconds;
        let saved = listed.iter().zip(&rates).map(contested).map(|requests| SAVED_WINDOWS * requests);
        let capacities = capacities(lease.burst * part, saved.collect());
        let lent = |((per_s, capacity), c): ((&f64, f64), &&Candidate)| {
            let refill_per_s = lease.schedule.iter().map(|step| in_step(*step, lease.rate, floors, *per_s, c.floor)).collect();
            Lent { per_s: *per_s, refill_per_s, capacity }
        };
        rates.iter().zip(capacities).zip(listed).map(lent).collect()
    }

    /// The rate that hard rules make of `proposal`, tokens per second.
    fn disposed(&mut self, candidate: &Candidate, proposal: Guarantee) -> f64 {
        let row = candidate.row as usize;
        let columns = &mut self.store.columns;
        let surge = f64::from(columns.error_ratio[row] - columns.error_baseline[row]);
        let context = Context {
            previous: f64::from(columns.rate[row]),
            floor: candidate.floor,
            ceiling: candidate.ceiling,
            healthy: surge < self.settings.guard.error_surge,
            scarce: proposal.scarce,
        };
        let (rate, rule) = dispose(&self.settings.guard, proposal.per_s, context);
        columns.rule[row] = rule as u8;
        rate
    }
}

/// `rates` of `listed`, whose `floors` are summed up, cut to `per_s` tokens per second together: floors last.
fn within(per_s: f64, floors: f64, rates: &[f64], listed: &[&Candidate]) -> Vec<f64> {
    let sum: f64 = rates.iter().sum();
    if sum <= per_s {
        return rates.to_vec();
    }
    let kept = floors.min(per_s) / floors.max(f64::MIN_POSITIVE);
    let part = (per_s - floors).max(0.0) / (sum - floors).max(f64::MIN_POSITIVE);
    rates.iter().zip(listed).map(|(rate, c)| c.floor * kept + (rate - c.floor) * part).collect()
}

/// What is left of a guarantee of `per_s`, its `floor` included, in a step in which the node has `step` in place of `rate`, all in
/// tokens per second: the `floors` of all are cut last.
fn in_step(step: f64, rate: f64, floors: f64, per_s: f64, floor: f64) -> f64 {
    if step >= rate {
        return per_s;
    }
    let floor = floor.min(per_s);
    if step <= floors {
        return floor * step / floors.max(f64::MIN_POSITIVE);
    }
    // Here the rate is above the step, and the step above the floors.
    floor + (per_s - floor) * (step - floors) / (rate - floors)
}

/// Burst of each guaranteed bucket, tokens: what it `saved` and at least one token; together at most `total`.
fn capacities(total: f64, saved: Vec<f64>) -> Vec<f64> {
    let beyond: Vec<f64> = saved.into_iter().map(|tokens| (tokens - 1.0).max(0.0)).collect();
    let wanted: f64 = beyond.iter().sum();
    let left = (total - beyond.len() as f64).max(0.0);
    let part = if wanted > 0.0 { (left / wanted).min(1.0) } else { 0.0 };
    beyond.iter().map(|b| 1.0 + b * part).collect()
}
