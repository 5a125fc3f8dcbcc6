//! Snapshots written beside the engine, not in its way.

use std::{path::PathBuf, sync::Arc, thread};

use tidegate_journal::Position;
use tidegate_planner::Plan;

use super::{
    State, encode_model,
    snapshot::{Snapshot, SnapshotError},
};

type Written = Result<Position, SnapshotError>;

/// Writes one snapshot at a time on a thread of its own.
#[derive(Debug)]
pub(crate) struct Writer {
    dir: PathBuf,
    running: Option<thread::JoinHandle<Written>>,
}

impl Writer {
    /// A writer of snapshots into `dir`.
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, running: None }
    }

    /// Whether the last snapshot is still being written.
    pub(crate) fn is_busy(&self) -> bool {
        self.running.as_ref().is_some_and(|r| !r.is_finished())
    }

    /// Copies `state` as of `position` and begins to write it. A snapshot still being written is waited for first.
    /// Returns how that one ended.
    pub(crate) fn start(&mut self, state: &State, position: Position) -> Option<Written> {
        let before = self.wait();
        let image = Image::of(state, position);
        let dir = self.dir.clone();
        let task = move || image.encode().write(&dir);
        match thread::Builder::new().name("snapshot".into()).spawn(task) {
            Ok(running) => self.running = Some(running),
            Err(error) => tracing::error!(%error, "no snapshot: a thread cannot be started"),
        }
        before
    }

    /// How the last snapshot ended, once it has; nothing while it is being written or when it has been asked for already.
    pub(crate) fn finished(&mut self) -> Option<Written> {
        if self.is_busy() { None } else { self.wait() }
    }

    /// Waits for the snapshot being written and returns the oldest place in the journal that the kept ones need.
    pub(crate) fn wait(&mut self) -> Option<Written> {
        // A panic of the writer has been reported by the panic hook; the next snapshot tries again.
        self.running.take()?.join().ok()
    }
}

/// What must be copied while the engine stands still; the rest of the encoding can wait.
struct Image {
    position: Position,
    planner: Vec<u8>,
    dedupe: Vec<u8>,
    plan: Option<Arc<Plan>>,
    model: Vec<u8>,
}

impl Image {
    fn of(state: &State, position: Position) -> Self {
        Self {
            position,
            planner: state.planner.snapshot(),
            // Maps of strings and integers always encode.
            dedupe: postcard::to_stdvec(&state.dedupe).unwrap_or_default(),
            plan: state.plan.clone(),
            model: encode_model(state.planner.model()),
        }
    }

    fn encode(self) -> Snapshot {
        let Position { segment, offset } = self.position;
        // A plan is numbers, strings and maps, which JSON holds; the planner lets no other numbers out.
        let plan = self.plan.and_then(|p| serde_json::to_vec(&*p).ok()).unwrap_or_default();
        Snapshot { segment, offset, planner: self.planner, dedupe: self.dedupe, plan, model: self.model }
    }
}
