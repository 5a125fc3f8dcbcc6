//! The schemes that are compared: each decides what the nodes are leased, and the nodes enforce all of them alike.
//!
//! - `fixed`: shares that never change, and the bound. `aimd`: control without books.
//! - `books`: leases pools that never add up to more than the origin has, for the schemes that only say what a node should get:
//!   `forecasting` by a forecast of each node, `doorman` by what each node wants, `latency` by how slow the origin is.
//! - `adaptive`: the planner, whole or without one of its parts; `reshape` takes away its pools or its guarantees.

mod adaptive;
mod aimd;
mod books;
mod doorman;
mod fixed;
mod forecasting;
mod kind;
mod latency;
mod observed;
mod reshape;

pub use adaptive::Adaptive;
pub use kind::Kind;

use std::sync::Arc;

use tidegate_planner::Model;
use tidegate_wire::{RateTable, Report, Timestamp};

use crate::{fit::Fit, origin::Origin, workload::Workload};

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
