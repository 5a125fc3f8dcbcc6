//! A ceiling that a person sets for every key.

use std::sync::Arc;

use tidegate_wire::{RateTable, Report, Timestamp};

use crate::{
    contender::{Contender, Leased},
    workload::{WINDOW_S, Workload},
};

/// A contender that knows of no policies, under a ceiling for every key: it is written into each of its tables.
pub struct Capped {
    inner: Box<dyn Contender>,
    ceiling_per_s: f64,
}

impl Capped {
    /// `inner`, with `ceiling_per_s` for every key at one node.
    pub fn new(inner: Box<dyn Contender>, ceiling_per_s: f64) -> Self {
        Self { inner, ceiling_per_s }
    }

    fn cap(&self, tables: Vec<Leased>) -> Vec<Leased> {
        let capped = |mut table: Arc<RateTable>| {
            let own = Arc::make_mut(&mut table);
            for rates in own.buckets.values_mut().chain([&mut own.default]) {
                rates.ceiling_per_s = rates.ceiling_per_s.min(self.ceiling_per_s);
            }
            table
        };
        tables.into_iter().map(|(node, table)| (node, capped(table))).collect()
    }
}

impl Contender for Capped {
    fn learns(&self) -> bool {
        self.inner.learns()
    }

    fn sees_all(&self) -> bool {
        self.inner.sees_all()
    }

    fn keeps_books(&self) -> bool {
        self.inner.keeps_books()
    }

    fn opening(&mut self) -> Vec<Leased> {
        let tables = self.inner.opening();
        self.cap(tables)
    }

    fn tick(&mut self, now: Timestamp, reports: &[Report]) -> Vec<Leased> {
        let tables = self.inner.tick(now, reports);
        self.cap(tables)
    }
}

/// `times` the mean rate of the busiest key at the node where it is busiest, before the scored part: a ceiling that a person would set
/// by looking at what there was, tokens per second.
pub fn ceiling_per_s(honest: &Workload, times: f64) -> f64 {
    let mut requests = vec![0u64; honest.series.len()];
    let learned_s = honest.fit_windows * WINDOW_S;
    for row in honest.rows.iter().filter(|row| row.second < learned_s) {
        requests[row.series as usize] += u64::from(row.requests);
    }
    times * requests.into_iter().max().unwrap_or(0) as f64 / f64::from(learned_s.max(1))
}
