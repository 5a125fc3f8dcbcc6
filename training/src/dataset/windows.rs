//! The query that every kind of past goes through: one row per window, node and bucket, in that order.

use polars::prelude::*;

/// Counts that are added up.
const SUMS: [&str; 5] = ["requests", "throttled", "retries", "errors", "bytes"];

/// Adds up rows of the columns `window`, `node`, `bucket`, the counts (all u64), `peak`, `cpu` and `memory` to one row per
/// window, node and bucket, sorted.
pub fn per_window(rows: LazyFrame) -> LazyFrame {
    let sums = SUMS.map(|c| col(c).sum());
    let most = ["peak", "cpu", "memory"].map(|c| col(c).max());
    let by = ["window", "node", "bucket"];
    rows.group_by(by.map(col)).agg([sums.to_vec(), most.to_vec()].concat()).sort(by, SortMultipleOptions::default())
}

/// A column of whole numbers; a null is a zero.
pub(super) fn counts(frame: &DataFrame, name: &str) -> PolarsResult<Vec<u64>> {
    Ok(frame.column(name)?.cast(&DataType::UInt64)?.u64()?.iter().map(|v| v.unwrap_or(0)).collect())
}

/// A column of numbers that may be unknown.
pub(super) fn numbers(frame: &DataFrame, name: &str) -> PolarsResult<Vec<Option<f64>>> {
    Ok(frame.column(name)?.cast(&DataType::Float64)?.f64()?.iter().map(|v| v.filter(|x| x.is_finite())).collect())
}
