//! Past telemetry, brought into windows by polars: who asked for how much, when and where.
//!
//! - [`source`]: the form that every kind of past takes: reports in order of time, as the engine would have got them.
//! - [`windows`]: the query that both kinds share: add up to one row per window, node and bucket, and bound their number.
//! - [`trace`]: request traces counted per second, in parquet.
//! - [`spread`]: over which nodes the requests of a trace with one node arrive.
//! - [`journal`]: the service's own journal of acknowledged reports.

pub mod journal;
pub mod source;
pub mod spread;
pub mod trace;
pub mod windows;

use std::path::PathBuf;

use polars::error::PolarsError;

pub use journal::read_journal;
pub use source::{Entry, NodeWindow, Source};
pub use trace::read_trace;

/// Why past telemetry cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// polars refused the file or the query on it.
    #[error("{} cannot be read", path.display())]
    Polars {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: PolarsError,
    },
    /// The file is no trace.
    #[error("{}: {reason}; a trace has the columns ts (time of the second), bucket (text) and requests (count)", path.display())]
    Trace {
        /// The file.
        path: PathBuf,
        /// What is missing or of another type.
        reason: String,
    },
    /// The journal cannot be opened.
    #[error("the journal in {}: {reason}; give the folder that `tidegate serve` has as its data directory", path.display())]
    Journal {
        /// Its folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is nothing in it.
    #[error("{}: no request is recorded in it", path.display())]
    Empty {
        /// The file or folder.
        path: PathBuf,
    },
}

impl DatasetError {
    fn polars(path: impl Into<PathBuf>) -> impl FnOnce(PolarsError) -> Self {
        let path = path.into();
        move |source| Self::Polars { path, source }
    }
}
