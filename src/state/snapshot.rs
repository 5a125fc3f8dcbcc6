//! Snapshot files: a whole state and the place in the journal it stands for.
//!
//! A file is `TGSNAP` + version, length and CRC-32 of the body, then the body. It appears under its name only when it is
//! whole and durable, and the one before it stays, so that there is always a way back.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tidegate_journal::Position;

const MAGIC: [u8; 8] = *b"TGSNAP\x00\x01";
const HEADER: usize = MAGIC.len() + 8 + 4;

/// Snapshots that are kept.
pub const KEPT: usize = 2;

/// What a snapshot file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Segment of the journal position up to which records are in this state.
    pub segment: u64,
    /// Offset of that position.
    pub offset: u64,
    /// [`tidegate_planner::Planner::snapshot`].
    pub planner: Vec<u8>,
    /// The dedupe index.
    pub dedupe: Vec<u8>,
    /// The last plan, empty when there was none.
    pub plan: Vec<u8>,
    /// The model in use, see [`super::encode_model`].
    pub model: Vec<u8>,
}

/// A snapshot that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file system refused.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The file is damaged or of another version.
    #[error("{path} is not a snapshot of this version: {reason}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Snapshot {
    /// The place in the journal from which on records are not in this state.
    pub fn position(&self) -> Position {
        Position { segment: self.segment, offset: self.offset }
    }

    /// Writes the snapshot into `dir` and deletes all but the last [`KEPT`]. Returns the oldest place in the journal that
    /// a kept snapshot needs.
    ///
    /// # Errors
    /// The file cannot be written; older snapshots are as they were.
    pub fn write(&self, dir: &Path) -> Result<Position, SnapshotError> {
        fs::create_dir_all(dir).map_err(at("make", dir))?;
        let path = path(dir, self.position());
        let temporary = path.with_extension("tmp");
        let written = write_durably(&temporary, &self.encode()).and_then(|()| fs::rename(&temporary, &path));
        if let Err(e) = written.and_then(|()| File::open(dir)?.sync_all()) {
            // The error that matters is the first; a left-over temporary file is overwritten by the next snapshot.
            let _ = fs::remove_file(&temporary);
            return Err(at("write", &path)(e));
        }
        let mut kept = list(dir)?;
        let superseded = kept.split_off(kept.len().min(KEPT));
        for old in superseded {
            let old = self::path(dir, old);
            fs::remove_file(&old).map_err(at("delete", &old))?;
        }
        Ok(kept.last().copied().unwrap_or(self.position()))
    }

    /// Reads the snapshot of `position`.
    ///
    /// # Errors
    /// The file cannot be read, or is not whole.
    pub fn read(dir: &Path, position: Position) -> Result<Self, SnapshotError> {
        let path = path(dir, position);
        let bytes = fs::read(&path).map_err(at("read", &path))?;
        Self::decode(&bytes).map_err(|reason| SnapshotError::Damaged { path, reason })
    }

    fn encode(&self) -> Vec<u8> {
        // Vectors of bytes and integers always encode.
        let body = postcard::to_stdvec(self).unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or("it does not begin like one")?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or("it ends in its header")?;
        let (crc, body) = rest.split_first_chunk::<4>().ok_or("it ends in its header")?;
        if body.len() as u64 != u64::from_le_bytes(*length) {
            return Err(format!("it has {} bytes of {}", body.len(), u64::from_le_bytes(*length)));
        }
        if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
            return Err("its checksum is wrong".into());
        }
        postcard::from_bytes(body).map_err(|e| e.to_string())
    }
}

/// Positions of the snapshots in `dir`, newest first; none when there is no such folder.
///
/// # Errors
/// The folder cannot be listed.
pub fn list(dir: &Path) -> Result<Vec<Position>, SnapshotError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        Err(e) => return Err(at("list", dir)(e)),
    };
    let mut found = vec![];
    for entry in entries {
        let entry = entry.map_err(at("list", dir))?;
        found.extend(entry.file_name().to_str().and_then(position));
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

/// Gives the snapshot of `position` a name under which it is not found again.
///
/// # Errors
/// The file cannot be renamed.
pub fn set_aside(dir: &Path, position: Position) -> Result<(), SnapshotError> {
    let path = path(dir, position);
    fs::rename(&path, path.with_extension("unusable")).map_err(at("rename", &path))
}

fn path(dir: &Path, position: Position) -> PathBuf {
    dir.join(format!("snapshot-{:012}-{:012}.bin", position.segment, position.offset))
}

fn position(name: &str) -> Option<Position> {
    let (segment, offset) = name.strip_prefix("snapshot-")?.strip_suffix(".bin")?.split_once('-')?;
    Some(Position { segment: segment.parse().ok()?, offset: offset.parse().ok()? })
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn at(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> SnapshotError {
    let path = path.into();
    move |source| SnapshotError::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(offset: u64) -> Snapshot {
        Snapshot { segment: 3, offset, planner: vec![1, 2, 3], dedupe: vec![4], plan: vec![], model: vec![5; 100] }
    }

    #[test]
    fn the_last_two_are_kept_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let oldest_needed: Vec<u64> = [10, 20, 30].map(|o| snapshot(o).write(dir.path()).unwrap().offset).into();
        assert_eq!(oldest_needed, [10, 10, 20]);
        let kept = list(dir.path()).unwrap();
        assert_eq!(kept.iter().map(|p| p.offset).collect::<Vec<_>>(), [30, 20]);
        assert_eq!(Snapshot::read(dir.path(), kept[1]).unwrap(), snapshot(20));
    }

    #[test]
    fn a_damaged_file_is_refused_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let position = snapshot(10).position();
        snapshot(10).write(dir.path()).unwrap();
        let file = path(dir.path(), position);
        let whole = fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut bad = whole.clone();
            bad[at] ^= 0x10;
            fs::write(&file, &bad).unwrap();
            let error = Snapshot::read(dir.path(), position).unwrap_err().to_string();
            assert!(error.contains("snapshot-000000000003-000000000010.bin"), "byte {at}: {error}");
            fs::write(&file, &whole[..at]).unwrap();
            assert!(Snapshot::read(dir.path(), position).is_err(), "cut at {at}");
        }
    }
}
