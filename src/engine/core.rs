//! What the engine's thread does, without the thread.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tidegate_journal::{Journal, JournalError, Position, Record};
use tidegate_planner::{Model, Plan};
use tidegate_wire::{Accepted, Timestamp};

use super::group::Group;
use crate::{
    ingest::Checked,
    state::{Recovered, State, encode_model},
};

/// State and journal, kept in step: what is in one is in the other.
pub struct Core {
    state: State,
    journal: Journal,
    /// Ticks and models that the journal could not take. They go before whatever it takes next, so their order is kept.
    owed: Vec<Record>,
}

impl Core {
    /// Goes on from what was recovered.
    pub fn new(recovered: Recovered) -> Self {
        Self { state: recovered.state, journal: recovered.journal, owed: vec![] }
    }

    /// The state as of now.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes in a group of bodies and returns an answer for each. They are durable by then.
    ///
    /// # Errors
    /// The journal could not be written; then nothing of the group has been taken in.
    pub fn ingest(&mut self, batches: impl IntoIterator<Item = Checked>) -> Result<Vec<Accepted>, JournalError> {
        let group = Group::new(batches, &self.state);
        if !group.records.is_empty() {
            self.write(&group.records)?;
        }
        group.fresh.iter().for_each(|r| self.state.observe(r));
        Ok(group.answers)
    }

    /// Closes the windows that have ended by `now` and returns the next plan. Works with a full disk too.
    pub fn tick(&mut self, now: Timestamp) -> Arc<Plan> {
        let epoch = self.state.planner.epoch() + 1;
        self.write_or_owe(Record::Tick { now, epoch });
        self.state.tick(now, epoch)
    }

    /// Uses `model` from the next tick on.
    pub fn set_model(&mut self, model: Option<Model>) {
        if self.state.planner.model() == model.as_ref() {
            return;
        }
        self.write_or_owe(Record::Model(encode_model(model.as_ref())));
        self.state.planner.set_model(model);
    }

    /// Sees to it that the next plan's epoch is above `epoch`.
    pub fn raise_epoch(&mut self, epoch: u64) {
        self.state.planner.raise_epoch(epoch);
    }

    /// Where in the journal the state stands; none while the journal lacks something that the state has.
    pub fn position(&self) -> Option<Position> {
        self.owed.is_empty().then(|| self.journal.position())
    }

    /// Seals the journal's segment, so that training reads what is in it.
    ///
    /// # Errors
    /// The next segment cannot be made.
    pub fn seal(&mut self) -> Result<(), JournalError> {
        self.journal.seal()
    }

    /// Says that the snapshots need the journal from `needed` on.
    pub fn retain_from(&mut self, needed: Position) {
        self.journal.retain_from(needed);
    }

    /// Deletes the segments that neither the snapshots nor the limits keep at `now`, and returns how many.
    ///
    /// # Errors
    /// A segment that cannot be deleted.
    pub fn retain(&mut self, now: Timestamp) -> Result<usize, JournalError> {
        let since_epoch = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(0));
        self.journal.retain(std::time::UNIX_EPOCH + since_epoch)
    }

    fn write(&mut self, records: &[Record]) -> Result<(), JournalError> {
        self.journal.append(self.owed.iter().chain(records))?;
        let (began, before) = (Instant::now(), self.journal.position());
        let after = self.journal.commit()?;
        metrics::histogram!("tidegate_journal_commit_seconds").record(began.elapsed());
        let written = if after.segment == before.segment { after.offset - before.offset } else { after.offset };
        metrics::counter!("tidegate_journal_bytes_total").increment(written);
        self.owed.clear();
        Ok(())
    }

    fn write_or_owe(&mut self, record: Record) {
        if let Err(error) = self.write(std::slice::from_ref(&record)) {
            tracing::error!(%error, "the journal lacks this; it is written once the disk allows it");
            metrics::counter!("tidegate_journal_errors_total").increment(1);
            self.owed.push(record);
        }
    }
}
