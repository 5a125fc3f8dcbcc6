//! The thread itself: drains the queue, groups what can be grouped, keeps house.

use std::{mem, ops::ControlFlow, sync::Arc, thread};

use tidegate_journal::Position;
use tidegate_planner::{Plan, Planner};
use tidegate_wire::{Accepted, Timestamp};
use tokio::sync::mpsc;

use super::{
    Core, Engine, EngineError, Options,
    command::{Batch, Command, Reply},
};
use crate::state::{self, RecoverError, Recovery, Writer, snapshot::SnapshotError};

/// Batches that share one `fdatasync` at most, so that the first does not wait for ever.
const GROUP_MAX: usize = 1024;

/// Ticks from one snapshot to the next: what a restart replays at most.
const SNAPSHOT_TICKS: u32 = 20;

/// A running engine.
#[derive(Debug)]
pub struct Running {
    /// The handle.
    pub engine: Engine,
    /// How its state was recovered.
    pub recovery: Recovery,
    /// The plan that was in force when the service last stopped.
    pub plan: Option<Arc<Plan>>,
    /// Ends when the engine has stopped.
    pub thread: thread::JoinHandle<()>,
}

/// Recovers the state and starts the thread. `planner` is empty and brings the settings, and the model to use if it is not the
/// one that was in force when the service last stopped.
///
/// # Errors
/// The state cannot be recovered: a file that cannot be read, or a folder that is in use.
pub fn start(options: &Options, mut planner: Planner) -> Result<Running, RecoverError> {
    // Replay begins without a model, as the first run did: every model that came after is a record of the journal.
    let model = planner.model().cloned();
    planner.set_model(None);
    let mut recovered = state::recover(options, planner)?;
    let recovery = mem::take(&mut recovered.recovery);
    recovery.log();
    let mut core = Core::new(recovered);
    if model.is_some() {
        core.set_model(model);
    }
    core.raise_epoch(options.fence);
    let writer = Writer::new(Options::snapshot_dir(&options.data_dir));
    let plan = core.state().plan.clone();
    let (sender, commands) = mpsc::channel(options.queue.max(1));
    let worker = Worker { core, writer, segment_age_s: options.segment_age_s, ticks: 0, now: Timestamp::default(), sealed: None };
    let thread = thread::Builder::new().name("engine".into()).spawn(move || run(worker, commands)).map_err(RecoverError::Thread)?;
    Ok(Running { engine: Engine::new(sender), recovery, plan, thread })
}

fn run(mut worker: Worker, mut commands: mpsc::Receiver<Command>) {
    while let Some(first) = commands.blocking_recv() {
        let mut group = vec![];
        let mut waiting = Some(first);
        while let Some(command) = waiting {
            match command {
                Command::Ingest(batch) => group.push(batch),
                other => {
                    worker.ingest(mem::take(&mut group));
                    if let ControlFlow::Break(reply) = worker.carry_out(other) {
                        // Who waits may start another engine on the same data at once.
                        drop(worker);
                        drop(reply.send(Ok(())));
                        return;
                    }
                }
            }
            waiting = if group.len() < GROUP_MAX { commands.try_recv().ok() } else { None };
        }
        worker.ingest(group);
    }
    worker.last_snapshot();
}

struct Worker {
    core: Core,
    writer: Writer,
    segment_age_s: u64,
    ticks: u32,
    now: Timestamp,
    /// When a segment was last sealed for its age; none before the first tick.
    sealed: Option<Timestamp>,
}

impl Worker {
    fn ingest(&mut self, group: Vec<Batch>) {
        if group.is_empty() {
            return;
        }
        metrics::histogram!("tidegate_ingest_group_batches").record(group.len() as f64);
        let (bodies, replies): (Vec<_>, Vec<_>) = group.into_iter().map(|b| (b.checked, b.reply)).unzip();
        // A sender that has gone needs no answer; its reports are durable all the same.
        match self.core.ingest(bodies) {
            Ok(answers) => replies.into_iter().zip(answers).for_each(|(reply, answer)| {
                count(&answer);
                let _ = reply.send(Ok(answer));
            }),
            Err(error) => {
                tracing::error!(%error, batches = replies.len(), "telemetry refused");
                metrics::counter!("tidegate_journal_errors_total").increment(1);
                let error = EngineError::Journal(error.to_string());
                replies.into_iter().for_each(|reply| drop(reply.send(Err(error.clone()))));
            }
        }
    }

    fn carry_out(&mut self, command: Command) -> ControlFlow<Reply<()>> {
        match command {
            Command::Ingest(batch) => self.ingest(vec![batch]),
            Command::Query(question) => question(&self.core.state().planner),
            Command::Tick(now, reply) => {
                let plan = self.core.tick(now);
                drop(reply.send(Ok(plan)));
                self.after_tick(now);
            }
            Command::SetModel(model, reply) => {
                self.core.set_model(model);
                drop(reply.send(Ok(())));
            }
            Command::Snapshot(reply) => {
                self.snapshot();
                drop(reply.send(Ok(())));
            }
            Command::Stop(reply) => {
                self.last_snapshot();
                return ControlFlow::Break(reply);
            }
        }
        ControlFlow::Continue(())
    }

    fn after_tick(&mut self, now: Timestamp) {
        self.now = now;
        self.ticks += 1;
        if let Some(written) = self.writer.finished() {
            self.snapshot_written(written);
        }
        self.seal_by_age();
        if self.ticks >= SNAPSHOT_TICKS && !self.writer.is_busy() {
            self.snapshot();
        }
    }

    fn seal_by_age(&mut self) {
        let since = *self.sealed.get_or_insert(self.now);
        if self.now.secs_since(since) < self.segment_age_s as f64 {
            return;
        }
        match self.core.seal() {
            Ok(()) => self.sealed = Some(self.now),
            Err(error) => tracing::error!(%error, "the segment is not sealed; the next tick tries again"),
        }
    }

    fn snapshot(&mut self) {
        let Some(position) = self.core.position() else { return };
        self.ticks = 0;
        if let Some(written) = self.writer.start(self.core.state(), position) {
            self.snapshot_written(written);
        }
    }

    fn last_snapshot(&mut self) {
        self.snapshot();
        if let Some(written) = self.writer.wait() {
            self.snapshot_written(written);
        }
    }

    fn snapshot_written(&mut self, written: Result<Position, SnapshotError>) {
        let kept = written.map_err(|e| e.to_string()).and_then(|needed| self.core.retain(needed, self.now).map_err(|e| e.to_string()));
        match kept {
            Ok(deleted) => tracing::debug!(deleted, "snapshot written, old segments deleted"),
            Err(error) => {
                tracing::error!(error, "snapshot or retention failed; the next one makes up for it");
                metrics::counter!("tidegate_snapshot_errors_total").increment(1);
            }
        }
    }
}

fn count(answer: &Accepted) {
    metrics::counter!("tidegate_reports_accepted_total").increment(answer.accepted as u64);
    metrics::counter!("tidegate_reports_duplicate_total").increment(answer.duplicates as u64);
    for rejected in &answer.rejected {
        let kind = rejected.problem.kind.rsplit('/').next().unwrap_or_default().to_owned();
        metrics::counter!("tidegate_reports_rejected_total", "problem" => kind).increment(1);
    }
}
