//! Request traces counted per second, read from parquet into columns.
//!
//! A trace file has one row per second, node and bucket in which something was requested:
//!
//! | column | type | meaning |
//! |---|---|---|
//! | `ts` | timestamp, UTC | start of the second |
//! | `node` | string, optional column | where the requests arrived; `all` when the column is left out |
//! | `bucket` | string | what a token bucket would be for |
//! | `requests` | unsigned integer | requests in that second |
//! | `bytes_mean` | float, nullable, optional column | mean payload of those requests |
//! | `errors` | unsigned integer, nullable, optional column | how many of those requests failed |
//!
//! [`Trace::read`] reads it, [`Trace::busiest`] and [`Trace::span`] cut it down, [`Trace::write`] writes it.

mod column;
mod error;
mod read;
mod select;
mod write;

pub use error::TraceError;

/// A trace in columns: row `i` is entry `i` of each of the six, and rows are in order of time, node and bucket.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trace {
    /// Second 0 of the trace, in seconds since the Unix epoch.
    pub start: i64,
    /// Seconds that the trace covers, from `start` to the end of its last row.
    pub length: u32,
    /// Second of the row, from `start`.
    pub seconds: Vec<u32>,
    /// Node of the row, an index into `node_names`.
    pub nodes: Vec<u32>,
    /// Bucket of the row, an index into `bucket_names`.
    pub buckets: Vec<u32>,
    /// Requests of the row.
    pub requests: Vec<u32>,
    /// Mean payload of the row's requests; NaN where it is unknown.
    pub bytes_mean: Vec<f32>,
    /// Of `requests`, how many failed; 0 where it is unknown.
    pub errors: Vec<u32>,
    /// Names of the nodes, in order of first appearance.
    pub node_names: Vec<String>,
    /// Names of the buckets, in order of first appearance.
    pub bucket_names: Vec<String>,
}

impl Trace {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.seconds.len()
    }

    /// Requests of all rows together.
    pub fn total_requests(&self) -> u64 {
        self.requests.iter().map(|&r| u64::from(r)).sum()
    }

    /// Requests of each bucket, in the order of `bucket_names`.
    pub fn requests_by_bucket(&self) -> Vec<u64> {
        let mut totals = vec![0; self.bucket_names.len()];
        for (&bucket, &requests) in self.buckets.iter().zip(&self.requests) {
            totals[bucket as usize] += u64::from(requests);
        }
        totals
    }
}
