//! The planner, driven as the service drives it.

use tidegate_planner::{Planner, Settings, settings};
use tidegate_wire::{Report, Timestamp};

use super::{Brief, Contender, Leased};
use crate::{
    CompareError,
    workload::{WINDOW_S, Workload},
};

/// The planner with one origin, the default policy and the given model.
pub struct Adaptive {
    planner: Planner,
}

impl Adaptive {
    /// An empty planner.
    ///
    /// # Errors
    /// [`CompareError::Settings`] when it refuses the origin.
    pub fn new(brief: &Brief) -> Result<Self, CompareError> {
        let origin = settings::Origin {
            name: "origin".into(),
            nodes: "*".into(),
            sustained_per_s: brief.origin.sustained_per_s,
            burst: brief.origin.burst,
        };
        let settings = Settings { interval_s: WINDOW_S, origins: vec![origin], ..Settings::default() };
        Ok(Self { planner: Planner::new(settings, brief.model.cloned())? })
    }
}

impl Contender for Adaptive {
    fn learns(&self) -> bool {
        true
    }

    fn tick(&mut self, now: Timestamp, reports: &[Report]) -> Vec<Leased> {
        for report in reports {
            self.planner.observe(report);
        }
        let tables = self.planner.tick(now).tables;
        tables.into_iter().filter_map(|(id, table)| Some((Workload::node_index(&id)?, table))).collect()
    }
}
