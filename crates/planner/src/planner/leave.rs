//! What a bucket must leave in its node's pool when it borrows, for those who come before it: trunk reservation (Key, Optimal control
//! and trunk reservation in loss networks, 1990), which keeps nothing from anybody while there is enough for all.

use std::collections::BTreeMap;

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

/// What the buckets of one node must leave in its pool, tokens.
pub(super) struct Leave {
    by_priority: BTreeMap<u8, f64>,
    /// A bucket without an entry.
    pub unlisted: f64,
}

impl Planner {
    /// What must be left of `pool` tokens of node `number`, whose buckets that may get an entry are `candidates`.
    pub(super) fn leave(&self, number: usize, pool: f64, candidates: &[Candidate]) -> Leave {
        // What is left of it must let one request in at each instance, or a newcomer is shut out for good.
        let instances = self.store.nodes[number].instances.len().max(1) as f64;
        let most = (MOST * pool).min(pool - instances).max(0.0);
        let usual = self.default_policy().priority;
        let mut expected = BTreeMap::from([(usual, 0.0)]);
        for candidate in candidates {
            *expected.entry(candidate.priority).or_default() += candidate.borne_out;
        }
        let mut above = 0.0;
        let mut by_priority = BTreeMap::new();
        for (priority, requests) in expected.into_iter().rev() {
            by_priority.insert(priority, (WINDOWS_AHEAD * above).min(most));
            above += requests;
        }
        let known = WINDOWS_KNOWN * self.store.nodes[number].newcomers.known();
        let unlisted = by_priority[&usual].max(self.surge(number) * most.min(known));
        Leave { by_priority, unlisted }
    }

    /// How unusually many newcomers node `number` has, 0 to 1.
    pub(super) fn surge(&self, number: usize) -> f64 {
        self.store.nodes[number].newcomers.surge()
    }
}

impl Leave {
    /// Tokens that a bucket with an entry must leave.
    pub fn listed(&self, candidate: &Candidate) -> f64 {
        self.by_priority.get(&candidate.priority).copied().unwrap_or(0.0)
    }
}
