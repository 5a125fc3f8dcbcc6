//! A disk with no room left. The kernel plays it with a bound on the size of a file: a write goes through in part and the
//! next one fails, just as when the disk is full.

use std::{env, fs, process::Command};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tidegate_journal::{Limits, Record};

use super::{read, reports, segments, tick, write};

const NAME: &str = "full_disk::a_full_disk_costs_only_what_was_not_acknowledged";

/// The bound would end the process with a signal if the shell had not told it to ignore that.
#[test]
fn a_full_disk_costs_only_what_was_not_acknowledged() {
    if env::var_os("WITH_BOUND").is_some() {
        return with_bound();
    }
    let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
    let this = env::current_exe().unwrap();
    let ended =
        Command::new("sh").args(["-c", script]).arg(this).args([NAME, "--exact", "--nocapture"]).env("WITH_BOUND", "1").output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

fn with_bound() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = write(dir.path(), Limits::default(), &[&[tick(1)]]);
    let mut acknowledged = vec![tick(1)];
    let unbounded = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(10_000), ..unbounded }).unwrap();
    let error = loop {
        let group = [reports(acknowledged.len() as u64, 700), reports(0, 800)];
        journal.append(&group).unwrap();
        match journal.commit() {
            Ok(_) => acknowledged.extend(group),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("cannot write to"), "{error}");
    assert!(acknowledged.len() > 5);
    check(dir.path(), &acknowledged, journal.position().offset);

    // What still fits is taken, and so is everything once there is room again.
    for (record, limit) in [(tick(2), Some(10_000)), (reports(9, 5_000), unbounded.current)] {
        setrlimit(Resource::Fsize, Rlimit { current: limit, ..unbounded }).unwrap();
        journal.append(std::slice::from_ref(&record)).unwrap();
        journal.commit().unwrap();
        acknowledged.push(record);
        check(dir.path(), &acknowledged, journal.position().offset);
    }
}

fn check(dir: &std::path::Path, acknowledged: &[Record], end: u64) {
    assert_eq!(fs::metadata(&segments(dir)[0]).unwrap().len(), end, "the part of a frame is gone");
    assert_eq!(read(dir), acknowledged);
}
