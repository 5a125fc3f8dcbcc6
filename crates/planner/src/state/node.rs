//! What is known of a node besides its series.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tidegate_wire::Report;

use super::{Claims, Newcomers, RING, Window};

/// Windows after which an instance that no longer reports is taken to be gone.
const INSTANCE_GONE_AFTER: i64 = 4;

/// A node: which windows it reported, what it acknowledged and how it feels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Node {
    /// Its id.
    pub name: String,
    /// False once it was forgotten; its number may then be taken by another.
    pub known: bool,
    /// Row of its total.
    pub total: u32,
    /// Number of its buckets that are kept.
    pub series: usize,
    /// Last window it reported.
    pub last: Window,
    /// Epoch and window of each instance's last report.
    pub instances: BTreeMap<String, Instance>,
    /// Share of processor in use, the highest of its instances in the last window.
    pub cpu: f32,
    /// Share of memory in use, likewise.
    pub memory: f32,
    /// What it may claim, as of the last plan.
    pub claims: Claims,
    /// How many of those who come are not known.
    pub newcomers: Newcomers,
    /// Windows that were closed without a report, as far as they are kept: their demand is a guess until one comes.
    pub guessed: BTreeSet<Window>,
}

/// One process or isolate of a node.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Last epoch it said it enforces.
    pub epoch: Option<u64>,
    /// How old the table of that epoch was when it came, in milliseconds, if it said so.
    pub staleness_ms: Option<u64>,
    /// Window of its last report.
    pub window: Window,
}

impl Node {
    /// A node that has not reported yet.
    pub fn new(name: &str, total: u32, window: Window) -> Self {
        let (instances, guessed) = (BTreeMap::new(), BTreeSet::new());
        let (name, claims, newcomers) = (name.to_owned(), Claims::default(), Newcomers::default());
        Self { name, known: true, total, series: 0, last: window, instances, cpu: 0.0, memory: 0.0, claims, newcomers, guessed }
    }

    /// Notes that `report` came for `window`, acknowledging `epoch`.
    pub fn note(&mut self, report: &Report, epoch: Option<u64>, window: Window) {
        if window > self.last {
            self.last = window;
            (self.cpu, self.memory) = (0.0, 0.0);
            self.instances.retain(|_, i| window - i.window <= INSTANCE_GONE_AFTER);
        }
        if window == self.last {
            self.cpu = self.cpu.max(share(report.cpu));
            self.memory = self.memory.max(share(report.memory));
        }
        let name = report.instance.as_deref().unwrap_or("");
        let seen = self.instances.entry(name.to_owned()).or_insert(Instance { epoch: None, staleness_ms: None, window });
        seen.window = seen.window.max(window);
        if epoch > seen.epoch {
            (seen.epoch, seen.staleness_ms) = (epoch, report.staleness_ms);
        }
    }

    /// Notes that `window` is closed, with or without a report.
    pub(super) fn close(&mut self, window: Window, reported: bool) {
        if self.known && !reported {
            self.guessed.insert(window);
        }
        self.guessed = self.guessed.split_off(&(window - RING as i64 + 1));
    }

    /// The epoch that every instance enforces or has gone beyond; `None` while one of them has not said.
    pub fn acknowledged(&self) -> Option<u64> {
        self.instances.values().map(|i| i.epoch).min().flatten()
    }

    /// Age in milliseconds at which the last table came to the instance that waited longest; `None` while none
    /// has said, as one that has just begun cannot.
    pub fn staleness_ms(&self) -> Option<i64> {
        let longest = self.instances.values().filter_map(|i| i.staleness_ms).max()?;
        i64::try_from(longest).ok()
    }
}

/// A share from 0 to 1, whatever was reported; 0 when nothing was.
fn share(reported: Option<f64>) -> f32 {
    reported.filter(|x| x.is_finite()).unwrap_or(0.0).clamp(0.0, 1.0) as f32
}
