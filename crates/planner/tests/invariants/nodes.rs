//! Well-behaved reports and ticks, for the tests that look at one behaviour.

use tidegate_planner::{Plan, Planner};
use tidegate_wire::{BucketCounts, Report, Timestamp};

pub use crate::stream::WINDOW_S;

/// One window of `node` with the requests of each bucket; acknowledges nothing.
pub fn report(node: &str, window: i64, buckets: &[(&str, u64)]) -> Report {
    let counts =
        |(bucket, requests): &(&str, u64)| BucketCounts { bucket: (*bucket).into(), requests: *requests, ..BucketCounts::default() };
    Report {
        node: node.into(),
        instance: None,
        sequence: window as u64,
        epoch: None,
        staleness_ms: None,
        start: Timestamp::from_secs(window * WINDOW_S),
        seconds: WINDOW_S as u32,
        cpu: None,
        memory: None,
        buckets: buckets.iter().map(counts).collect(),
    }
}

/// The tick that comes three seconds after the end of `window`.
pub fn tick(planner: &mut Planner, window: i64) -> Plan {
    planner.tick(Timestamp::from_secs((window + 1) * WINDOW_S + 3))
}

/// Expected requests of a bucket in the next window.
pub fn forecast(planner: &Planner, node: &str, bucket: &str) -> f64 {
    planner.explain(node, bucket).unwrap().forecast.mean[0]
}
