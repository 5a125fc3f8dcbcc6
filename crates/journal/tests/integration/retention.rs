//! What goes when a journal grows old or large.

use std::time::{Duration, SystemTime};

use tidegate_journal::{Journal, Limits, Position};

use super::{SMALL, read, reports, segments, write};

const NEEDED_FROM: Position = Position { segment: 3, offset: 0 };

/// A journal of one record a segment.
fn five_segments(dir: &std::path::Path, limits: Limits) -> Journal {
    let all: Vec<_> = (1..=5).map(|i| reports(i, 150)).collect();
    write(dir, limits, &all.chunks(1).collect::<Vec<_>>())
}

#[test]
fn nothing_goes_before_it_is_said_what_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = five_segments(dir.path(), Limits { retain_bytes: 1, retain_age: Duration::ZERO, ..SMALL });
    assert_eq!(journal.retain(SystemTime::now() + Duration::from_secs(60)).unwrap(), 0);
    assert_eq!(segments(dir.path()).len(), 5);
}

#[test]
fn size_takes_the_oldest_down_to_what_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = five_segments(dir.path(), Limits { retain_bytes: 700, ..SMALL });
    journal.retain_from(NEEDED_FROM);
    assert_eq!(journal.retain(SystemTime::UNIX_EPOCH).unwrap(), 1, "four segments fit");
    assert_eq!(read(dir.path())[0].reports()[0].sequence, 2);

    let mut journal = {
        drop(journal);
        Journal::open(dir.path(), Limits { retain_bytes: 1, ..SMALL }).unwrap().0
    };
    journal.retain_from(NEEDED_FROM);
    assert_eq!(journal.retain(SystemTime::UNIX_EPOCH).unwrap(), 1, "segment 3 is needed");
    assert_eq!(read(dir.path())[0].reports()[0].sequence, 3);
}

#[test]
fn age_takes_what_is_old_and_never_the_segment_being_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = five_segments(dir.path(), Limits { retain_age: Duration::from_secs(3600), ..SMALL });
    journal.retain_from(Position { segment: 9, offset: 0 });
    assert_eq!(journal.retain(SystemTime::now()).unwrap(), 0, "young");
    assert_eq!(journal.retain(SystemTime::now() + Duration::from_secs(7200)).unwrap(), 4);
    assert_eq!(read(dir.path())[0].reports()[0].sequence, 5);
    assert_eq!(journal.retain(SystemTime::now() + Duration::from_secs(7200)).unwrap(), 0);
}
