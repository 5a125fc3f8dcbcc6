//! How large a journal may become and what goes first.

use std::{
    fs, io,
    time::{Duration, SystemTime},
};

use crate::{Journal, JournalError, Position, segment};

/// Bounds of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size from which a segment is sealed and the next begun, in bytes.
    pub segment_bytes: u64,
    /// Age from which a sealed segment may be deleted, counted from its last record.
    pub retain_age: Duration,
    /// Size of the whole journal from which its oldest sealed segments may be deleted, in bytes.
    pub retain_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, retain_age: Duration::from_secs(30 * 86_400), retain_bytes: 10 << 30 }
    }
}

impl Journal {
    /// Says that everything from `position` on is still needed, so that [`Journal::retain`] keeps it whatever the limits say.
    /// Until the first call everything is needed.
    pub fn retain_from(&mut self, position: Position) {
        self.keep_from = position;
    }

    /// Deletes the oldest sealed segments that are too old at `now` or too many, down to the first that is still needed.
    /// Returns how many were deleted.
    ///
    /// # Errors
    /// A segment that cannot be looked at or deleted; older ones are gone by then.
    pub fn retain(&mut self, now: SystemTime) -> Result<usize, JournalError> {
        let numbers = segment::list(&self.dir)?;
        let mut sizes = Vec::with_capacity(numbers.len());
        for &number in &numbers {
            let path = segment::path(&self.dir, number);
            let file = fs::metadata(&path).map_err(JournalError::io("look at", path))?;
            sizes.push((number, file.len(), file.modified().unwrap_or(now)));
        }
        let mut total: u64 = sizes.iter().map(|s| s.1).sum();
        let mut deleted = 0;
        for (number, bytes, modified) in sizes {
            let old = now.duration_since(modified).is_ok_and(|age| age > self.limits.retain_age);
            let needed = number >= self.keep_from.segment.min(self.position().segment);
            if needed || !(old || total > self.limits.retain_bytes) {
                break;
            }
            remove(&self.dir, number)?;
            total -= bytes;
            deleted += 1;
        }
        if deleted > 0 {
            segment::sync_dir(&self.dir)?;
        }
        Ok(deleted)
    }
}

fn remove(dir: &std::path::Path, number: u64) -> Result<(), JournalError> {
    let path = segment::path(dir, number);
    match fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(JournalError::io("delete", path)(e)),
        _ => Ok(()),
    }
}
