//! A bucket's global limit, split over the nodes that it is seen at.

use std::collections::BTreeMap;

use super::Planner;
use crate::{allocate::Candidate, allocate::ledger};

/// Requests per window that every node of a limited bucket is taken to expect at least, so that none is left with nothing.
const EXPECTED_MIN: f64 = 0.1;

impl Planner {
    /// Sets the ceilings of buckets under a global limit: by what each of the nodes `numbers` expects, and raised only into what
    /// another node has given back.
    ///
    /// A node at which the bucket is new serves it under the table's default until the next tick.
    pub(super) fn split_limits(&self, numbers: &[usize], vanished: &[usize], candidates: &mut [Vec<Candidate>]) {
        let mut limited: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
        for (i, list) in candidates.iter().enumerate() {
            for (j, candidate) in list.iter().enumerate().filter(|(_, c)| c.limit.is_some()) {
                let name = self.store.index.name(candidate.row as usize).unwrap_or_default();
                limited.entry(name).or_default().push((i, j));
            }
        }
        for (name, places) in limited {
            let of = |(i, j): &(usize, usize)| &candidates[*i][*j];
            let limit = places.first().and_then(|p| of(p).limit).unwrap_or(0.0);
            let gone: f64 = vanished.iter().map(|n| self.held_ceiling(*n, name)).sum();
            let committed: Vec<f64> = places.iter().map(|p| self.held_ceiling(numbers[p.0], name)).collect();
            let expected: Vec<f64> = places.iter().map(|p| of(p).mean.max(EXPECTED_MIN)).collect();
            let sum: f64 = expected.iter().sum();
            let targets: Vec<f64> = expected.iter().map(|e| limit * e / sum).collect();
            for ((i, j), ceiling) in places.iter().zip(ledger::within((limit - gone).max(0.0), &committed, &targets)) {
                let candidate = &mut candidates[*i][*j];
                candidate.ceiling = candidate.ceiling.min(ceiling);
                candidate.floor = candidate.floor.min(candidate.ceiling);
            }
        }
    }

    fn held_ceiling(&self, number: usize, bucket: &str) -> f64 {
        let row = self.store.row(number as u32, bucket);
        row.map_or(0.0, |row| self.supplies[number].ledger.committed_ceiling(row as u32))
    }
}
