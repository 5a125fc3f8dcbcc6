//! What can go wrong with a journal.

use std::{io, path::PathBuf};

/// A journal operation that failed; what was committed before it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file or folder of the journal could not be used.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process has the journal open for writing.
    #[error("{path} is in use by another process; stop it, or choose another data folder", path = path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// A record is longer than a frame may be.
    #[error("a record of {bytes} bytes does not fit into a frame of at most {max}")]
    TooLong {
        /// Length of the record.
        bytes: usize,
        /// Longest payload of a frame.
        max: usize,
    },
}

impl JournalError {
    /// Wraps an I/O error with what was tried and on what.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
