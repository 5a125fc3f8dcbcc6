//! A workload's windows as a node would report them.

use std::collections::BTreeMap;

use tidegate_wire::{BucketCounts, Report, Timestamp};

use crate::workload::{Demand, WINDOW_S, Workload};

/// Each window and its rows, those without a request too.
pub fn by_window(workload: &Workload) -> impl Iterator<Item = (u32, &[Demand])> {
    let mut rest = &workload.rows[..];
    (0..workload.windows).map(move |window| {
        let (now, later) = rest.split_at(rest.partition_point(|row| row.second < (window + 1) * WINDOW_S));
        rest = later;
        (window, now)
    })
}

/// Every node's report of a window in which nothing was throttled; a node without a request reports too.
pub fn reports(workload: &Workload, window: u32, rows: &[Demand]) -> Vec<Report> {
    let mut counts: Vec<BTreeMap<usize, BucketCounts>> = vec![BTreeMap::new(); workload.nodes];
    for seconds in rows.chunk_by(|a, b| a.second == b.second && a.series == b.series) {
        let series = workload.series[seconds[0].series as usize];
        let bucket = counts[series.node].entry(series.bucket).or_default();
        let in_second: u64 = seconds.iter().map(|row| u64::from(row.requests)).sum();
        bucket.requests += in_second;
        bucket.errors += seconds.iter().map(|row| u64::from(row.errors)).sum::<u64>();
        bucket.bytes += seconds.iter().map(|row| f64::from(row.bytes_mean) * f64::from(row.requests)).sum::<f64>() as u64;
        bucket.peak_per_s = Some(bucket.peak_per_s.unwrap_or(0.0).max(in_second as f64));
    }
    let start = Timestamp::from_secs(workload.start + i64::from(window * WINDOW_S));
    counts.into_iter().enumerate().map(|(node, counts)| report(node, window, start, counts)).collect()
}

fn report(node: usize, window: u32, start: Timestamp, counts: BTreeMap<usize, BucketCounts>) -> Report {
    let named = |(bucket, counts): (usize, BucketCounts)| BucketCounts { bucket: Workload::bucket_id(bucket), ..counts };
    Report {
        node: Workload::node_id(node),
        instance: None,
        sequence: u64::from(window) + 1,
        epoch: None,
        staleness_ms: None,
        start,
        seconds: WINDOW_S,
        cpu: None,
        memory: None,
        buckets: counts.into_iter().map(named).collect(),
    }
}
