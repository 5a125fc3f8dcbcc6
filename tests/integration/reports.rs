//! Reports for the tests, and an engine to send them to.

use std::path::Path;

use tidegate::{
    config::{self, Config},
    engine::{self, Options, Running},
    ingest::{self, Checked, Rules},
};
use tidegate_planner::{Planner, Settings};
use tidegate_wire::{BucketCounts, Report, Telemetry, Timestamp};

/// Length of a window in seconds.
pub const WINDOW_S: i64 = 30;

/// The start of a window, long before now.
pub const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Report `sequence` of `node`, about the window that starts at `start`.
pub fn report(node: &str, sequence: u64, start: Timestamp, requests: &[(&str, u64)]) -> Report {
    let counts = |&(bucket, requests): &(&str, u64)| BucketCounts { bucket: bucket.into(), requests, ..BucketCounts::default() };
    Report {
        node: node.into(),
        instance: Some("i1".into()),
        sequence,
        epoch: None,
        staleness_ms: None,
        start,
        seconds: WINDOW_S as u32,
        cpu: Some(0.5),
        memory: None,
        buckets: requests.iter().map(counts).collect(),
    }
}

/// A body of `reports` that arrives at the end of the last one's window.
pub fn body(reports: Vec<Report>) -> Checked {
    let now = reports.iter().map(|r| r.start.plus_secs(WINDOW_S)).max().unwrap_or(START);
    let rules = Rules { bounds: config::Ingest::default(), interval_s: WINDOW_S as u32 };
    ingest::check(Telemetry { version: Some(1), reports }, &rules, now).unwrap()
}

/// Options with all data in `dir`.
pub fn options(dir: &Path) -> Options {
    let server = config::Server { data_dir: dir.into(), ..config::Server::default() };
    let journal = config::Journal { segment_bytes: 4_000, ..config::Journal::default() };
    Options::new(&Config { server, journal, ..Config::default() }, 0)
}

/// An engine on the data in `dir`.
pub fn start(options: &Options) -> Running {
    engine::start(options, Planner::new(Settings::default(), None).unwrap()).unwrap()
}
