//! Limits over all nodes: what each node is lent of them.
//!
//! **What holds.** Over any time t, the nodes that list a bucket under a limit L admit at most L · (t + the length of a lease) of its
//! requests, and two for each of their instances. For what they refill at, all together, is at most L at any time, whichever tables have
//! reached them ([`split`]); what one of them can save is its part of L over a lease, and a token per instance; and a guaranteed token
//! may come on top.
//!
//! A node lists a bucket that a limit names from its first table on. One that a pattern covers is served under the table's default at a
//! node that has not seen it for a day, until the next table comes. What nobody can rule out: a worker that starts anew begins with all
//! that it may save, and a node that was silent for so long that it was forgotten may still have its part.

use std::collections::{BTreeMap, BTreeSet};

use super::{Planner, origin::Group};
use crate::{
    allocate::{
        Candidate,
        limit::{Place, split},
    },
    settings::Policy,
};

/// Requests per window over all nodes below which a node's part in a limit follows its average over some minutes rather than the
/// forecast: of so few, which node was asked last says little about which will be next.
const FEW: f64 = 10.0;
/// That average: 5 minutes.
const LATELY: usize = 1;

impl Planner {
    /// Sees to it that every node knows the buckets that a limit names, so that no node serves them as it serves any.
    pub(super) fn know_limited(&mut self) {
        let Some(closed) = self.store.closed() else { return };
        let named: Vec<String> = self.named_limits().into_iter().map(str::to_owned).collect();
        let nodes: Vec<u32> = (0..self.store.nodes.len() as u32).filter(|n| self.store.nodes[*n as usize].known).collect();
        for (node, bucket) in nodes.iter().flat_map(|node| named.iter().map(move |bucket| (*node, bucket))) {
            self.store.know(node, bucket, closed);
        }
    }

    /// Buckets that a limit names, each by itself.
    pub(super) fn named_limits(&self) -> BTreeSet<&str> {
        let limited = self.settings.policies.iter().filter(|p| p.limit_per_s.is_some() && !p.buckets.ends_with('*'));
        limited.map(|p| p.buckets.as_str()).collect()
    }

    /// Lowers the ceilings of `candidates`, by group and node, to what the limits over all nodes leave to each.
    pub(super) fn split_limits(&self, groups: &[Group], candidates: &mut [Vec<Vec<Candidate>>]) {
        if self.settings.policies.iter().all(|p| p.limit_per_s.is_none()) {
            return;
        }
        let numbers: Vec<usize> = groups.iter().flat_map(|group| group.live.iter().copied()).collect();
        let mut lists: Vec<&mut Vec<Candidate>> = candidates.iter_mut().flatten().collect();
        let mut limited: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
        for (i, list) in lists.iter().enumerate() {
            for (j, candidate) in list.iter().enumerate().filter(|(_, c)| c.limit.is_some()) {
                let name = self.store.index.name(candidate.row as usize).unwrap_or_default();
                limited.entry(name).or_default().push((i, j));
            }
        }
        let held = self.held_limits();
        for (name, at) in limited {
            let mut held = held.get(name).cloned().unwrap_or_default();
            let limit = at.first().and_then(|(i, j)| lists[*i][*j].limit).unwrap_or(0.0);
            let few = FEW / (FEW + at.iter().map(|(i, j)| lists[*i][*j].mean).sum::<f64>());
            let places: Vec<Place> = at.iter().map(|(i, j)| self.place(numbers[*i], &lists[*i][*j], few, &mut held)).collect();
            let gone: f64 = held.values().sum();
            for ((i, j), ceiling) in at.iter().zip(split((limit - gone).max(0.0), &places)) {
                let candidate = &mut lists[*i][*j];
                candidate.ceiling = candidate.ceiling.min(ceiling);
                candidate.floor = candidate.floor.min(candidate.ceiling);
            }
        }
    }

    /// Node `number` as far as a limit goes: its average counts by `few`. What it holds is taken out of `held`.
    fn place(&self, number: usize, candidate: &Candidate, few: f64, held: &mut BTreeMap<usize, f64>) -> Place {
        let lately = f64::from(self.store.columns.ewma[LATELY][candidate.row as usize]);
        let demand = few * lately + (1.0 - few) * candidate.mean;
        Place { demand, committed: held.remove(&number).unwrap_or(0.0), instances: self.instances(number) }
    }

    fn instances(&self, number: usize) -> f64 {
        self.store.nodes[number].instances.len().max(1) as f64
    }

    /// What may still be lent of limits, tokens per second, by bucket and number of the node.
    fn held_limits(&self) -> BTreeMap<&str, BTreeMap<usize, f64>> {
        let mut held: BTreeMap<&str, BTreeMap<usize, f64>> = BTreeMap::new();
        for (number, supply) in self.supplies.iter().enumerate() {
            for (row, ceiling) in supply.ledger.committed_ceilings() {
                let name = self.store.index.name(row as usize).unwrap_or_default();
                held.entry(name).or_default().insert(number, ceiling);
            }
        }
        held
    }

    /// Tokens of `ceiling_per_s` that a bucket under a limit may save at node `number` besides `capacity` guaranteed ones: what it brings
    /// in the length of a lease, and one for each instance. `None` without a limit.
    pub(super) fn saved_of_limit(&self, number: usize, policy: &Policy, ceiling_per_s: f64, capacity: f64) -> Option<f64> {
        policy.limit_per_s?;
        let most = policy.ceiling_per_s.map_or(f64::INFINITY, |ceiling| ceiling * self.store.interval_s() as f64);
        let saved = (ceiling_per_s * f64::from(self.settings.lease.duration_s)).min(most);
        // Of what is guaranteed, one token comes on top.
        Some(self.instances(number) + (saved - (capacity - 1.0).max(0.0)).max(0.0))
    }
}
