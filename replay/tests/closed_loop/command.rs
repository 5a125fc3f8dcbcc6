//! The command line on good and on bad input.

use std::{
    io,
    path::Path,
    process::{Command, Stdio},
};

use tidegate_trace::Trace;

use crate::traffic;

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn run(args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_tidegate-replay")).args(args).output().unwrap();
    Ran { code: output.status.code(), stdout: String::from_utf8(output.stdout).unwrap(), stderr: String::from_utf8(output.stderr).unwrap() }
}

fn written(dir: &Path, name: &str, trace: &Trace) -> String {
    let path = dir.join(name);
    trace.write(&path).unwrap();
    path.display().to_string()
}

#[test]
fn a_comparison_is_written_in_the_form_of_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let trace = written(dir.path(), "busy.parquet", &traffic::busy());
    let json = dir.path().join("out.json").display().to_string();
    let html = dir.path().join("out.html").display().to_string();
    let ran = run(&["compare", "--trace", &trace, "--contenders", "static-pool,central", "--json", &json, "--html", &html]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(std::fs::read_to_string(&html).unwrap().contains("<svg"));
    assert!(ran.stdout.contains("| busy | 4 | 1.5 | 30 s |"), "{}", ran.stdout);
    let value: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(value["trace"], "busy");
    assert_eq!(value["delay_s"], 30);
    let names: Vec<&str> = value["contenders"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["static-pool", "central"]);
    for key in ["throttled_share", "overload_share", "leased_per_served", "refused_within_share", "regret"] {
        assert!(value["contenders"][0][key].is_f64(), "{key}");
    }
}

#[test]
fn who_reads_no_further_has_the_files_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let trace = written(dir.path(), "busy.parquet", &traffic::busy());
    let json = dir.path().join("out.json");
    let (unread, written) = io::pipe().unwrap();
    drop(unread);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate-replay"));
    command.args(["compare", "--trace", &trace, "--contenders", "static-pool", "--json"]).arg(&json);
    let output = command.stdout(Stdio::from(written)).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(json.exists());
}

#[test]
fn several_comparisons_are_a_list() {
    let dir = tempfile::tempdir().unwrap();
    let trace = written(dir.path(), "busy.parquet", &traffic::busy());
    let json = dir.path().join("out.json").display().to_string();
    run(&["compare", "--trace", &trace, "--contenders", "static-pool", "--capacity", "1.5,3", "--delay", "0,60", "--json", &json]);
    let value: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let cases: Vec<(f64, u64)> =
        value.as_array().unwrap().iter().map(|c| (c["capacity_x_mean"].as_f64().unwrap(), c["delay_s"].as_u64().unwrap())).collect();
    assert_eq!(cases, [(1.5, 0), (1.5, 60), (3.0, 0), (3.0, 60)]);
}

#[test]
fn a_trace_that_cannot_be_compared_is_named_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    for (name, trace, reason) in [
        ("one-window.parquet", traffic::trace(&[(0, 0, 1), (29, 0, 1)]), "one-window: 1 window(s) of 30 s are too few"),
        ("zero.parquet", traffic::trace(&[(0, 0, 0), (299, 0, 0)]), "holds no request"),
        ("ends-silent.parquet", traffic::trace(&[(0, 0, 5), (299, 1, 1)]), "no request in windows 5 to 10"),
    ] {
        let path = written(dir.path(), name, &trace);
        let ran = run(&["compare", "--trace", &path, "--buckets", "1"]);
        assert_eq!(ran.code, Some(2));
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
    }
    let ran = run(&["compare", "--trace", "nowhere.parquet"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("nowhere.parquet"), "{}", ran.stderr);
}

#[test]
fn a_bench_reads_a_folder_writes_its_scores_and_goes_on_over_bad_traces() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), "busy.parquet", &traffic::busy());
    written(dir.path(), "short.parquet", &traffic::trace(&[(0, 0, 1)]));
    let out = dir.path().join("out").display().to_string();
    let ran = run(&["bench", "--traces", &dir.path().display().to_string(), "--quick", "--model", "none", "--out", &out]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("| target | met | missed |"), "{}", ran.stdout);
    assert!(ran.stdout.contains("- short: 1 window(s) of 30 s are too few"), "{}", ran.stdout);
    assert!(ran.stderr.contains("case 1 of 2"), "{}", ran.stderr);
    let value: serde_json::Value = serde_json::from_slice(&std::fs::read(dir.path().join("out/bench.json")).unwrap()).unwrap();
    let cases: Vec<(f64, u64)> = value["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["capacity_x_mean"].as_f64().unwrap(), c["delay_s"].as_u64().unwrap()))
        .collect();
    assert_eq!(cases, [(1.5, 0), (1.5, 30), (3.0, 0), (3.0, 30)]);
    assert_eq!(std::fs::read_to_string(dir.path().join("out/bench.md")).unwrap(), ran.stdout);
    let empty = run(&["bench", "--traces", &out]);
    assert!(empty.code == Some(2) && empty.stderr.contains("--traces: no file that ends in .parquet"), "{}", empty.stderr);
}

#[test]
fn an_option_out_of_range_is_named() {
    for (option, value) in [("--capacity", "-1"), ("--fit", "1"), ("--nodes", "0"), ("--burst-seconds", "nan"), ("--delay", "999999")] {
        let ran = run(&["compare", "--trace", "nowhere.parquet", &format!("{option}={value}")]);
        assert_eq!(ran.code, Some(2));
        assert!(ran.stderr.contains(option), "{}", ran.stderr);
    }
}

#[test]
fn a_thin_trace_is_said_to_be_thin() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path(), "thin.parquet", &traffic::trace(&[(0, 0, 1), (599, 0, 1)]));
    let ran = run(&["compare", "--trace", &path, "--contenders", "central"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("only 10 windows of 30 s are scored"), "{}", ran.stderr);
    assert!(ran.stderr.contains("a token or two decide"), "{}", ran.stderr);
}

#[test]
fn forecasts_and_what_came_are_written_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let trace = written(dir.path(), "busy.parquet", &traffic::busy());
    let short = written(dir.path(), "short.parquet", &traffic::trace(&[(0, 0, 1)]));
    let out = dir.path().join("out");
    let ran = run(&["forecast", "--trace", &trace, &short, "--out", &out.display().to_string(), "--series", "5", "--origins", "3"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("| busy | "), "{}", ran.stdout);
    assert!(ran.stderr.contains("short is not scored"), "{}", ran.stderr);
    let read = |what: &str| std::fs::read_to_string(out.join(format!("busy.{what}.csv"))).unwrap();
    let forecasts: Vec<Vec<f64>> = read("forecasts").lines().skip(1).map(numbers).collect();
    assert_eq!(forecasts.len(), 5 * 3 * 4);
    for row in &forecasts {
        let (mean, quantiles) = (row[3], &row[4..7]);
        assert!(mean > 0.0 && quantiles.is_sorted() && quantiles.iter().all(|q| q.fract() == 0.0), "{row:?}");
    }
    // 1,700,000,007 is in the window that starts at second 1,700,000,000 rounded down to 30.
    let series = read("series");
    assert!(series.starts_with("# 1699999980,20,40\nseries,kind,window,requests\n"), "{}", &series[..60]);
    let last = forecasts.last().unwrap();
    let came = series.lines().find(|l| l.starts_with(&format!("{},", last[0])) && l.contains(&format!(",{},", last[1] + last[2])));
    assert_eq!(came.map_or(0.0, |line| line.rsplit(',').next().unwrap().parse().unwrap()), last[10]);
}

fn numbers(line: &str) -> Vec<f64> {
    line.split(',').map(|cell| cell.parse().unwrap()).collect()
}
