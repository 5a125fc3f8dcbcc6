//! A made-up workload for timing: many series over several orders of magnitude, with a rhythm and bursts.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::dataset::{Entry, NodeWindow, Source};

const NODES: usize = 4;
const BUCKETS: usize = 496;
const WINDOWS_PER_DAY: f64 = 2880.0;

/// Reports that come to about `rows` rows: every window of every series, node totals included.
pub fn made_up(rows: usize) -> Source {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let windows = (rows / (BUCKETS + NODES)).max(8) as u32 + 8;
    let levels: Vec<f64> = (0..BUCKETS).map(|_| 10f64.powf(rng.random_range(-1.0..1.7))).collect();
    let mut source = Source {
        name: "made up".into(),
        step_s: 30,
        first: 58_000_000,
        windows,
        nodes: (0..NODES).map(|n| format!("n{n}")).collect(),
        buckets: (0..BUCKETS).map(|b| format!("b{b}")).collect(),
        ..Source::default()
    };
    let mut burst = vec![1.0_f64; BUCKETS];
    for window in 0..windows {
        let rhythm = 1.0 + 0.6 * (std::f64::consts::TAU * f64::from(window) / WINDOWS_PER_DAY).sin();
        for node in 0..NODES {
            let start = source.entries.len();
            for bucket in (node..BUCKETS).step_by(NODES) {
                let jump = if rng.random_bool(0.01) { rng.random_range(2.0..8.0) } else { 1.0 };
                burst[bucket] = (0.8 * burst[bucket] + 0.2).max(jump);
                let requests = count(levels[bucket] * rhythm * burst[bucket], &mut rng);
                let share = |of: f64| (requests as f64 * of) as u64;
                let peak_per_s = (requests as f64 / 12.0).ceil();
                let errors = share(0.02);
                source.entries.push(Entry {
                    bucket: bucket as u32,
                    requests,
                    errors,
                    bytes: 900 * requests,
                    peak_per_s,
                    ..Entry::default()
                });
            }
            let load = 0.3 + 0.2 * rhythm + rng.random_range(0.0..0.1);
            let entries = start..source.entries.len();
            source.reports.push(NodeWindow { window, node: node as u32, cpu: Some(load), memory: Some(0.5 + 0.1 * load), entries });
        }
    }
    source
}

/// A Poisson count, by its normal approximation where the mean is large.
fn count(mean: f64, rng: &mut ChaCha8Rng) -> u64 {
    if mean > 50.0 {
        let twelve: f64 = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        return (mean + mean.sqrt() * twelve).round().max(0.0) as u64;
    }
    let (mut n, mut time) = (0, -(1.0 - rng.random::<f64>()).ln());
    while time < mean {
        n += 1;
        time -= (1.0 - rng.random::<f64>()).ln();
    }
    n
}
