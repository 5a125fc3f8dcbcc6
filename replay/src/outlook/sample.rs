//! Which series, and from which windows, are set beside other forecasters. Chosen by the part that is learned from alone.

use std::collections::BTreeMap;

use tidegate_planner::{forecast::STEPS, state::TOTAL};

use crate::workload::{WINDOW_S, Workload};

/// Windows with a request that a series must have had: with fewer there is nothing to fit to.
const ACTIVE_AT_LEAST: usize = 8;
/// Requests per window from which a bucket is busy.
const BUSY_FROM: f64 = 1.0;

/// What a series is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// All buckets of a node together.
    Total,
    /// A bucket of at least one request per window.
    Busy,
    /// A bucket of fewer.
    Intermittent,
}

impl Kind {
    /// Its name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Busy => "busy",
            Self::Intermittent => "intermittent",
        }
    }
}

/// A series that was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    /// What it is like.
    pub kind: Kind,
    /// Wire id of the node.
    pub node: String,
    /// Wire id of the bucket; empty for the node's total.
    pub bucket: String,
    /// Requests by window; windows without a request are left out.
    pub counts: BTreeMap<u32, u64>,
}

/// At most `most` series: of each kind a third, evenly over their order by requests; what a kind does not fill is left to others.
pub fn choose(workload: &Workload, most: usize) -> Vec<Sampled> {
    let mut kinds: [Vec<Sampled>; 3] = Default::default();
    for sampled in all(workload) {
        kinds[sampled.kind as usize].push(sampled);
    }
    kinds.sort_by_key(Vec::len);
    let mut chosen = vec![];
    for (i, mut of_kind) in kinds.into_iter().enumerate() {
        let share = (most - chosen.len()).div_ceil(3 - i).min(of_kind.len());
        of_kind.sort_by_key(|s| std::cmp::Reverse(s.counts.range(..workload.fit_windows).map(|(_, n)| n).sum::<u64>()));
        chosen.extend(evenly(of_kind.len(), share).map(|i| of_kind[i].clone()));
    }
    chosen.sort_by(|a, b| (a.kind, &a.node, &a.bucket).cmp(&(b.kind, &b.node, &b.bucket)));
    chosen
}

/// At most `most` windows of the scored part, evenly, after each of which [`STEPS`] more come.
pub fn origins(workload: &Workload, most: usize) -> Vec<u32> {
    let first = workload.fit_windows - 1;
    let count = (workload.windows - first).saturating_sub(STEPS as u32) as usize;
    // Fits: an index below the number of windows.
    evenly(count, most.min(count)).map(|i| first + i as u32).collect()
}

/// `share` of `count` indices, from the first to the last.
fn evenly(count: usize, share: usize) -> impl Iterator<Item = usize> {
    (0..share).map(move |i| i * (count - 1) / (share - 1).max(1))
}

/// Every series that there is enough of; a total of one bucket is that bucket.
fn all(workload: &Workload) -> Vec<Sampled> {
    let mut by_series: Vec<BTreeMap<u32, u64>> = vec![BTreeMap::new(); workload.series.len()];
    let mut totals: Vec<BTreeMap<u32, u64>> = vec![BTreeMap::new(); workload.nodes];
    let mut buckets = vec![0; workload.nodes];
    workload.series.iter().for_each(|series| buckets[series.node] += 1);
    for row in &workload.rows {
        let (window, requests) = (row.second / WINDOW_S, u64::from(row.requests));
        *by_series[row.series as usize].entry(window).or_default() += requests;
        *totals[workload.series[row.series as usize].node].entry(window).or_default() += requests;
    }
    let fit = workload.fit_windows;
    let kind = |counts: &BTreeMap<u32, u64>| {
        let mean = counts.range(..fit).map(|(_, n)| *n as f64).sum::<f64>() / f64::from(fit);
        if mean >= BUSY_FROM { Kind::Busy } else { Kind::Intermittent }
    };
    let of_bucket = by_series.into_iter().zip(&workload.series).map(|(counts, series)| Sampled {
        kind: kind(&counts),
        node: Workload::node_id(series.node),
        bucket: Workload::bucket_id(series.bucket),
        counts,
    });
    let of_node = totals.into_iter().enumerate().filter(|(node, _)| buckets[*node] > 1).map(|(node, counts)| Sampled {
        kind: Kind::Total,
        node: Workload::node_id(node),
        bucket: TOTAL.into(),
        counts,
    });
    of_bucket.chain(of_node).filter(|s| s.counts.range(..fit).count() >= ACTIVE_AT_LEAST.min(fit as usize)).collect()
}
