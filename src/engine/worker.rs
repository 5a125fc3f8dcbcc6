//! What the engine does with a command, and the housekeeping that comes with ticks.

use std::{ops::ControlFlow, time::Instant};

use tidegate_journal::Position;
use tidegate_wire::{Accepted, Timestamp};

use super::{
    Core, EngineError,
    command::{Batch, Command, Reply},
};
use crate::state::{Writer, snapshot::SnapshotError};

/// Ticks from one snapshot to the next: what a restart replays at most.
const SNAPSHOT_TICKS: u32 = 20;

/// State, journal and snapshots, and when each needs what.
pub(super) struct Worker {
    core: Core,
    writer: Writer,
    segment_age_s: u64,
    ticks: u32,
    now: Timestamp,
    /// When a segment was last sealed for its age; none before the first tick.
    sealed: Option<Timestamp>,
}

impl Worker {
    pub(super) fn new(core: Core, writer: Writer, segment_age_s: u64) -> Self {
        Self { core, writer, segment_age_s, ticks: 0, now: Timestamp::default(), sealed: None }
    }

    /// Makes a group of batches durable with one commit and answers them all.
    pub(super) fn ingest(&mut self, group: Vec<Batch>) {
        if group.is_empty() {
            return;
        }
        metrics::histogram!("tidegate_ingest_group_batches").record(group.len() as f64);
        let (bodies, replies): (Vec<_>, Vec<_>) = group.into_iter().map(|b| (b.checked, (b.reply, b.room))).unzip();
        // A sender that has gone needs no answer; its reports are durable all the same.
        match self.core.ingest(bodies) {
            Ok(answers) => replies.into_iter().zip(answers).for_each(|((reply, _), answer)| {
                count(&answer);
                let _ = reply.send(Ok(answer));
            }),
            Err(error) => {
                tracing::error!(%error, batches = replies.len(), "telemetry refused");
                metrics::counter!("tidegate_journal_errors_total").increment(1);
                replies.into_iter().for_each(|(reply, _)| drop(reply.send(Err(EngineError::Journal))));
            }
        }
    }

    /// Carries out anything else; breaks with who waits for the end when it was the last.
    pub(super) fn carry_out(&mut self, command: Command) -> ControlFlow<Reply<()>> {
        match command {
            Command::Ingest(batch) => self.ingest(vec![batch]),
            Command::Query(question) => question(&self.core.state().planner),
            Command::Tick(now, reply) => {
                let began = Instant::now();
                let plan = self.core.tick(now);
                metrics::histogram!("tidegate_tick_seconds").record(began.elapsed());
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

    /// Writes a snapshot and waits for it.
    pub(super) fn last_snapshot(&mut self) {
        self.snapshot();
        if let Some(written) = self.writer.wait() {
            self.snapshot_written(written);
        }
    }

    /// Deletes what is no longer needed. It is tried after a failed snapshot too: the disk may be full.
    fn snapshot_written(&mut self, written: Result<Position, SnapshotError>) {
        match written {
            Ok(needed) => self.core.retain_from(needed),
            Err(error) => report(&error, "no snapshot; the next one makes up for it"),
        }
        match self.core.retain(self.now) {
            Ok(deleted) => tracing::debug!(deleted, "old segments of the journal deleted"),
            Err(error) => report(&error, "old segments of the journal stay until the next snapshot"),
        }
    }
}

fn report(error: &dyn std::error::Error, consequence: &str) {
    tracing::error!(%error, "{consequence}");
    metrics::counter!("tidegate_snapshot_errors_total").increment(1);
}

fn count(answer: &Accepted) {
    metrics::counter!("tidegate_reports_accepted_total").increment(answer.accepted as u64);
    metrics::counter!("tidegate_reports_duplicate_total").increment(answer.duplicates as u64);
    for rejected in &answer.rejected {
        let kind = rejected.problem.kind.rsplit('/').next().unwrap_or_default().to_owned();
        metrics::counter!("tidegate_reports_rejected_total", "problem" => kind).increment(1);
    }
}
