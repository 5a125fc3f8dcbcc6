//! What can be wrong with a trace file, each with its mend.

use std::path::PathBuf;

/// A trace file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be opened, created or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The file is not parquet, or is damaged.
    #[error("{path}: is not a readable parquet file ({source}); write it anew as parquet, compressed with zstd, snappy or not at all")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        source: parquet::errors::ParquetError,
    },
    /// A column is missing or of another type.
    #[error("{path}: column {column}: {found}; it must be {wanted}")]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
        /// What stands there instead.
        found: String,
        /// The type that can be read.
        wanted: &'static str,
    },
    /// A value cannot be used.
    #[error("{path}: column {column}, row {row}: {reason}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
        /// The row, from 0.
        row: usize,
        /// What is wrong and what would do.
        reason: String,
    },
    /// The file has no request at all.
    #[error("{path}: holds no request; a trace needs at least one row with requests above zero")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}
