//! Recovery at start.

use std::{path::Path, sync::Arc};

use tidegate_journal::{Cut, Journal, JournalError, Position, Reader, Skipped};
use tidegate_planner::{Plan, Planner};

use super::{
    State, decode_model,
    snapshot::{self, Snapshot, SnapshotError},
};
use crate::engine::Options;

/// What stops a start.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The journal cannot be opened or read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The snapshots cannot be listed.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The engine's thread cannot be started.
    #[error("the engine's thread cannot be started: {0}")]
    Thread(std::io::Error),
}

/// A recovered service.
pub struct Recovered {
    /// What it remembers.
    pub state: State,
    /// Where it goes on writing.
    pub journal: Journal,
    /// How it was recovered.
    pub recovery: Recovery,
}

/// How a state was recovered, for the log.
#[derive(Debug, Default)]
pub struct Recovery {
    /// Position of the snapshot that was used; none after a replay of the whole journal.
    pub snapshot: Option<Position>,
    /// Newer snapshots that could not be used, and why.
    pub unusable: Vec<String>,
    /// Records replayed.
    pub replayed: u64,
    /// Damaged frames that were left out.
    pub skipped: Skipped,
    /// Torn tail that was cut off the journal.
    pub cut: Option<Cut>,
    /// Whether records between the snapshot and the first replayed one have been deleted.
    pub gap: bool,
}

impl Recovery {
    /// Logs how it went, and as warnings what was lost or had to be worked around.
    pub(crate) fn log(&self) {
        tracing::info!(snapshot = ?self.snapshot, replayed = self.replayed, "recovered");
        for reason in &self.unusable {
            tracing::warn!(reason, "a snapshot cannot be used; an older one or the journal serves instead");
        }
        if let Some(cut) = self.cut {
            tracing::warn!(at = ?cut.at, bytes = cut.bytes, "the journal ended in a torn group, never acknowledged; it was cut off");
        }
        if self.skipped.frames > 0 {
            tracing::error!(frames = self.skipped.frames, bytes = self.skipped.bytes, "damaged records of the journal were left out");
        }
        if self.gap {
            tracing::warn!("older segments of the journal have been deleted, so the state lacks what was in them");
        }
    }
}

/// Makes the state that the newest readable snapshot and the journal's records behind it describe.
/// `planner` is empty, without a model, and brings the settings.
///
/// # Errors
/// A file that cannot be read at all. Damage is no error: it is worked around and said in [`Recovery`].
pub fn recover(options: &Options, planner: Planner) -> Result<Recovered, RecoverError> {
    let snapshots = Options::snapshot_dir(&options.data_dir);
    let (mut journal, cut) = Journal::open(Options::journal_dir(&options.data_dir), options.journal)?;
    let mut recovery = Recovery { cut, ..Recovery::default() };
    let mut state = State::new(planner, options.dedupe);
    let mut kept = vec![];
    for position in snapshot::list(&snapshots)? {
        if recovery.snapshot.is_none()
            && let Err(reason) = restore(&mut state, &snapshots, position)
        {
            // Out of the way, so that it does not pass for one of the two that are kept.
            snapshot::set_aside(&snapshots, position)?;
            recovery.unusable.push(reason);
            continue;
        }
        recovery.snapshot.get_or_insert(position);
        kept.push(position);
    }
    let from = recovery.snapshot.unwrap_or_default();
    let mut reader = Reader::read_from(journal.dir(), from)?;
    recovery.gap = reader.start() > from && reader.start().segment > 1;
    for entry in &mut reader {
        state.apply(&entry?.record);
        recovery.replayed += 1;
    }
    recovery.skipped = reader.skipped();
    journal.retain_from(kept.last().copied().unwrap_or_default());
    Ok(Recovered { state, journal, recovery })
}

/// Replaces `state` by a snapshot, or leaves it as it was.
fn restore(state: &mut State, dir: &Path, position: Position) -> Result<(), String> {
    let snapshot = Snapshot::read(dir, position).map_err(|e| e.to_string())?;
    let unusable = |what: &str, e: &dyn std::fmt::Display| format!("snapshot at {position:?}: {what}: {e}");
    let dedupe = postcard::from_bytes(&snapshot.dedupe).map_err(|e| unusable("dedupe index", &e))?;
    let plan = match snapshot.plan.as_slice() {
        [] => None,
        bytes => Some(Arc::new(serde_json::from_slice(bytes).map_err(|e| unusable("plan", &e))?)),
    };
    state.planner.restore(&snapshot.planner).map_err(|e| unusable("planner", &e))?;
    state.planner.raise_epoch(plan.as_ref().map_or(0, |p: &Arc<Plan>| p.epoch));
    state.planner.set_model(decode_model(&snapshot.model));
    (state.dedupe, state.plan) = (dedupe, plan);
    Ok(())
}
