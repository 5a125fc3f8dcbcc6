//! Reading a journal back.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    JournalError, Position, Record,
    frame::{self, Parsed},
    segment,
};

/// A record and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where its frame starts.
    pub at: Position,
    /// Where its frame ends: reading from here goes on behind it.
    pub next: Position,
    /// The record.
    pub record: Record,
}

/// What a reader could not give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skipped {
    /// Damaged places, and frames of a kind that this version does not know.
    pub frames: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// Iterates over the records of a journal, also while it is being written. Reading never changes the journal and never
/// panics: damaged frames are counted and skipped, segments deleted meanwhile are passed over.
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
    waiting: VecDeque<u64>,
    current: Option<Loaded>,
    start: Position,
    skipped: Skipped,
}

#[derive(Debug)]
struct Loaded {
    number: u64,
    bytes: Vec<u8>,
    offset: usize,
}

impl Reader {
    /// A reader of all that the journal in `dir` still has.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, JournalError> {
        Self::read_from(dir, Position::default())
    }

    /// A reader of what stands at `position` and behind it.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn read_from(dir: impl Into<PathBuf>, position: Position) -> Result<Self, JournalError> {
        let dir = dir.into();
        let waiting: VecDeque<u64> = segment::list(&dir)?.into_iter().filter(|&n| n >= position.segment).collect();
        let start = match waiting.front() {
            Some(&first) if first > position.segment => Position { segment: first, offset: 0 },
            _ => position,
        };
        Ok(Self { dir, waiting, current: None, start, skipped: Skipped::default() })
    }

    /// Where reading begins: later than asked for when retention has deleted what stood there.
    pub fn start(&self) -> Position {
        self.start
    }

    /// What has been skipped so far. The unfinished last frame of a journal that is being written does not count.
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    fn load_next(&mut self) -> Option<Result<(), JournalError>> {
        loop {
            let number = self.waiting.pop_front()?;
            let offset = if number == self.start.segment { self.start.offset as usize } else { 0 };
            match load(&self.dir, number) {
                Ok(Some(bytes)) => {
                    self.current = Some(Loaded { number, bytes, offset });
                    return Some(Ok(()));
                }
                Ok(None) => {}
                Err(e) => return Some(Err(e)),
            }
        }
    }

    fn next_in_segment(&mut self) -> Option<Entry> {
        let Loaded { number, bytes, offset } = self.current.as_mut()?;
        while let Some(rest) = bytes.get(*offset..).filter(|r| !r.is_empty()) {
            let at = Position { segment: *number, offset: *offset as u64 };
            let length = match frame::parse(rest) {
                Parsed::Frame { kind, payload, length } => {
                    *offset += length;
                    if let Some(record) = Record::decode(kind, payload) {
                        return Some(Entry { at, next: Position { segment: *number, offset: *offset as u64 }, record });
                    }
                    length
                }
                Parsed::Incomplete | Parsed::Corrupt => {
                    let next = frame::find(bytes, *offset + 1);
                    if next.is_none() && self.waiting.is_empty() {
                        break;
                    }
                    let next = next.unwrap_or(bytes.len());
                    let length = next - *offset;
                    *offset = next;
                    length
                }
            };
            self.skipped.frames += 1;
            self.skipped.bytes += length as u64;
        }
        self.current = None;
        None
    }
}

impl Iterator for Reader {
    type Item = Result<Entry, JournalError>;

    /// The next record, or the error of a segment that cannot be read; the one behind it comes next.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.next_in_segment() {
                return Some(Ok(entry));
            }
            if let Err(e) = self.load_next()? {
                return Some(Err(e));
            }
        }
    }
}

fn load(dir: &Path, number: u64) -> Result<Option<Vec<u8>>, JournalError> {
    let path = segment::path(dir, number);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(JournalError::io("read", path)(e)),
    }
}
