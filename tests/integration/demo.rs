//! The demo, as a newcomer runs it, and what it leaves behind: nothing.

use std::future::{pending, ready};

use clap::Parser;
use tidegate::demo::{Args, Verdict, run};
use tidegate_trace::Trace;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn args(flags: &[&str]) -> Args {
    Line::parse_from(["demo", "--seconds", "0"].iter().chain(flags)).args
}

async fn played(flags: &[&str]) -> (Verdict, String) {
    let mut out = vec![];
    let verdict = run(&args(flags), &mut out, false, pending()).await.unwrap().expect("nobody interrupted it");
    (verdict, String::from_utf8(out).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adaptive_rates_throttle_less_than_a_static_limit_on_demand_that_moves() {
    let (verdict, out) = played(&["--windows", "120"]).await;
    assert!(verdict.adaptive.wanted > 500_000 && verdict.adaptive.wanted == verdict.fixed.wanted);
    assert!(verdict.adaptive.throttled < verdict.fixed.throttled, "{verdict}");
    assert_eq!(verdict.overloaded_s, 0, "{verdict}");
    let lines: Vec<_> = out.lines().collect();
    assert!(lines[0].starts_with("serving at http://127.0.0.1:"), "{out}");
    assert!(lines[1].starts_with("first leased rate after "), "{out}");
    assert_eq!(lines.last(), Some(&verdict.to_string().as_str()));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_verdict() {
    let flags = ["--windows", "8", "--seed", "7"];
    assert_eq!(played(&flags).await.0, played(&flags).await.0);
}

#[tokio::test]
async fn an_interrupted_demo_has_no_verdict() {
    let mut out = vec![];
    assert_eq!(run(&args(&["--windows", "10"]), &mut out, false, ready(())).await.unwrap(), None);
    assert!(!String::from_utf8(out).unwrap().contains("verdict"));
}

#[tokio::test]
async fn a_trace_is_played_in_place_of_the_workload() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.parquet");
    let rows = 0..1800u32;
    let trace = Trace {
        start: 1_793_600_000,
        length: 1800,
        seconds: rows.clone().collect(),
        nodes: rows.clone().map(|_| 0).collect(),
        buckets: rows.clone().map(|s| s % 12).collect(),
        requests: rows.clone().map(|s| 1 + s % 5).collect(),
        bytes_mean: rows.clone().map(|_| 100.0).collect(),
        errors: rows.clone().map(|s| s % 2).collect(),
        node_names: vec!["all".into()],
        bucket_names: (0..12).map(|b| format!("GET /{b}")).collect(),
    };
    trace.write(&file).unwrap();
    let (verdict, out) = played(&["--windows", "10", "--trace", file.to_str().unwrap()]).await;
    assert_eq!(verdict.adaptive.wanted, verdict.fixed.wanted);
    assert!((850..950).contains(&verdict.adaptive.wanted), "{verdict:?}");
    assert!(out.contains("4 nodes share"), "{out}");

    let missing = args(&["--trace", "no-such-file.parquet"]);
    let error = run(&missing, Vec::new(), false, pending()).await.unwrap_err();
    assert!(format!("{error:#}").contains("no-such-file.parquet"), "{error:#}");
}
