//! The schemes that are compared: each decides what the nodes are leased, and the nodes enforce all of them alike.

mod adaptive;
mod aimd;
mod fixed;

use std::sync::Arc;

use tidegate_planner::Model;
use tidegate_wire::{RateTable, Report, Timestamp};

use crate::{CompareError, fit::Fit, origin::Origin, workload::Workload};

/// What every contender is given.
#[derive(Debug, Clone, Copy)]
pub struct Brief<'a> {
    /// The traffic. Only what comes before the scored part may be looked at.
    pub workload: &'a Workload,
    /// Shares by the part before the scored one.
    pub fit: &'a Fit,
    /// All that may be leased.
    pub origin: Origin,
    /// The forecast's model, if there is one.
    pub model: Option<&'a Model>,
}

/// A table for a node.
pub type Leased = (usize, Arc<RateTable>);

/// A scheme that leases rates to nodes.
pub trait Contender {
    /// Whether it learns by seeing the part before the scored one, window by window.
    fn learns(&self) -> bool {
        false
    }

    /// Whether there is one node, in front of the origin, instead of the workload's nodes.
    fn sees_all(&self) -> bool {
        false
    }

    /// Whether its leases keep to the origin even while some nodes still enforce older ones.
    fn keeps_books(&self) -> bool {
        true
    }

    /// Tables in force when the scored part begins; those of the last ticks when it has learned.
    fn opening(&mut self) -> Vec<Leased> {
        vec![]
    }

    /// Tables to publish at `now`, the end of the window that `reports` are about.
    fn tick(&mut self, now: Timestamp, reports: &[Report]) -> Vec<Leased>;
}

/// The contenders by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub enum Kind {
    /// Each bucket at each node its fixed share, by mean demand.
    StaticMean,
    /// Each bucket at each node its fixed share, by the 99th percentile of its windows.
    StaticP99,
    /// Two-level take with fixed shares: 60 % of the rate guaranteed to buckets, what they leave lent by the nodes' pools.
    StaticPool,
    /// Pools of the nodes by additive increase and multiplicative decrease.
    Aimd,
    /// The planner.
    Adaptive,
    /// One bucket in front of the origin that sees everything, without delay: the bound.
    Central,
}

impl Kind {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 6] = [Self::StaticMean, Self::StaticP99, Self::StaticPool, Self::Aimd, Self::Adaptive, Self::Central];

    /// Name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::StaticMean => "static-mean",
            Self::StaticP99 => "static-p99",
            Self::StaticPool => "static-pool",
            Self::Aimd => "aimd",
            Self::Adaptive => "adaptive",
            Self::Central => "central",
        }
    }

    /// Whether it publishes anything that could be late.
    pub fn feels_delay(self) -> bool {
        matches!(self, Self::Aimd | Self::Adaptive)
    }

    /// Makes the contender.
    ///
    /// # Errors
    /// [`CompareError::Settings`] when the planner refuses the case.
    pub fn enter(self, brief: &Brief) -> Result<Box<dyn Contender>, CompareError> {
        Ok(match self {
            Self::StaticMean => Box::new(fixed::per_bucket(brief, &brief.fit.by_mean)),
            Self::StaticP99 => Box::new(fixed::per_bucket(brief, &brief.fit.by_p99)),
            Self::StaticPool => Box::new(fixed::pooled(brief)),
            Self::Aimd => Box::new(aimd::Aimd::new(brief)),
            Self::Adaptive => Box::new(adaptive::Adaptive::new(brief)?),
            Self::Central => Box::new(fixed::central(brief)),
        })
    }
}
