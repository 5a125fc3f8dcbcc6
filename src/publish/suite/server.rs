//! A real server as a child process, ended with the test.

use std::{
    io::{self, BufRead, BufReader, PipeReader},
    process::{Child, Command},
    sync::Arc,
};

use tidegate_planner::Plan;

use super::{
    harness::{Harness, until},
    publishing::{Run, settings},
};
use crate::publish::{
    read::read_table,
    store::RateStore,
    testing::{edit, plan},
};

/// A server that is ready.
pub(super) struct Running {
    child: Child,
    // Held open: the server's log has somewhere to go.
    _log: BufReader<PipeReader>,
}

impl Running {
    /// Runs `command` until it says `ready`; returns it with what it has said by then. What it said where it ended instead is the
    /// error. `mend` says how to come by the program.
    pub fn start(mut command: Command, ready: &str, mend: &str) -> Result<(Self, String), String> {
        let (log, writer) = io::pipe().unwrap();
        let child = command.stdout(writer.try_clone().unwrap()).stderr(writer).spawn();
        let mut child = child.unwrap_or_else(|e| panic!("{:?} cannot be started ({e}): {mend}", command.get_program()));
        // It holds the pipe's other end, and would keep it open.
        drop(command);
        let mut log = BufReader::new(log);
        let mut seen = String::new();
        while !seen.contains(ready) {
            if log.read_line(&mut seen).unwrap() == 0 {
                child.wait().unwrap();
                return Err(seen);
            }
        }
        Ok((Self { child, _log: log }, seen))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when the server has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A store with a server of our own behind it.
pub(super) trait Server: Harness {
    /// Kills the server as a crash would.
    fn kill(&self);
    /// Starts it again on the same port, with what it had on disk.
    fn run_again(&self);
}

/// Once the server is back, a plan brings what it missed. Returns the publisher, and that plan.
pub(super) async fn what_was_missed_is_written_later(server: &impl Server, store: &Arc<dyn RateStore>) -> (Run, Plan) {
    let run = Run::start(&[store], &settings());
    run.send(plan(1, &["a", "b"]));
    assert_eq!(run.status(0, 1).await.written, 2);
    server.kill();
    let mut moved = plan(2, &["a", "b"]);
    edit(&mut moved, "b").pool.capacity = 1.0;
    run.send(moved.clone());
    let status = run.status(0, 2).await;
    assert_eq!((status.written, status.skipped, status.failed), (0, 1, 1), "{status:?}");
    server.run_again();
    until("an answer", || async { store.highest_epoch().await.is_ok() }).await;
    moved.epoch = 3;
    run.send(moved.clone());
    let status = run.status(0, 3).await;
    assert_eq!((status.written, status.skipped, status.failed), (1, 1, 0), "{status:?}");
    assert_eq!(read_table(&**store, "b").await.unwrap().unwrap().pool.capacity, 1.0);
    (run, moved)
}
