//! Writing a journal.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::{
    JournalError, Limits, Position, Record,
    frame::{self, Parsed},
    segment,
};

/// The torn tail that [`Journal::open`] cut off: a group that was being written when the process died, never acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Where the journal now ends.
    pub at: Position,
    /// Bytes that were cut off.
    pub bytes: u64,
}

/// The one writer of a journal.
///
/// [`Journal::append`] collects records in memory and [`Journal::commit`] makes the whole group durable at once, or none of it.
#[derive(Debug)]
pub struct Journal {
    pub(crate) dir: PathBuf,
    pub(crate) limits: Limits,
    pub(crate) keep_from: Position,
    file: File,
    end: Position,
    group: Vec<u8>,
    /// Bytes of a failed group may stand behind `end` in the file.
    dirty: bool,
    /// Holds the folder for this process as long as the journal is open.
    _lock: File,
}

impl Journal {
    /// Opens the journal in `dir`, which is made when it does not exist, and goes on behind its last whole frame.
    /// A torn tail is cut off and returned.
    ///
    /// # Errors
    /// The folder is in use by another process, or a file cannot be made, read or truncated.
    pub fn open(dir: impl Into<PathBuf>, limits: Limits) -> Result<(Self, Option<Cut>), JournalError> {
        let dir = dir.into();
        fs::create_dir_all(&dir).map_err(JournalError::io("make", &dir))?;
        let lock = lock(&dir)?;
        let number = segment::list(&dir)?.last().copied().unwrap_or(1);
        let path = segment::path(&dir, number);
        let mut file = open_file(&path, OpenOptions::new().create(true).truncate(false))?;
        segment::sync_dir(&dir)?;
        let bytes = fs::read(&path).map_err(JournalError::io("read", &path))?;
        let offset = end_of_frames(&bytes) as u64;
        let end = Position { segment: number, offset };
        let torn = bytes.len() as u64 - offset;
        if torn > 0 {
            file.set_len(offset).and_then(|()| file.sync_data()).map_err(JournalError::io("truncate", &path))?;
        }
        file.seek(SeekFrom::Start(offset)).map_err(JournalError::io("seek in", &path))?;
        let journal = Self { dir, limits, keep_from: Position::default(), file, end, group: vec![], dirty: false, _lock: lock };
        Ok((journal, (torn > 0).then_some(Cut { at: end, bytes: torn })))
    }

    /// Adds records to the group that the next [`Journal::commit`] writes.
    ///
    /// # Errors
    /// A record that is too long for a frame; then none of `records` is in the group.
    pub fn append<'a>(&mut self, records: impl IntoIterator<Item = &'a Record>) -> Result<(), JournalError> {
        let before = self.group.len();
        let added = records.into_iter().try_for_each(|r| r.encode(&mut self.group));
        if added.is_err() {
            self.group.truncate(before);
        }
        added
    }

    /// Writes the group and waits until it is durable. Returns where the journal then ends.
    ///
    /// # Errors
    /// The disk is full or failing. The whole group is then forgotten and the file is as it was before; later groups can
    /// be committed once the disk allows it.
    pub fn commit(&mut self) -> Result<Position, JournalError> {
        let group = std::mem::take(&mut self.group);
        if group.is_empty() {
            return Ok(self.end);
        }
        let written = self.write(&group);
        if written.is_err() {
            self.dirty = self.roll_back().is_err();
        }
        self.group = group;
        self.group.clear();
        written.map(|()| self.end)
    }

    /// Seals the segment being written, unless it is empty, so that the next group begins a new one.
    ///
    /// # Errors
    /// The next segment cannot be made; the journal goes on with this one.
    pub fn seal(&mut self) -> Result<(), JournalError> {
        if self.end.offset == 0 || self.dirty { Ok(()) } else { self.rotate() }
    }

    /// Where the journal ends: behind the last record that is durable.
    pub fn position(&self) -> Position {
        self.end
    }

    /// The folder it is in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn write(&mut self, group: &[u8]) -> Result<(), JournalError> {
        if self.dirty {
            self.roll_back()?;
            self.dirty = false;
        }
        if self.end.offset > 0 && self.end.offset + group.len() as u64 > self.limits.segment_bytes {
            self.rotate()?;
        }
        let path = segment::path(&self.dir, self.end.segment);
        self.file.write_all(group).map_err(JournalError::io("write to", &path))?;
        self.file.sync_data().map_err(JournalError::io("sync", &path))?;
        self.end.offset += group.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), JournalError> {
        let end = Position { segment: self.end.segment + 1, offset: 0 };
        let path = segment::path(&self.dir, end.segment);
        let file = open_file(&path, OpenOptions::new().create(true).truncate(true))?;
        segment::sync_dir(&self.dir)?;
        (self.file, self.end) = (file, end);
        Ok(())
    }

    fn roll_back(&mut self) -> Result<(), JournalError> {
        let path = segment::path(&self.dir, self.end.segment);
        self.file.set_len(self.end.offset).map_err(JournalError::io("truncate", &path))?;
        self.file.seek(SeekFrom::Start(self.end.offset)).map_err(JournalError::io("seek in", &path))?;
        Ok(())
    }
}

fn open_file(path: &Path, how: &mut OpenOptions) -> Result<File, JournalError> {
    how.read(true).write(true).open(path).map_err(JournalError::io("open", path))
}

fn lock(dir: &Path) -> Result<File, JournalError> {
    let path = dir.join("lock");
    let file = open_file(&path, OpenOptions::new().create(true).truncate(false))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse { path }),
        Err(TryLockError::Error(e)) => Err(JournalError::io("lock", path)(e)),
    }
}

/// Where the last whole frame ends. Damage before a whole frame is not a tail, so nothing behind it is given up.
fn end_of_frames(bytes: &[u8]) -> usize {
    let mut end = 0;
    let mut at = Some(0);
    while let Some(start) = at {
        at = match frame::parse(&bytes[start..]) {
            Parsed::Frame { length, .. } => {
                end = start + length;
                Some(end)
            }
            _ => frame::find(bytes, start + 1),
        };
    }
    end
}
