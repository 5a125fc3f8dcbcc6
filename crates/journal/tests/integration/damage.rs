//! Bytes that changed on the disk.

use std::fs;

use proptest::prelude::*;
use tidegate_journal::{Reader, Record};

use super::{SMALL, reports, segments, tick, write};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_changed_byte_costs_one_record(lengths in proptest::collection::vec(1usize..120, 2..20), place in any::<prop::sample::Index>(), change in 1u8..) {
        let dir = tempfile::tempdir().unwrap();
        let all: Vec<Record> = lengths.iter().enumerate().map(|(i, &bytes)| reports(i as u64, bytes)).collect();
        let groups: Vec<&[Record]> = all.chunks(1).collect();
        drop(write(dir.path(), SMALL, &groups));
        let file = segments(dir.path())[0].clone();
        let in_last_segment = segments(dir.path()).len() == 1;
        let ends: Vec<usize> = Reader::open(dir.path()).unwrap().map(Result::unwrap).filter(|e| e.at.segment == 1).map(|e| e.next.offset as usize).collect();

        let mut bytes = fs::read(&file).unwrap();
        let at = place.index(bytes.len());
        bytes[at] ^= change;
        fs::write(&file, bytes).unwrap();
        let lost = ends.iter().position(|&end| at < end).unwrap();

        let mut reader = Reader::open(dir.path()).unwrap();
        let found: Vec<Record> = reader.by_ref().map(|e| e.unwrap().record).collect();
        let expected: Vec<Record> = all.iter().enumerate().filter(|(i, _)| *i != lost).map(|(_, r)| r.clone()).collect();
        prop_assert_eq!(found, expected);
        let torn_tail = in_last_segment && lost + 1 == ends.len();
        prop_assert_eq!(reader.skipped().frames, u64::from(!torn_tail));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let dir = tempfile::tempdir().unwrap();
        drop(write(dir.path(), SMALL, &[&[tick(1)]]));
        fs::write(dir.path().join("journal-000000000002.seg"), bytes).unwrap();
        prop_assert_eq!(Reader::open(dir.path()).unwrap().next().unwrap().unwrap().record, tick(1));
        Reader::open(dir.path()).unwrap().for_each(drop);
    }
}
