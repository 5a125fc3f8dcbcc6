//! The planner itself: state, model and settings behind `observe` and `tick`.

use std::collections::BTreeMap;

use tidegate_wire::{Report, Timestamp};

use crate::{Explanation, Model, Plan, Recommendation, Settings, SettingsError, Summary};

/// Snapshot bytes that cannot be restored.
#[derive(Debug, thiserror::Error)]
#[error("snapshot cannot be restored: {0}")]
pub struct RestoreError(pub String);

/// Demand state of all nodes and the plan made from it.
pub struct Planner {
    settings: Settings,
    model: Option<Model>,
    epoch: u64,
}

impl Planner {
    /// An empty planner.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn new(settings: Settings, model: Option<Model>) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self { settings, model, epoch: 0 })
    }

    /// The settings it was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes in a report that is valid and not a duplicate. Order within a window does not matter.
    pub fn observe(&mut self, _report: &Report) {}

    /// Closes all windows that end at or before `now`, forecasts, allocates and returns the plan of the next epoch.
    pub fn tick(&mut self, now: Timestamp) -> Plan {
        self.epoch += 1;
        Plan { epoch: self.epoch, issued_at: now, tables: BTreeMap::new(), summary: Summary::default() }
    }

    /// Replaces the model from the next tick on; `None` leaves the naive experts alone.
    pub fn set_model(&mut self, model: Option<Model>) {
        self.model = model;
    }

    /// The model in use.
    pub fn model(&self) -> Option<&Model> {
        self.model.as_ref()
    }

    /// Epoch of the last plan; 0 before the first.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Sees to it that the next plan's epoch is above `epoch`.
    pub fn raise_epoch(&mut self, epoch: u64) {
        self.epoch = self.epoch.max(epoch);
    }

    /// Series kept for `node`: its buckets.
    pub fn series_of(&self, _node: &str) -> usize {
        0
    }

    /// Why `bucket` has its rate at `node`; `None` when the series is unknown.
    pub fn explain(&self, _node: &str, _bucket: &str) -> Option<Explanation> {
        None
    }

    /// Nodes at which `bucket` is known.
    pub fn nodes_of(&self, _bucket: &str) -> Vec<String> {
        vec![]
    }

    /// Forecast and rate for a series given by its recent windows, oldest first, without touching state.
    pub fn recommend(&self, _windows: &[Report]) -> Option<Recommendation> {
        None
    }

    /// All state in bytes, without settings and model.
    pub fn snapshot(&self) -> Vec<u8> {
        vec![]
    }

    /// Replaces all state by what [`Planner::snapshot`] returned.
    ///
    /// # Errors
    /// [`RestoreError`] when the bytes are not a snapshot of this version; the planner is then unchanged.
    pub fn restore(&mut self, _bytes: &[u8]) -> Result<(), RestoreError> {
        Ok(())
    }
}
