//! All that a restart must bring back: the planner, the reports that have come before, the current plan.
//!
//! [`State::apply`] takes in one journal record, live and in replay alike; [`snapshot`] files hold a whole state;
//! [`recover()`] makes it from the newest readable snapshot and the journal behind it.

mod recover;
pub mod snapshot;
mod writer;

use std::sync::Arc;

use tidegate_journal::Record;
use tidegate_planner::{Model, Plan, Planner};
use tidegate_wire::{Report, Timestamp};

use crate::ingest::dedupe::{Bounds, Index, Seen};

pub use recover::{RecoverError, Recovered, Recovery, recover};
pub(crate) use writer::Writer;

/// The service's memory. The same records in the same order make the same state.
pub struct State {
    /// Demand and rates.
    pub planner: Planner,
    /// Reports that have come before.
    pub dedupe: Index,
    bounds: Bounds,
    /// Plan of the last tick; none before the first.
    pub plan: Option<Arc<Plan>>,
}

impl State {
    /// The state before the first record.
    pub fn new(planner: Planner, bounds: Bounds) -> Self {
        Self { planner, dedupe: Index::default(), bounds, plan: None }
    }

    /// Takes in one record of the journal. Reports that have come before are left out.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Reports(_) => record.reports().iter().for_each(|r| self.observe(r)),
            Record::Tick { now, epoch } => {
                self.tick(*now, *epoch);
            }
            Record::Model(bytes) => self.planner.set_model(decode_model(bytes)),
        }
    }

    /// Takes in one report, unless it has come before.
    pub fn observe(&mut self, report: &Report) {
        if self.dedupe.seen(report) == Seen::Never {
            self.dedupe.insert(report, self.bounds);
            self.planner.observe(report);
        }
    }

    /// Makes the plan of `epoch`, or of a higher one if that has been reached.
    pub fn tick(&mut self, now: Timestamp, epoch: u64) -> Arc<Plan> {
        self.planner.raise_epoch(epoch.saturating_sub(1));
        let plan = Arc::new(self.planner.tick(now));
        self.plan = Some(Arc::clone(&plan));
        plan
    }
}

/// A model as the journal and snapshots keep it; empty for none.
pub fn encode_model(model: Option<&Model>) -> Vec<u8> {
    // A model is plain numbers and strings, which JSON always holds.
    model.map(|m| serde_json::to_vec(m).unwrap_or_default()).unwrap_or_default()
}

fn decode_model(bytes: &[u8]) -> Option<Model> {
    serde_json::from_slice(bytes).ok()
}
