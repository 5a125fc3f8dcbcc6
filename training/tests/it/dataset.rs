//! Past telemetry comes in whole, once, and a damaged journal costs no more than what is damaged.

use std::fs;

use polars::prelude::*;
use tempfile::tempdir;
use tidegate_train::dataset::{DatasetError, read_journal, read_trace};
use tidegate_wire::BucketCounts;

use crate::demand::{counts, journal, report, wandering};

#[test]
fn windows_add_up_instances_and_leave_out_duplicates() {
    let dir = tempdir().unwrap();
    let first = report(0, vec![counts("a", 3), counts("b", 1)]);
    let mut other_instance = report(0, vec![counts("a", 4)]);
    other_instance.instance = Some("j".into());
    other_instance.cpu = Some(0.9);
    let quiet = report(2, vec![]);
    journal(dir.path(), &[first.clone(), first.clone(), other_instance, quiet]);
    let source = read_journal(dir.path(), 30, &|| {}).unwrap();
    assert_eq!((source.windows, source.requests(), source.skipped), (3, 8, 0));
    let seen: Vec<_> = source.reports.iter().map(|r| (r.window, r.cpu, r.entries.len())).collect();
    assert_eq!(seen, [(0, Some(0.9), 2), (2, Some(0.4), 0)], "the window without a report stays without one");
    assert_eq!(source.report(&source.reports[0]).buckets[0].requests, 7);
}

#[test]
fn a_torn_tail_and_a_damaged_frame_are_left_out_and_counted() {
    let dir = tempdir().unwrap();
    journal(dir.path(), &wandering(50));
    let whole = read_journal(dir.path(), 30, &|| {}).unwrap();
    let segment = fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().path()).find(|p| p.extension().is_some_and(|e| e == "seg")).unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    bytes.extend_from_slice(b"torn");
    fs::write(&segment, &bytes).unwrap();
    let damaged = read_journal(dir.path(), 30, &|| {}).unwrap();
    assert_eq!(damaged.skipped, 1);
    assert_eq!(damaged.reports.len(), whole.reports.len() - 1);
}

#[test]
fn no_journal_and_an_empty_one_are_told_apart() {
    let dir = tempdir().unwrap();
    let missing = read_journal(&dir.path().join("nowhere"), 30, &|| {}).unwrap_err();
    assert!(matches!(missing, DatasetError::Journal { .. }) && missing.to_string().contains("nowhere"), "{missing}");
    journal(dir.path(), &[report(0, vec![])]);
    assert!(matches!(read_journal(dir.path(), 30, &|| {}), Err(DatasetError::Empty { .. })));
}

/// Writes a trace of these rows: second, node, bucket, requests, errors.
fn trace(path: &std::path::Path, rows: &[(i64, &str, &str, u32, u32)]) {
    let ts: Vec<i64> = rows.iter().map(|r| 1_000 * (60 + r.0)).collect();
    let ts = Series::new("ts".into(), ts).cast(&DataType::Datetime(TimeUnit::Milliseconds, None)).unwrap();
    let names = |f: fn(&(i64, &str, &str, u32, u32)) -> String| rows.iter().map(f).collect::<Vec<_>>();
    let mut frame = DataFrame::new(
        rows.len(),
        vec![
            ts.into(),
            Column::new("node".into(), names(|r| r.1.into())),
            Column::new("bucket".into(), names(|r| r.2.into())),
            Column::new("requests".into(), rows.iter().map(|r| r.3).collect::<Vec<_>>()),
            Column::new("errors".into(), rows.iter().map(|r| r.4).collect::<Vec<_>>()),
        ],
    )
    .unwrap();
    ParquetWriter::new(fs::File::create(path).unwrap()).finish(&mut frame).unwrap();
}

#[test]
fn a_trace_is_added_up_by_window_and_keeps_its_nodes() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    trace(&path, &[(0, "x", "a", 2, 1), (29, "x", "a", 5, 0), (30, "y", "a", 1, 0), (95, "x", "b", 9, 9)]);
    let source = read_trace(&path, 4).unwrap();
    assert_eq!((source.name.as_str(), source.nodes.len(), source.windows, source.first), ("t", 2, 4, 2));
    assert_eq!(source.reports.len(), 8, "every node reports every window, also when nothing is asked of it");
    let first = source.report(&source.reports[0]).buckets;
    assert_eq!(first, [BucketCounts { bucket: "a".into(), requests: 7, errors: 1, peak_per_s: Some(5.0), ..BucketCounts::default() }]);
}

#[test]
fn a_trace_of_one_node_is_spread_and_loses_nothing() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    trace(&path, &[(0, "x", "a", 1000, 10), (40, "x", "a", 200, 0)]);
    let source = read_trace(&path, 4).unwrap();
    assert_eq!((source.nodes.len(), source.requests()), (4, 1200));
    assert_eq!(source, read_trace(&path, 4).unwrap(), "and always in the same way");
}

#[test]
fn a_file_that_is_no_trace_says_why() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    fs::write(&path, "not parquet").unwrap();
    assert!(matches!(read_trace(&path, 4), Err(DatasetError::Polars { .. })));
    let mut frame = DataFrame::new(1, vec![Column::new("ts".into(), [1_i64])]).unwrap();
    ParquetWriter::new(fs::File::create(&path).unwrap()).finish(&mut frame).unwrap();
    let error = read_trace(&path, 4).unwrap_err().to_string();
    assert!(error.contains("t.parquet") && error.contains("ts is i64, not a time"), "{error}");
}
