//! Additive increase, multiplicative decrease: what control without a forecast comes to.

use std::sync::Arc;

use tidegate_wire::{Report, Timestamp};

use super::{Brief, Contender, Leased, fixed};
use crate::{lease, origin::Origin, workload::Workload};

/// Part of an even share by which a node that throttled is raised.
const INCREASE: f64 = 0.5;
/// Least part of an even share that a node keeps, so that it can come back.
const FLOOR: f64 = 0.02;

/// Each node has a pool and no guarantees. A node that throttled in the last window asks for a fixed step more; when that
/// exceeds the origin, all nodes are cut by the same factor. It does not wait until a node has given up what another gets, so
/// nodes that hear of it at different times can together exceed the origin for a while.
pub struct Aimd {
    origin: Origin,
    ceiling_per_s: f64,
    opening_second: i64,
    epoch: u64,
    /// Share of the origin that each node holds; they add up to one at most.
    shares: Vec<f64>,
}

impl Aimd {
    /// Starts from the nodes' mean demand.
    pub fn new(brief: &Brief) -> Self {
        Self {
            origin: brief.origin,
            ceiling_per_s: brief.workload.peak_per_s(),
            opening_second: fixed::opening_second(brief),
            epoch: 0,
            shares: fixed::by_node(brief, &brief.fit.by_mean),
        }
    }

    fn adjust(&mut self, reports: &[Report]) {
        let even = 1.0 / self.shares.len() as f64;
        for report in reports {
            let throttled = report.buckets.iter().any(|b| b.throttled > 0);
            if let Some(share) = Workload::node_index(&report.node).and_then(|node| self.shares.get_mut(node)) {
                *share += if throttled { INCREASE * even } else { 0.0 };
                *share = share.max(FLOOR * even);
            }
        }
        let total: f64 = self.shares.iter().sum();
        if total > 1.0 {
            self.shares.iter_mut().for_each(|s| *s /= total);
        }
    }

    fn tables(&mut self, second: i64) -> Vec<Leased> {
        self.epoch += 1;
        let (origin, epoch, ceiling_per_s) = (self.origin, self.epoch, self.ceiling_per_s);
        let table = |(node, share): (usize, &f64)| {
            let mut table = lease::fixed(node, second, share * origin.sustained_per_s, share * origin.burst);
            lease::ceiling(&mut table, ceiling_per_s);
            table.epoch = epoch;
            (node, Arc::new(table))
        };
        self.shares.iter().enumerate().map(table).collect()
    }
}

impl Contender for Aimd {
    fn keeps_books(&self) -> bool {
        false
    }

    fn opening(&mut self) -> Vec<Leased> {
        self.tables(self.opening_second)
    }

    fn tick(&mut self, now: Timestamp, reports: &[Report]) -> Vec<Leased> {
        self.adjust(reports);
        self.tables(now.as_secs())
    }
}
