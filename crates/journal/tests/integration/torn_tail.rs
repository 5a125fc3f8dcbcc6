//! A process that died while it wrote.

use std::fs;

use tidegate_journal::{Cut, Journal, Limits, Position};

use super::{read, reports, segments, tick, write};

#[test]
fn a_tail_torn_at_any_byte_is_cut_and_writing_goes_on() {
    let whole = tempfile::tempdir().unwrap();
    let all = [tick(1), reports(1, 10), reports(2, 10)];
    let end = write(whole.path(), Limits::default(), &[&all]).position().offset;
    let bytes = fs::read(&segments(whole.path())[0]).unwrap();
    assert_eq!(bytes.len() as u64, end);
    let starts: Vec<u64> = tidegate_journal::Reader::open(whole.path()).unwrap().map(|e| e.unwrap().at.offset).collect();

    for cut_at in 0..bytes.len() as u64 {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("journal-000000000001.seg"), &bytes[..cut_at as usize]).unwrap();
        let kept = starts.iter().filter(|&&s| s <= cut_at).count().saturating_sub(1);
        let offset = starts[kept];
        let (mut journal, cut) = Journal::open(dir.path(), Limits::default()).unwrap();
        let torn = Cut { at: Position { segment: 1, offset }, bytes: cut_at - offset };
        assert_eq!(cut, (torn.bytes > 0).then_some(torn), "cut at {cut_at}");
        journal.append(&[tick(9)]).unwrap();
        journal.commit().unwrap();
        let expected: Vec<_> = all[..kept].iter().cloned().chain([tick(9)]).collect();
        assert_eq!(read(dir.path()), expected, "cut at {cut_at}");
    }
}

#[test]
fn a_tail_of_zeros_is_cut_and_damage_before_whole_frames_is_not() {
    let dir = tempfile::tempdir().unwrap();
    drop(write(dir.path(), Limits::default(), &[&[tick(1), tick(2)]]));
    let file = &segments(dir.path())[0];
    let mut bytes = fs::read(file).unwrap();
    let end = bytes.len() as u64;
    bytes[3] ^= 1;
    bytes.extend([0; 4096]);
    fs::write(file, bytes).unwrap();
    let (journal, cut) = Journal::open(dir.path(), Limits::default()).unwrap();
    assert_eq!(cut, Some(Cut { at: Position { segment: 1, offset: end }, bytes: 4096 }));
    drop(journal);
    assert_eq!(read(dir.path()), [tick(2)], "the frame behind the damage stays");
}
