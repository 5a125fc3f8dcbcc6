//! A report's counts, on their way into the window they belong to.

use serde::{Deserialize, Serialize};
use tidegate_wire::{BucketCounts, Report};

use super::{Node, RING, Store, TOTAL, Window};

/// Counts of one row in one window, added up over instances.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Requests offered.
    pub requests: f32,
    /// Of them, throttled.
    pub throttled: f32,
    /// Of them, retries.
    pub retries: f32,
    /// Of the admitted, failed.
    pub errors: f32,
    /// Payload of the admitted.
    pub bytes: f32,
    /// Busiest second; 0 when it was not said.
    pub peak_per_s: f32,
}

impl Counts {
    /// Adds another instance's or bucket's counts of the same window.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.throttled += other.throttled;
        self.retries += other.retries;
        self.errors += other.errors;
        self.bytes += other.bytes;
        self.peak_per_s += other.peak_per_s;
    }
}

impl From<&BucketCounts> for Counts {
    fn from(b: &BucketCounts) -> Self {
        let peak_per_s = b.peak_per_s.filter(|p| p.is_finite()).unwrap_or(0.0).max(0.0) as f32;
        Self {
            requests: b.requests as f32,
            throttled: b.throttled.min(b.requests) as f32,
            retries: b.retries.min(b.requests) as f32,
            errors: b.errors.min(b.requests) as f32,
            bytes: b.bytes as f32,
            peak_per_s,
        }
    }
}

impl Store {
    /// Adds a report to the window it is for. One for a window already closed corrects that window as far as it is still kept.
    pub fn record(&mut self, report: &Report) {
        let window = self.window_of(report.start.as_secs());
        let node = self.node_for(&report.node, window);
        self.nodes[node as usize].note(report, window);
        let mut total = Counts::default();
        let mut entries = Vec::with_capacity(report.buckets.len() + 1);
        for bucket in &report.buckets {
            let counts = Counts::from(bucket);
            total.add(&counts);
            if let Some(row) = self.row_for(node, &bucket.bucket, window) {
                entries.push((row, counts));
            }
        }
        entries.push((self.nodes[node as usize].total, total));
        match self.closed {
            Some(closed) if window <= closed => self.correct(&entries, (closed - window) as usize),
            _ => self.open.entry(window).or_default().extend(entries),
        }
    }

    /// Takes the counts gathered for `window`.
    pub(super) fn take_open(&mut self, window: Window) -> Vec<(u32, Counts)> {
        self.open.remove(&window).unwrap_or_default()
    }

    /// Adds late counts to a window that was closed `age` windows ago. The averages are linear, so this is exact for them.
    fn correct(&mut self, entries: &[(u32, Counts)], age: usize) {
        if age >= RING {
            return;
        }
        let slot = (self.closed.unwrap_or(0) - age as i64).rem_euclid(RING as i64) as usize;
        for (row, counts) in entries {
            let row = *row as usize;
            let late = (counts.requests - counts.retries).max(0.0);
            self.columns.ring[slot][row] += late;
            for (k, half_life) in super::EWMA_WINDOWS.iter().enumerate() {
                let keep = 0.5f32.powf(1.0 / half_life);
                self.columns.ewma[k][row] += (1.0 - keep) * keep.powi(age as i32) * late;
            }
        }
    }

    fn node_for(&mut self, name: &str, window: Window) -> u32 {
        if let Some(n) = self.node_number(name) {
            return n;
        }
        let number = self.nodes.iter().position(|n| !n.known).unwrap_or(self.nodes.len());
        let total = self.new_row(number as u32, TOTAL, window);
        self.numbers.insert(name.to_owned(), number as u32);
        let node = Node::new(name, total, window);
        match self.nodes.get_mut(number) {
            Some(place) => *place = node,
            None => self.nodes.push(node),
        }
        number as u32
    }

    fn row_for(&mut self, node: u32, bucket: &str, window: Window) -> Option<u32> {
        if let Some(row) = self.index.find(node, bucket) {
            return Some(row);
        }
        // Beyond the bound a bucket counts in its node's total alone.
        let full = self.live() >= self.limits.series || self.nodes[node as usize].series >= self.limits.series_per_node;
        if full {
            return None;
        }
        self.nodes[node as usize].series += 1;
        Some(self.new_row(node, bucket, window))
    }

    fn new_row(&mut self, node: u32, bucket: &str, window: Window) -> u32 {
        let row = self.index.insert(node, bucket);
        if row as usize == self.columns.len() {
            self.columns.push();
            self.seasonal.push();
        } else {
            self.columns.clear(row as usize);
            self.seasonal.clear(row as usize);
        }
        self.columns.node[row as usize] = node;
        self.columns.born[row as usize] = window;
        self.columns.expected[row as usize] = -1.0;
        self.columns.overdispersion[row as usize] = 2.0;
        row
    }
}
