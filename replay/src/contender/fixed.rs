//! Shares that never change.

use std::sync::Arc;

use tidegate_wire::{RateTable, Report, Timestamp};

use super::{Brief, Contender, Leased};
use crate::{lease, workload::WINDOW_S};

/// What of a share is for the series itself; the rest of it is the node's to lend.
#[derive(Clone, Copy)]
struct Guarantee {
    of_rate: f64,
    of_burst: f64,
}

/// A guaranteed burst cannot be lent, so a large one hurts: of 2, 10, 30 and 60 %, the less the better it did on each of five traces.
const POOLED: Guarantee = Guarantee { of_rate: 0.6, of_burst: 0.1 };
/// Nobody is known who could be guaranteed anything.
const COLD: Guarantee = Guarantee { of_rate: 0.0, of_burst: 0.0 };
const ALONE: Guarantee = Guarantee { of_rate: 1.0, of_burst: 1.0 };

/// A contender whose opening tables hold to the end.
pub struct Fixed {
    tables: Vec<RateTable>,
    sees_all: bool,
}

impl Contender for Fixed {
    fn sees_all(&self) -> bool {
        self.sees_all
    }

    fn opening(&mut self) -> Vec<Leased> {
        std::mem::take(&mut self.tables).into_iter().map(Arc::new).enumerate().collect()
    }

    fn tick(&mut self, _now: Timestamp, _reports: &[Report]) -> Vec<Leased> {
        vec![]
    }
}

/// Each bucket at each node by itself: what one leaves is lost to the others, since the pools lend nothing.
pub fn per_bucket(brief: &Brief, shares: &[f64]) -> Fixed {
    Fixed { tables: tables(brief, shares, ALONE), sees_all: false }
}

/// Shares by mean, of which a part is guaranteed to the buckets and the rest is the node's to lend; with nothing to learn from, each
/// node has an even share to lend.
pub fn pooled(brief: &Brief) -> Fixed {
    let own = if brief.workload.fit_windows == 0 { COLD } else { POOLED };
    Fixed { tables: tables(brief, &brief.fit.by_mean, own), sees_all: false }
}

/// What the nodes begin on where nothing was learned: even shares, under epoch 0, which any lease replaces.
pub fn first(brief: &Brief) -> Vec<Leased> {
    let table = |table: RateTable| Arc::new(RateTable { epoch: 0, ..table });
    pooled(brief).tables.into_iter().map(table).enumerate().collect()
}

/// All of the origin in one pool.
pub fn central(brief: &Brief) -> Fixed {
    let mut table = lease::fixed(0, opening_second(brief), brief.origin.sustained_per_s, brief.origin.burst);
    lease::ceiling(&mut table, brief.workload.peak_per_s());
    Fixed { tables: vec![table], sees_all: true }
}

/// The second at which the scored part begins, since the Unix epoch.
pub fn opening_second(brief: &Brief) -> i64 {
    brief.workload.start + i64::from(brief.workload.fit_windows * WINDOW_S)
}

/// Tables by the shares of all series.
fn tables(brief: &Brief, shares: &[f64], own: Guarantee) -> Vec<RateTable> {
    let (origin, workload) = (brief.origin, brief.workload);
    let of_nodes = by_node(brief, shares);
    let pool = |(node, share): (usize, &f64)| {
        let lendable = (1.0 - own.of_burst) * share * origin.burst;
        lease::fixed(node, opening_second(brief), share * origin.sustained_per_s, lendable)
    };
    let mut tables: Vec<RateTable> = of_nodes.iter().enumerate().map(pool).collect();
    for (series, share) in workload.series.iter().zip(shares) {
        let (refill_per_s, burst) = (own.of_rate * share * origin.sustained_per_s, own.of_burst * share * origin.burst);
        lease::guarantee(&mut tables[series.node], series.bucket, refill_per_s, burst);
    }
    tables.iter_mut().for_each(|t| lease::ceiling(t, workload.peak_per_s()));
    tables
}

/// Shares of the nodes: the sums of the shares of their series.
pub fn by_node(brief: &Brief, shares: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; brief.workload.nodes];
    for (series, share) in brief.workload.series.iter().zip(shares) {
        sums[series.node] += share;
    }
    sums
}
