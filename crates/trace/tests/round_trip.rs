//! A trace reads back as it was written; a file that is not a trace is refused with its mend.

use std::{fs, path::PathBuf, sync::Arc};

use parquet::{
    data_type::{ByteArray, ByteArrayType, Int64Type},
    file::writer::SerializedFileWriter,
    schema::parser::parse_message_type,
};
use tidegate_trace::{Trace, TraceError};

fn sample() -> Trace {
    Trace {
        start: 1_700_000_000,
        length: 61,
        seconds: vec![0, 0, 60],
        nodes: vec![0, 1, 0],
        buckets: vec![0, 1, 0],
        requests: vec![3, u32::MAX, 1],
        bytes_mean: vec![10.5, 0.0, 7.0],
        errors: vec![1, 0, 0],
        node_names: vec!["a".into(), "b".into()],
        bucket_names: vec!["GET /x y".into(), "ü".into()],
    }
}

fn scratch(name: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    (dir, path)
}

#[test]
fn a_trace_reads_back_as_it_was_written() {
    let (_dir, path) = scratch("t.parquet");
    sample().write(&path).unwrap();
    assert_eq!(Trace::read(&path).unwrap(), sample());
}

#[test]
fn an_unknown_payload_reads_back_as_nan() {
    let (_dir, path) = scratch("t.parquet");
    let mut trace = sample();
    trace.bytes_mean[1] = f32::NAN;
    trace.write(&path).unwrap();
    let read = Trace::read(&path).unwrap();
    assert!(read.bytes_mean[1].is_nan());
    assert_eq!(read.bytes_mean[2], 7.0);
}

#[test]
fn rows_are_put_in_order_and_empty_ones_dropped() {
    let (_dir, path) = scratch("t.parquet");
    let mut trace = sample();
    trace.seconds = vec![60, 5, 0];
    trace.requests = vec![1, 0, 2];
    trace.errors = vec![0, 0, 9];
    trace.write(&path).unwrap();
    let read = Trace::read(&path).unwrap();
    assert_eq!((read.seconds, read.requests), (vec![0, 60], vec![2, 1]));
    assert_eq!(read.errors, [2, 0], "no more errors than requests");
}

#[test]
fn a_missing_file_is_named() {
    let (_dir, path) = scratch("nowhere.parquet");
    let error = Trace::read(&path).unwrap_err();
    assert!(matches!(error, TraceError::Io { .. }));
    assert!(error.to_string().contains("nowhere.parquet"), "{error}");
}

#[test]
fn a_file_that_is_not_parquet_is_named() {
    let (_dir, path) = scratch("t.parquet");
    fs::write(&path, "ts,bucket\n").unwrap();
    let error = Trace::read(&path).unwrap_err();
    assert!(matches!(error, TraceError::Parquet { .. }), "{error}");
}

#[test]
fn a_trace_without_requests_is_empty() {
    let (_dir, path) = scratch("t.parquet");
    let mut trace = sample();
    trace.requests = vec![0; 3];
    trace.write(&path).unwrap();
    assert!(matches!(Trace::read(&path).unwrap_err(), TraceError::Empty { .. }));
}

/// A file with one row and a schema of its own.
fn odd(schema: &str, integers: &[Option<i64>], strings: usize) -> (tempfile::TempDir, PathBuf) {
    let (dir, path) = scratch("odd.parquet");
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut file = SerializedFileWriter::new(fs::File::create(&path).unwrap(), schema, Default::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    for value in integers {
        let mut column = group.next_column().unwrap().unwrap();
        let values: Vec<i64> = value.iter().copied().collect();
        column.typed::<Int64Type>().write_batch(&values, Some(&[i16::from(value.is_some())]), None).unwrap();
        column.close().unwrap();
    }
    for _ in 0..strings {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&[ByteArray::from("x")], Some(&[1]), None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    file.close().unwrap();
    (dir, path)
}

#[test]
fn a_missing_column_is_named_with_its_type() {
    let (_dir, path) = odd("message t { optional int64 ts (TIMESTAMP(MILLIS, true)); optional binary bucket (UTF8); }", &[Some(0)], 1);
    let error = Trace::read(&path).unwrap_err().to_string();
    assert!(error.contains("column requests: is missing among ts, bucket; it must be an unsigned integer"), "{error}");
}

#[test]
fn a_column_of_another_type_is_named() {
    let (_dir, path) =
        odd("message t { optional int64 ts; optional int64 requests; optional binary bucket (UTF8); }", &[Some(0), Some(1)], 1);
    let error = Trace::read(&path).unwrap_err().to_string();
    assert!(error.contains("column ts: is INT64; it must be a timestamp in UTC"), "{error}");
}

#[test]
fn a_null_and_a_negative_count_are_refused_with_their_row() {
    let schema = "message t { optional int64 ts (TIMESTAMP(MICROS, true)); optional int64 requests; optional binary bucket (UTF8); }";
    for (requests, reason) in [(None, "is null"), (Some(-1), "-1 is not a count")] {
        let (_dir, path) = odd(schema, &[Some(0), requests], 1);
        let error = Trace::read(&path).unwrap_err().to_string();
        assert!(error.contains("column requests, row 0") && error.contains(reason), "{error}");
    }
}

#[test]
fn node_payload_and_errors_may_be_left_out() {
    let schema = "message t { optional int64 ts (TIMESTAMP(MICROS, true)); optional int64 requests; optional binary bucket (UTF8); }";
    let (_dir, path) = odd(schema, &[Some(7_000_001), Some(2)], 1);
    let trace = Trace::read(&path).unwrap();
    assert_eq!((trace.start, trace.length, trace.requests), (7, 1, vec![2]));
    assert_eq!(trace.node_names, ["all"]);
    assert!(trace.bytes_mean[0].is_nan());
}
