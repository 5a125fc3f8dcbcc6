//! Names and order of segments, and places in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::JournalError;

/// A place in a journal, between two frames. Places are in the order in which records were appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// Number of the segment.
    pub segment: u64,
    /// Bytes from the segment's start.
    pub offset: u64,
}

/// File of a segment.
pub(crate) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("journal-{number:012}.seg"))
}

/// Numbers of the segments in `dir`, lowest first; other files are left alone.
pub(crate) fn list(dir: &Path) -> Result<Vec<u64>, JournalError> {
    let mut numbers = vec![];
    for entry in fs::read_dir(dir).map_err(JournalError::io("list", dir))? {
        let entry = entry.map_err(JournalError::io("list", dir))?;
        numbers.extend(entry.file_name().to_str().and_then(number));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes the creation and deletion of files in `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), JournalError> {
    fs::File::open(dir).and_then(|d| d.sync_all()).map_err(JournalError::io("sync", dir))
}

fn number(name: &str) -> Option<u64> {
    name.strip_prefix("journal-")?.strip_suffix(".seg")?.parse().ok()
}
