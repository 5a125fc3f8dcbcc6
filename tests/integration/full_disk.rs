//! A disk with no room left, played by the kernel with a bound on the size of a file.

use std::{env, process::Command};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tidegate::engine::EngineError;
use tidegate_wire::Report;

use crate::reports::{START, WINDOW_S, body, options, report, start};

const NAME: &str = "full_disk::telemetry_is_refused_and_ticks_go_on_until_there_is_room";

/// The bound would end the process with a signal if the shell had not told it to ignore that.
#[test]
fn telemetry_is_refused_and_ticks_go_on_until_there_is_room() {
    if env::var_os("WITH_BOUND").is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        return runtime.block_on(with_bound());
    }
    let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
    let this = env::current_exe().unwrap();
    let ended =
        Command::new("sh").args(["-c", script]).arg(this).args([NAME, "--exact", "--nocapture"]).env("WITH_BOUND", "1").output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

async fn with_bound() {
    let dir = tempfile::tempdir().unwrap();
    let options = tidegate::engine::Options { journal: Default::default(), ..options(dir.path()) };
    let running = start(&options);
    let engine = &running.engine;
    let unbounded = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(5_000), ..unbounded }).unwrap();

    let mut acknowledged: Vec<Report> = vec![];
    let refused = loop {
        let next = report("fra", acknowledged.len() as u64, START, &[("a", 5)]);
        match engine.ingest(body(vec![next.clone()])).await {
            Ok(_) => acknowledged.push(next),
            Err(error) => break (next, error),
        }
    };
    assert_eq!(refused.1, EngineError::Journal);
    assert!(acknowledged.len() > 10);
    // A tick's frame may still fit where the reports did not, so enough of them are made to be sure that one is owed.
    for k in 1..=5 {
        assert_eq!(engine.tick(START.plus_secs(WINDOW_S * k)).await.unwrap().epoch, k as u64);
    }

    setrlimit(Resource::Fsize, unbounded).unwrap();
    let answer = engine.ingest(body(vec![refused.0.clone()])).await.unwrap();
    assert_eq!((answer.accepted, answer.duplicates), (1, 0), "a refused report was not taken in");
    acknowledged.push(refused.0);
    let next = engine.tick(START.plus_secs(WINDOW_S * 6)).await.unwrap();

    let copy = tempfile::tempdir().unwrap();
    crate::recovery::copy(dir.path(), copy.path());
    let again = start(&tidegate::engine::Options { data_dir: copy.path().into(), ..options });
    assert_eq!(again.plan.unwrap(), next, "the ticks that the disk refused are in the journal in their order");
    let answer = again.engine.ingest(body(acknowledged.clone())).await.unwrap();
    assert_eq!((answer.accepted, answer.duplicates), (0, acknowledged.len()));
}
