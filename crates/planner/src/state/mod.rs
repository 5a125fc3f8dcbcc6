//! All series in columns: a row is one bucket at one node, or a node's total.
//!
//! In the order the data goes round: [`index`] finds a row by name, [`record`] gathers a report's counts into the window
//! they belong to, [`close`] folds a finished window into every row, as far as [`claims`] lets it, [`newcomers`] notes who came that
//! nobody knows, [`seasonal`] keeps the time of day, [`evict`] lets idle rows go. A column is one vector over all rows, so that closing a window is a handful of linear passes.

mod claims;
mod close;
mod columns;
mod evict;
mod index;
mod newcomers;
mod node;
mod record;
mod seasonal;

pub use claims::Claims;
pub use columns::{Columns, EWMA_WINDOWS, EWMAS, EXPERTS, RING};
pub use index::{Index, TOTAL};
pub use newcomers::Newcomers;
pub use node::{Instance, Node};
pub use record::Counts;
pub use seasonal::{SLOTS, Seasonal};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::settings::Limits;

/// Number of a window: its start in seconds since the Unix epoch, divided by the interval.
pub type Window = i64;

/// All series, and the windows that are still open.
#[derive(Serialize, Deserialize)]
pub struct Store {
    interval_s: i64,
    limits: Limits,
    /// Names of the rows.
    pub index: Index,
    /// Values of the rows.
    pub columns: Columns,
    /// Memory of the time of day, by row.
    pub seasonal: Seasonal,
    /// Nodes by number; a node's number never changes while it is known.
    pub nodes: Vec<Node>,
    numbers: BTreeMap<String, u32>,
    open: BTreeMap<Window, Vec<(u32, Counts)>>,
    closed: Option<Window>,
    /// Newest epoch that was issued: a report that claims a later one acknowledges nothing.
    #[serde(skip)]
    issued: u64,
    /// Whether demand is taken as it was reported, also where clients were throttled: for measurements.
    #[serde(skip)]
    pub(crate) as_reported: bool,
    /// The rows of each node; empty until a late report needs it, and again when a window is closed.
    #[serde(skip)]
    rows_by_node: Vec<Vec<u32>>,
}

impl Store {
    /// An empty store for windows of `interval_s` seconds.
    pub fn new(interval_s: u32, limits: Limits) -> Self {
        Self {
            interval_s: i64::from(interval_s.max(1)),
            limits,
            index: Index::default(),
            columns: Columns::default(),
            seasonal: Seasonal::new(interval_s),
            nodes: vec![],
            numbers: BTreeMap::new(),
            open: BTreeMap::new(),
            closed: None,
            issued: 0,
            as_reported: false,
            rows_by_node: vec![],
        }
    }

    /// Replaces the bounds on memory.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Says which epoch is the newest issued.
    pub fn set_issued(&mut self, epoch: u64) {
        self.issued = epoch;
    }

    /// Length of a window in seconds.
    pub fn interval_s(&self) -> i64 {
        self.interval_s
    }

    /// The window that starts at `start_s` seconds since the Unix epoch.
    pub fn window_of(&self, start_s: i64) -> Window {
        start_s.div_euclid(self.interval_s)
    }

    /// The last window that was closed.
    pub fn closed(&self) -> Option<Window> {
        self.closed
    }

    /// Number of rows, free ones included.
    pub fn rows(&self) -> usize {
        self.columns.len()
    }

    /// Number of series that are kept, node totals included.
    pub fn live(&self) -> usize {
        self.index.live()
    }

    /// Demand of `row`, `age` windows before the last that was closed; `age` is below [`RING`].
    pub fn demand(&self, row: usize, age: usize) -> f32 {
        let slot = (self.closed.unwrap_or(0) - age as i64).rem_euclid(RING as i64) as usize;
        self.columns.ring[slot][row]
    }

    /// Demand of every row in the last window that was closed.
    pub fn last(&self) -> &[f32] {
        &self.columns.ring[self.closed.unwrap_or(0).rem_euclid(RING as i64) as usize]
    }

    /// The number of a node, if it is known.
    pub fn node_number(&self, node: &str) -> Option<u32> {
        self.numbers.get(node).copied()
    }

    /// The row of a bucket at a node, if it is known.
    pub fn row(&self, node: u32, bucket: &str) -> Option<usize> {
        self.index.find(node, bucket).map(|r| r as usize)
    }
}
