//! The query that every kind of past goes through: one row per window, node and bucket, in that order.

use polars::prelude::*;

/// Counts that are added up.
const SUMS: [&str; 5] = ["requests", "throttled", "retries", "errors", "bytes"];

/// Adds up rows of the columns `window`, `node`, `bucket`, the counts (all u64), `peak`, `cpu` and `memory` to one row per
/// window, node and bucket, sorted. `peak` says what several peaks come to: the highest of the seconds of one instance, the
/// sum of several instances.
pub fn per_window(rows: LazyFrame, peak: Expr) -> LazyFrame {
    let most = ["cpu", "memory"].map(|c| col(c).max());
    let all = SUMS.map(|c| col(c).sum()).into_iter().chain(most).chain([peak.alias("peak")]);
    let by = ["window", "node", "bucket"];
    rows.group_by(by.map(col)).agg(all.collect::<Vec<_>>()).sort(by, SortMultipleOptions::default())
}

/// A column of whole numbers; a null is a zero.
pub(super) fn counts(frame: &DataFrame, name: &str) -> PolarsResult<Vec<u64>> {
    Ok(frame.column(name)?.cast(&DataType::UInt64)?.u64()?.iter().map(|v| v.unwrap_or(0)).collect())
}

/// A column of numbers that may be unknown.
pub(super) fn numbers(frame: &DataFrame, name: &str) -> PolarsResult<Vec<Option<f64>>> {
    Ok(frame.column(name)?.cast(&DataType::Float64)?.f64()?.iter().map(|v| v.filter(|x| x.is_finite())).collect())
}
