//! A journal as its users meet it: written, cut, damaged, full, read back.

mod damage;
mod full_disk;
mod retention;
mod torn_tail;

use std::path::Path;

use tidegate_journal::{Journal, Limits, Reader, Record};
use tidegate_wire::{Timestamp, proto};

/// Limits under which a segment holds a few small records.
const SMALL: Limits = Limits { segment_bytes: 200, retain_age: std::time::Duration::MAX, retain_bytes: u64::MAX };

fn tick(epoch: u64) -> Record {
    Record::Tick { now: Timestamp::from_secs(epoch as i64 * 30), epoch }
}

/// A batch of one report whose node id is `bytes` long.
fn reports(sequence: u64, bytes: usize) -> Record {
    let report = proto::Report { node: "n".repeat(bytes), sequence, ..Default::default() };
    Record::Reports(prost::Message::encode_to_vec(&proto::Telemetry { version: None, reports: vec![report] }))
}

fn write(dir: &Path, limits: Limits, groups: &[&[Record]]) -> Journal {
    let (mut journal, cut) = Journal::open(dir, limits).unwrap();
    assert_eq!(cut, None);
    for group in groups {
        journal.append(*group).unwrap();
        journal.commit().unwrap();
    }
    journal
}

fn read(dir: &Path) -> Vec<Record> {
    Reader::open(dir).unwrap().map(|e| e.unwrap().record).collect()
}

fn segments(dir: &Path) -> Vec<std::path::PathBuf> {
    let paths = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let mut segments: Vec<_> = paths.filter(|p| p.extension().is_some_and(|e| e == "seg")).collect();
    segments.sort();
    segments
}

#[test]
fn what_is_committed_is_read_back_in_order_from_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let all = [reports(1, 5), tick(1), reports(2, 60), Record::Model(b"{}".to_vec()), reports(3, 90), tick(2)];
    drop(write(dir.path(), SMALL, &[&all[..3], &all[3..5], &all[5..]]));
    assert!(segments(dir.path()).len() > 1, "segments rotate");
    assert_eq!(read(dir.path()), all);
    assert_eq!(all[2].reports()[0].node.len(), 60);

    let entries: Vec<_> = Reader::open(dir.path()).unwrap().map(Result::unwrap).collect();
    for (i, entry) in entries.iter().enumerate() {
        let rest: Vec<_> = Reader::read_from(dir.path(), entry.at).unwrap().map(|e| e.unwrap().record).collect();
        assert_eq!(rest, all[i..], "from {:?}", entry.at);
    }
}

#[test]
fn what_is_not_committed_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = write(dir.path(), SMALL, &[&[tick(1)]]);
    journal.append(&[tick(2)]).unwrap();
    assert_eq!(read(dir.path()), [tick(1)]);
    drop(journal);
    assert_eq!(read(dir.path()), [tick(1)]);
}

#[test]
fn a_record_too_long_for_a_frame_takes_nothing_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = write(dir.path(), SMALL, &[&[tick(1)]]);
    let error = journal.append(&[tick(2), Record::Reports(vec![0; (64 << 20) + 1])]).unwrap_err().to_string();
    assert!(error.contains("67108865 bytes"), "{error}");
    journal.append(&[tick(3)]).unwrap();
    journal.commit().unwrap();
    assert_eq!(read(dir.path()), [tick(1), tick(3)]);
}

#[test]
fn a_reader_follows_a_journal_that_is_being_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = write(dir.path(), SMALL, &[&[tick(1)]]);
    let seen = Reader::open(dir.path()).unwrap().last().unwrap().unwrap().next;
    journal.append(&[tick(2)]).unwrap();
    journal.seal().unwrap();
    journal.commit().unwrap();
    let news: Vec<_> = Reader::read_from(dir.path(), seen).unwrap().map(|e| e.unwrap().record).collect();
    assert_eq!(news, [tick(2)]);
}

#[test]
fn a_folder_has_one_writer() {
    let dir = tempfile::tempdir().unwrap();
    let first = write(dir.path(), SMALL, &[]);
    let error = Journal::open(dir.path(), SMALL).unwrap_err().to_string();
    assert!(error.contains("in use by another process"), "{error}");
    drop(first);
    assert!(Journal::open(dir.path(), SMALL).is_ok());
}
