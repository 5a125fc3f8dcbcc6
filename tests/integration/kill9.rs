//! `kill -9` in the middle of ingest, on the real program.

use std::{
    sync::mpsc,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use tidegate_wire::{Accepted, BucketCounts, Report, Telemetry, Timestamp};

use crate::{connection::Connection, server::Server};

const SENDERS: usize = 4;
/// Acknowledged reports after which the program is killed.
const ENOUGH: usize = 150;

/// A report of one second that has just ended.
fn report(sender: usize, sequence: u64) -> Report {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let counts = BucketCounts { bucket: "key:1".into(), requests: sequence, ..BucketCounts::default() };
    Report {
        node: format!("n{sender}"),
        // Few enough numbers per instance for its window to hold them all.
        instance: Some(format!("i{}", sequence / 500)),
        sequence,
        epoch: None,
        staleness_ms: None,
        start: Timestamp::from_secs(now_s - 1),
        seconds: 1,
        cpu: None,
        memory: None,
        buckets: vec![counts],
    }
}

fn post(connection: &mut Connection, reports: Vec<Report>) -> std::io::Result<Accepted> {
    let body = serde_json::to_vec(&Telemetry { version: Some(1), reports }).unwrap();
    let (status, answer) = connection.send("POST", "/v1/telemetry", "application/json", &body)?;
    assert_eq!(status, 202, "{}", String::from_utf8_lossy(&answer));
    Ok(serde_json::from_slice(&answer).unwrap())
}

/// Sends until the program is gone and returns what it has acknowledged.
fn send(server: &Server, sender: usize, from: u64, acks: mpsc::Sender<()>) -> thread::JoinHandle<Vec<Report>> {
    let mut connection = server.connect();
    thread::spawn(move || {
        let mut acknowledged = vec![];
        for sequence in from.. {
            let report = report(sender, sequence);
            let Ok(answer) = post(&mut connection, vec![report.clone()]) else { break };
            assert_eq!(answer.accepted, 1, "{answer:?}");
            acknowledged.push(report);
            // Once there are enough, nobody counts on.
            let _ = acks.send(());
        }
        acknowledged
    })
}

/// Waits until the program has made a plan of an epoch above `epoch`.
fn await_epoch_above(server: &Server, epoch: u64) -> u64 {
    let mut connection = server.connect();
    loop {
        let (status, text) = connection.send("GET", "/metrics", "text/plain", b"").unwrap();
        assert_eq!(status, 200);
        let text = String::from_utf8(text).unwrap();
        let now = text.lines().find_map(|l| l.strip_prefix("tidegate_epoch ")).map_or(0, |e| e.parse().unwrap());
        if now > epoch {
            return now;
        }
        thread::yield_now();
    }
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there_after_it_and_epochs_rise() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = vec![];
    let mut epoch = 0;
    let mut server = Server::start(dir.path());
    for life in 0..3 {
        let (acks, counted) = mpsc::channel();
        let senders: Vec<_> = (0..SENDERS).map(|s| send(&server, s, life * 100_000, acks.clone())).collect();
        epoch = await_epoch_above(&server, epoch);
        assert_eq!(counted.iter().take(ENOUGH).count(), ENOUGH);
        server.kill();
        acknowledged.extend(senders.into_iter().flat_map(|s| s.join().unwrap()));

        server = Server::start(dir.path());
        let mut connection = server.connect();
        for again in acknowledged.chunks(200) {
            let answer = post(&mut connection, again.to_vec()).unwrap();
            assert_eq!((answer.accepted, answer.duplicates, answer.rejected.len()), (0, again.len(), 0));
        }
    }
    assert!(await_epoch_above(&server, epoch) > epoch);
    assert!(acknowledged.len() >= 3 * ENOUGH);
}
