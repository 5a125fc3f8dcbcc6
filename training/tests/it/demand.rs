//! Made-up telemetry: what the engine would have acknowledged and journaled.

use std::path::Path;

use prost::Message;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tidegate_journal::{Journal, Limits, Record};
use tidegate_wire::{BucketCounts, Report, Telemetry, Timestamp, proto};

/// Start of the first window, a multiple of 30 s.
pub const START: i64 = 1_763_000_010;

/// A report of node `n` about window `window`.
pub fn report(window: i64, buckets: Vec<BucketCounts>) -> Report {
    Report {
        node: "n".into(),
        instance: Some("i".into()),
        sequence: window as u64,
        epoch: None,
        staleness_ms: None,
        start: Timestamp::from_secs(START + 30 * window),
        seconds: 30,
        cpu: Some(0.4),
        memory: None,
        buckets,
    }
}

/// Counts without trouble.
pub fn counts(bucket: &str, requests: u64) -> BucketCounts {
    BucketCounts { bucket: bucket.into(), requests, bytes: 500 * requests, ..BucketCounts::default() }
}

/// Reports of windows in which demand wanders about: a busy bucket fast, so that only its newest window tells, quiet ones
/// slowly, so that a long average sees through their noise.
pub fn wandering(windows: i64) -> Vec<Report> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut levels = [2000.0_f64, 15.0, 6.0, 0.4];
    let mut reports = vec![];
    for window in 0..windows {
        let mut buckets = vec![];
        for (i, level) in levels.iter_mut().enumerate() {
            let pace: f64 = if i == 0 { 0.2 } else { 0.02 };
            *level *= f64::exp(rng.random_range(-pace..pace));
            let requests = poisson(&mut rng, *level);
            if requests > 0 {
                buckets.push(counts(&format!("b{i}"), requests));
            }
        }
        reports.push(report(window, buckets));
    }
    reports
}

/// A Poisson draw, by counting unit-rate arrivals.
pub fn poisson(rng: &mut ChaCha8Rng, mean: f64) -> u64 {
    let (mut count, mut time) = (0, -(1.0 - rng.random::<f64>()).ln());
    while time < mean {
        count += 1;
        time -= (1.0 - rng.random::<f64>()).ln();
    }
    count
}

/// Writes a journal in `dir`, one record per report.
pub fn journal(dir: &Path, reports: &[Report]) {
    let (mut journal, _) = Journal::open(dir, Limits::default()).unwrap();
    for report in reports {
        let body = proto::Telemetry::from(&Telemetry { version: None, reports: vec![report.clone()] });
        journal.append(&[Record::Reports(body.encode_to_vec())]).unwrap();
    }
    journal.append(&[Record::Tick { now: Timestamp::from_secs(START), epoch: 1 }]).unwrap();
    journal.commit().unwrap();
}
