//! The planner, driven as the service drives it.

use std::sync::Arc;

use tidegate_planner::{
    Planner, Settings,
    settings::{self, Policy, Without},
};
use tidegate_wire::{RateTable, Report, Timestamp};

use super::{Brief, Contender, Leased, fixed, reshape::Reshape};
use crate::{
    CompareError,
    workload::{WINDOW_S, Workload},
};

/// The planner with one origin and the given model.
pub struct Adaptive {
    planner: Planner,
    /// What the nodes begin on where there is nothing to learn from.
    first: Vec<Leased>,
    reshape: Reshape,
}

impl Adaptive {
    /// An empty planner that leaves out `without`, and whose tables are reshaped.
    ///
    /// # Errors
    /// [`CompareError::Settings`] when it refuses the origin.
    pub fn new(brief: &Brief, without: Without, reshape: Reshape) -> Result<Self, CompareError> {
        Self::with(brief, Settings { without, ..Settings::default() }, reshape)
    }

    /// The whole planner under `policies`.
    ///
    /// # Errors
    /// [`CompareError::Settings`] when it refuses the origin or a policy.
    pub fn under(brief: &Brief, policies: Vec<Policy>) -> Result<Self, CompareError> {
        Self::with(brief, Settings { policies, ..Settings::default() }, Reshape::Keep)
    }

    fn with(brief: &Brief, settings: Settings, reshape: Reshape) -> Result<Self, CompareError> {
        let origin = settings::Origin {
            name: "origin".into(),
            nodes: "*".into(),
            sustained_per_s: brief.origin.sustained_per_s,
            burst: brief.origin.burst,
        };
        let settings = Settings { interval_s: WINDOW_S, origins: vec![origin], ..settings };
        let first = if brief.workload.fit_windows == 0 { fixed::first(brief) } else { vec![] };
        Ok(Self { planner: Planner::new(settings, brief.model.cloned())?, first, reshape })
    }

    fn reshaped(&self, mut table: Arc<RateTable>) -> Arc<RateTable> {
        if self.reshape != Reshape::Keep {
            self.reshape.apply(Arc::make_mut(&mut table));
        }
        table
    }
}

impl Contender for Adaptive {
    fn learns(&self) -> bool {
        true
    }

    fn opening(&mut self) -> Vec<Leased> {
        std::mem::take(&mut self.first)
    }

    fn tick(&mut self, now: Timestamp, reports: &[Report]) -> Vec<Leased> {
        for report in reports {
            self.planner.observe(report);
        }
        let tables = self.planner.tick(now).tables;
        tables.into_iter().filter_map(|(id, table)| Some((Workload::node_index(&id)?, self.reshaped(table)))).collect()
    }
}
