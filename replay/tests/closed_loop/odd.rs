//! Traces that make no sense, or hardly any: a bench says so and goes on.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use tempfile::TempDir;
use tidegate_replay::{
    bench::{self, Outcome, Plan, Watch, report},
    contender::Kind,
};
use tidegate_trace::Trace;

use crate::traffic;

#[derive(Default)]
struct Counted {
    announced: AtomicU64,
    done: AtomicU64,
}

impl Watch for Counted {
    fn case_begins(&self, _name: &str, _nodes: usize, _place: (usize, usize), windows: u64) {
        self.announced.fetch_add(windows, Ordering::Relaxed);
    }

    fn window_done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

fn plan() -> Plan {
    Plan { capacities: vec![1.5], nodes: vec![4], delays_s: vec![30], ..Plan::default() }
}

fn bench_of(traces: &[(&str, Trace)]) -> Outcome {
    let dir = TempDir::new().unwrap();
    let path = |(name, trace): &(&str, Trace)| -> PathBuf {
        let path = dir.path().join(format!("{name}.parquet"));
        trace.write(&path).unwrap();
        path
    };
    let files: Vec<PathBuf> = traces.iter().map(path).collect();
    let watch = Counted::default();
    let outcome = bench::run(&plan(), &files, None, &watch);
    assert_eq!(watch.announced.load(Ordering::Relaxed), watch.done.load(Ordering::Relaxed), "the bar ends where it said");
    for comparison in &outcome.comparisons {
        let names: Vec<&str> = comparison.contenders.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, Kind::ALL.map(Kind::name));
        assert_eq!(comparison.breaches, Vec::<String>::new());
        for score in &comparison.contenders {
            let shares = [score.throttled_share, score.refused_within_share, score.overload_share];
            assert!(shares.iter().all(|s| (0.0..=1.0).contains(s)) && score.leased_per_served.is_finite(), "{score:?}");
        }
    }
    outcome
}

fn said<'a>(lines: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    lines.iter().filter(|(of, _)| of == name).map(|(_, line)| line.as_str()).collect()
}

#[test]
fn what_cannot_be_scored_is_named_and_the_rest_is_run() {
    let outcome = bench_of(&[
        ("constant-zero", traffic::trace(&[(0, 0, 0), (3000, 0, 0)])),
        ("one-window", traffic::trace(&[(0, 0, 5), (29, 0, 5)])),
        ("single-request", traffic::trace(&[(0, 0, 1)])),
        ("busy", traffic::busy()),
    ]);
    for (name, reason) in [("constant-zero", "holds no request"), ("one-window", "too few"), ("single-request", "too few")] {
        let reasons = said(&outcome.unscored, name);
        assert!(reasons.len() == 1 && reasons[0].contains(reason), "{name}: {reasons:?}");
    }
    assert_eq!(outcome.comparisons.len(), 1);
    assert_eq!(outcome.comparisons[0].trace, "busy");
    let summary = report::markdown(&outcome, None);
    assert!(summary.contains("- one-window: "), "{summary}");
    assert!(summary.contains("| 4 | 1.5 | 30 s | 1 |"), "{summary}");
    let json: serde_json::Value = serde_json::from_str(&report::json(&outcome, Some("m")).unwrap()).unwrap();
    assert_eq!((&json["model"], &json["cases"][0]["trace"]), (&"m".into(), &"busy".into()));
    assert_eq!(json["unscored"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_file_that_is_no_trace_is_named() {
    let dir = TempDir::new().unwrap();
    let (text, absent) = (dir.path().join("text.parquet"), dir.path().join("absent.parquet"));
    std::fs::write(&text, "no parquet").unwrap();
    let outcome = bench::run(&plan(), &[text, absent], None, &Counted::default());
    assert!(said(&outcome.unscored, "text")[0].contains("not a readable parquet file"));
    assert!(said(&outcome.unscored, "absent")[0].contains("absent.parquet"));
}

#[test]
fn a_gap_is_said_to_count_as_no_demand() {
    let rows: Vec<(u32, u32, u32)> = (0..3000).filter(|s| !(600..1800).contains(s)).map(|s| (s, s % 9, 2)).collect();
    let outcome = bench_of(&[("gap", traffic::trace(&rows))]);
    let odd = said(&outcome.oddities, "gap");
    assert!(odd.iter().any(|line| line.starts_with("no request in 40 of 100 windows, for 20 minutes")), "{odd:?}");
}

#[test]
fn a_counter_that_wrapped_is_taken_for_a_flood_and_said_to_be_one() {
    let mut rows: Vec<(u32, u32, u32)> = (0..1200).map(|s| (s, s % 9, 2)).collect();
    rows[900].2 = u32::MAX;
    let outcome =
        bench_of(&[("many", traffic::trace(&rows)), ("single", traffic::trace(&rows.iter().map(|r| (r.0, 0, r.2)).collect::<Vec<_>>()))]);
    for name in ["many", "single"] {
        let odd = said(&outcome.oddities, name);
        assert!(odd.iter().any(|line| line.contains("a counter that was reset or wrapped")), "{odd:?}");
    }
}

#[test]
fn two_requests_far_apart_and_buckets_seen_once_are_scored_for_what_they_are() {
    let mut rows: Vec<(u32, u32, u32)> = (0..1200).map(|s| (s, s % 8, 2)).collect();
    rows[700] = (700, 8, 1);
    let outcome = bench_of(&[("apart", traffic::trace(&[(0, 0, 1), (6000, 0, 1)])), ("once", traffic::trace(&rows))]);
    assert_eq!(outcome.comparisons.len(), 2);
    assert!(said(&outcome.oddities, "apart").iter().any(|line| line.contains("a token or two decide")));
    assert!(said(&outcome.oddities, "once").contains(&"1 of 9 buckets appear once"));
}
