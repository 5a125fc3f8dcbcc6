//! The form that every kind of past takes.

use std::{collections::BTreeMap, ops::Range};

use tidegate_wire::{BucketCounts, Report, Timestamp};

/// Reports of one trace or one journal, in order of time and node.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Source {
    /// Name, for tables.
    pub name: String,
    /// Length of a window in seconds.
    pub step_s: u32,
    /// First window: its start in seconds since the Unix epoch, divided by `step_s`.
    pub first: i64,
    /// Windows that it spans, from the first to the last.
    pub windows: u32,
    /// Ids of the nodes.
    pub nodes: Vec<String>,
    /// Ids of the buckets.
    pub buckets: Vec<String>,
    /// What each node reported of each window, in order of window and node.
    pub reports: Vec<NodeWindow>,
    /// Counts of all reports.
    pub entries: Vec<Entry>,
    /// Damaged frames of a journal that were left out.
    pub skipped: u64,
}

/// Report of one node about one window.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeWindow {
    /// Window, from the source's first.
    pub window: u32,
    /// Index of the node.
    pub node: u32,
    /// Share of processor in use.
    pub cpu: Option<f64>,
    /// Share of memory in use.
    pub memory: Option<f64>,
    /// Its entries.
    pub entries: Range<usize>,
}

/// Counts of one bucket at one node in one window.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Entry {
    /// Index of the bucket.
    pub bucket: u32,
    /// Requests offered.
    pub requests: u64,
    /// Of them, throttled.
    pub throttled: u64,
    /// Of them, retries.
    pub retries: u64,
    /// Of the admitted, failed.
    pub errors: u64,
    /// Payload of the admitted, in bytes.
    pub bytes: u64,
    /// Busiest second, requests; 0 when it is not known.
    pub peak_per_s: f64,
}

impl Source {
    /// Keeps the windows before `fraction` of the span.
    pub fn cut(&mut self, fraction: f64) {
        let windows = (f64::from(self.windows) * fraction.clamp(0.0, 1.0)).round() as u32;
        let keep = self.reports.partition_point(|r| r.window < windows);
        self.reports.truncate(keep);
        self.entries.truncate(self.reports.last().map_or(0, |r| r.entries.end));
        self.windows = self.windows.min(windows);
    }

    /// The report as the node sent it.
    pub fn report(&self, of: &NodeWindow) -> Report {
        let start = (self.first + i64::from(of.window)) * i64::from(self.step_s);
        Report {
            node: self.nodes[of.node as usize].clone(),
            instance: None,
            sequence: u64::from(of.window),
            epoch: None,
            staleness_ms: None,
            start: Timestamp::from_secs(start),
            seconds: self.step_s,
            cpu: of.cpu,
            memory: of.memory,
            buckets: self.entries[of.entries.clone()].iter().map(|e| self.counts(e)).collect(),
        }
    }

    fn counts(&self, e: &Entry) -> BucketCounts {
        BucketCounts {
            bucket: self.buckets[e.bucket as usize].clone(),
            requests: e.requests,
            throttled: e.throttled,
            retries: e.retries,
            errors: e.errors,
            bytes: e.bytes,
            peak_per_s: (e.peak_per_s > 0.0).then_some(e.peak_per_s),
        }
    }

    /// Requests offered in all.
    pub fn requests(&self) -> u64 {
        self.entries.iter().map(|e| e.requests).sum()
    }

    /// Start of the first and end of the last window.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        let at = |window: i64| Timestamp::from_secs(window * i64::from(self.step_s));
        (at(self.first), at(self.first + i64::from(self.windows)))
    }
}

/// Numbers for names, in order of first appearance.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: BTreeMap<String, u32>,
    pub(super) names: Vec<String>,
}

impl Names {
    /// The number of `name`, a new one if it has none.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(&n) = self.numbers.get(name) {
            return n;
        }
        let n = self.names.len() as u32;
        self.numbers.insert(name.to_owned(), n);
        self.names.push(name.to_owned());
        n
    }
}
