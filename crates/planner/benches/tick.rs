//! A whole tick over up to a million series, beside one plain pass over as many bytes as the state takes.
//!
//! `cargo bench -p tidegate-planner --bench tick [-- MOST_SERIES]` prints one line per size. Everything runs on one thread; a time
//! is the median of the ticks, the bytes are the most that were held in any of them. The traffic: 100 nodes, rates by Zipf's law,
//! so that most series are quiet in most windows; all series are older than a day.

use std::{hint::black_box, process::ExitCode, time::Instant};

use peak_alloc::PeakAlloc;
use tidegate_planner::{
    Model, Planner, Settings,
    features::NAMES,
    forecast::{Regression, STEPS},
    settings::{Limits, Origin},
};
use tidegate_wire::{BucketCounts, Report, Timestamp};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
const NODES: usize = 100;
const WINDOW_S: i64 = 30;
/// Ticks before the first that is timed, and timed ones.
const WARM: i64 = 4;
const TIMED: i64 = 9;
/// Windows passed over after the second tick: more than a day, so that the memory of yesterday has its part in what is timed.
const PAUSE: i64 = 3_000;

fn main() -> ExitCode {
    let most = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(1_000_000);
    println!(
        "{:>9} {:>9} {:>9} {:>9} {:>9} {:>7} {:>9} {:>9} {:>9}",
        "series", "observe", "tick", "per row", "pass", "ratio", "bytes", "snapshot", "restore"
    );
    println!("{:>9} {:>9} {:>9} {:>9} {:>9} {:>7} {:>9} {:>9} {:>9}", "", "ms", "ms", "ns", "ms", "x", "per row", "ms", "ms");
    for series in SIZES.into_iter().filter(|s| *s <= most) {
        if let Err(error) = measure(series) {
            eprintln!("{series} series: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn measure(series: usize) -> Result<(), Box<dyn std::error::Error>> {
    let before = ALLOCATOR.current_usage();
    let mut planner = Planner::new(settings(series), Some(model()))?;
    let mut random = Random(42);
    let (mut observing, mut ticking) = (vec![], vec![]);
    let mut bytes = 0;
    for window in (0..2).chain(2 + PAUSE..PAUSE + WARM + TIMED) {
        let reports = reports(series, window, &mut random);
        let start = Instant::now();
        reports.iter().for_each(|r| planner.observe(r));
        observing.push(ms(start));
        drop(reports);
        ALLOCATOR.reset_peak_usage();
        let start = Instant::now();
        black_box(planner.tick(Timestamp::from_secs((window + 1) * WINDOW_S + 3)));
        ticking.push(ms(start));
        bytes = bytes.max(ALLOCATOR.peak_usage() - before);
    }
    let (observe, tick) = (median(&mut observing[WARM as usize..]), median(&mut ticking[WARM as usize..]));
    let pass = pass_ms(bytes);
    let start = Instant::now();
    let snapshot = planner.snapshot();
    let written = ms(start);
    let start = Instant::now();
    planner.restore(&snapshot)?;
    let restored = ms(start);
    let row = series as f64;
    println!(
        "{series:>9} {observe:>9.2} {tick:>9.2} {:>9.0} {pass:>9.2} {:>7.1} {:>9.0} {written:>9.1} {restored:>9.1}",
        tick * 1e6 / row,
        tick / pass,
        bytes as f64 / row
    );
    Ok(())
}

fn settings(series: usize) -> Settings {
    let limits = Limits { series: 2 * series + NODES, ..Limits::default() };
    let origin = Origin { sustained_per_s: series as f64, burst: 10.0 * series as f64, ..Origin::default() };
    Settings { origins: vec![origin], limits, ..Settings::default() }
}

/// Coefficients on every feature: a tick costs the same whatever they are.
fn model() -> Model {
    let coefficients: Vec<f64> = NAMES.iter().map(|n| if *n == "log_level" { 0.9 } else { 0.001 }).collect();
    Model::new("bench", WINDOW_S as u32, vec![Regression { intercept: 0.0, coefficients }; STEPS], 0.1)
}

/// Every node's report of a window. The first window names every series; later ones list those with a request.
fn reports(series: usize, window: i64, random: &mut Random) -> Vec<Report> {
    (0..NODES).map(|node| report(node, series / NODES, window, random)).collect()
}

fn report(node: usize, buckets: usize, window: i64, random: &mut Random) -> Report {
    let mut listed = vec![];
    for rank in 0..buckets {
        // The busiest bucket of a node has 3000 requests a window, the k-th a k-th of that; below one it is a chance.
        let mean = 3000.0 / (rank + 1) as f64;
        let requests = (mean * (0.7 + 0.6 * random.next())) + random.next() - 0.5;
        let requests = if mean < 1.0 { u64::from(random.next() < mean) } else { requests.max(0.0) as u64 };
        if requests > 0 || window == 0 {
            listed.push(BucketCounts {
                bucket: format!("key:{rank:06x}"),
                requests: requests.max(1),
                bytes: 400 * requests,
                ..BucketCounts::default()
            });
        }
    }
    Report {
        node: format!("edge-{node}"),
        instance: None,
        sequence: window as u64,
        epoch: Some(window as u64),
        staleness_ms: None,
        start: Timestamp::from_secs(window * WINDOW_S),
        seconds: WINDOW_S as u32,
        cpu: Some(0.4),
        memory: Some(0.5),
        buckets: listed,
    }
}

/// Median time of reading and summing `bytes` bytes once: what no tick over the same bytes can be faster than.
fn pass_ms(bytes: usize) -> f64 {
    let values = vec![1u64; bytes / size_of::<u64>()];
    let mut times: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            black_box(black_box(&values).iter().fold(0u64, |sum, v| sum.wrapping_add(*v)));
            ms(start)
        })
        .collect();
    median(&mut times)
}

fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

/// SplitMix64: the same traffic in every run.
struct Random(u64);

impl Random {
    /// From 0 to below 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
