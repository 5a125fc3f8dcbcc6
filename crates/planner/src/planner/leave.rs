//! What a bucket must leave in its node's pool when it borrows, for those who come before it: trunk reservation (Key, Optimal control
//! and trunk reservation in loss networks, 1990), which keeps nothing from anybody while there is enough for all.

use std::cmp::Ordering;

use super::Planner;
use crate::allocate::Candidate;

/// Most of a pool that is kept from anybody.
const MOST: f64 = 0.95;
/// Windows of what known buckets asked for lately that newcomers must leave in a surge: many, since where little is asked for it comes in
/// clumps, and none where nobody known is left.
const WINDOWS_KNOWN: f64 = 30.0;
/// Windows of what is expected of higher priorities that the lower ones must leave: a rate and half a window are guaranteed, but demand
/// comes in clumps.
const WINDOWS_AHEAD: f64 = 3.0;
/// How many times what heavier buckets of its priority are short of a bucket must leave, in the part by which they outweigh it: a weight is a
/// part and no rank, so who weighs nearly as much leaves next to nothing, and who has had what he may claim is left nothing.
const TIMES_SHORT: f64 = 6.0;

/// What the buckets of one node must leave in its pool.
pub(super) struct Leave {
    standings: Vec<Standing>,
    /// Most that is kept from anybody, tokens.
    most: f64,
    /// What a bucket without an entry must leave, tokens.
    pub unlisted: f64,
}

/// The buckets of one priority and weight at a node: few differ, however many there are.
struct Standing {
    priority: u8,
    weight: f64,
    /// Requests per window that are expected of them, as far as their past bears it out.
    expected: f64,
    /// Of them, those that go beyond what each was admitted in the last window; none while next to nothing is refused, so that tables
    /// do not change for it.
    short: f64,
}

impl Planner {
    /// What must be left of `pool` tokens of node `number`, whose buckets that may get an entry are `candidates`.
    pub(super) fn leave(&self, number: usize, pool: f64, candidates: &[Candidate]) -> Leave {
        // What is left of it must let one request in at each instance, or a newcomer is shut out for good.
        let instances = self.store.nodes[number].instances.len().max(1) as f64;
        let most = (MOST * pool).min(pool - instances).max(0.0);
        let standings = self.standings(number, candidates);
        let usual = self.default_policy();
        let known = WINDOWS_KNOWN * self.store.nodes[number].newcomers.known();
        let in_surge = self.surge(number) * most.min(known);
        let unlisted = ahead(&standings, usual.priority, usual.weight).min(most).max(in_surge);
        Leave { standings, most, unlisted }
    }

    /// `candidates` of node `number` by priority and weight, and what they are short of there.
    fn standings(&self, number: usize, candidates: &[Candidate]) -> Vec<Standing> {
        let columns = &self.store.columns;
        let refused = columns.throttle_ratio[self.store.nodes[number].total as usize];
        let is_scarce = f64::from(refused) > 1.0 - self.default_policy().slo;
        let mut standings: Vec<Standing> = vec![];
        for Candidate { row, priority, weight, borne_out, .. } in candidates {
            let admitted = columns.offered[*row as usize] - columns.throttled[*row as usize];
            let short = if is_scarce { (borne_out - f64::from(admitted)).max(0.0) } else { 0.0 };
            match standings.iter_mut().find(|s| s.priority == *priority && s.weight == *weight) {
                Some(standing) => standing.add(*borne_out, short),
                None => standings.push(Standing { priority: *priority, weight: *weight, expected: *borne_out, short }),
            }
        }
        standings
    }

    /// How unusually many newcomers node `number` has, 0 to 1.
    pub(super) fn surge(&self, number: usize) -> f64 {
        self.store.nodes[number].newcomers.surge()
    }
}

impl Leave {
    /// Tokens that a bucket with an entry must leave.
    pub fn listed(&self, candidate: &Candidate) -> f64 {
        ahead(&self.standings, candidate.priority, candidate.weight).min(self.most)
    }
}

impl Standing {
    fn add(&mut self, expected: f64, short: f64) {
        self.expected += expected;
        self.short += short;
    }

    /// Tokens that a bucket of `priority` and `weight` must leave for them.
    fn left_by(&self, priority: u8, weight: f64) -> f64 {
        match self.priority.cmp(&priority) {
            Ordering::Greater => WINDOWS_AHEAD * self.expected,
            Ordering::Equal => TIMES_SHORT * self.short * (1.0 - weight / self.weight).max(0.0),
            Ordering::Less => 0.0,
        }
    }
}

/// Tokens of a pool without end that a bucket of `priority` and `weight` must leave for those who come before it.
fn ahead(standings: &[Standing], priority: u8, weight: f64) -> f64 {
    standings.iter().map(|s| s.left_by(priority, weight)).sum()
}
