//! A report's counts, on their way into the window they belong to.

use serde::{Deserialize, Serialize};
use tidegate_wire::{BucketCounts, Report};

use super::{EWMAS, Node, RING, Store, TOTAL, Window};

/// Most that is believed of one count: a thousand million a window. Beyond it squares would no longer fit single precision.
const MOST: f32 = 1e9;

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
        let peak_per_s = b.peak_per_s.filter(|p| p.is_finite()).unwrap_or(0.0) as f32;
        let part = |count: u64| (count.min(b.requests) as f32).min(MOST);
        Self {
            requests: part(b.requests),
            throttled: part(b.throttled),
            retries: part(b.retries),
            errors: part(b.errors),
            bytes: (b.bytes as f32).min(MOST * 1e3),
            peak_per_s: peak_per_s.clamp(0.0, MOST),
        }
    }
}

impl Store {
    /// Adds a report to the window it is for. One for a window already closed corrects that window as far as it is still kept.
    pub fn record(&mut self, report: &Report) {
        let window = self.window_of(report.start.as_secs());
        let node = self.node_for(&report.node, window);
        let epoch = report.epoch.filter(|epoch| *epoch <= self.issued);
        self.nodes[node as usize].note(report, epoch, window);
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
            Some(closed) if window <= closed => self.correct(node, window, &entries),
            _ => self.open.entry(window).or_default().extend(entries),
        }
    }

    /// Takes the counts gathered for `window`.
    pub(super) fn take_open(&mut self, window: Window) -> Vec<(u32, Counts)> {
        self.open.remove(&window).unwrap_or_default()
    }

    /// Adds late counts to `window`, which is closed. The averages are linear, so this is exact for them as long as the window
    /// is the last; for an older one it is off by what the averages have moved since.
    fn correct(&mut self, node: u32, window: Window, entries: &[(u32, Counts)]) {
        let age = self.closed.unwrap_or(window) - window;
        if age >= RING as i64 {
            return;
        }
        if self.nodes[node as usize].guessed.remove(&window) {
            self.forget_guess(node, window, age as i32);
        }
        let mut claimed: Vec<f32> = entries.iter().map(|(_, counts)| (counts.requests - counts.retries).max(0.0)).collect();
        self.within_claims(entries, &mut claimed);
        for ((row, _), claimed) in entries.iter().zip(claimed) {
            self.add_late(*row as usize, window, age as i32, claimed);
        }
    }

    /// Takes back what was guessed of `node` when `window` was closed without it: from here on it counts as reported, with nothing.
    fn forget_guess(&mut self, node: u32, window: Window, age: i32) {
        if self.rows_by_node.is_empty() {
            self.rows_by_node.resize(self.nodes.len(), vec![]);
            for (row, node) in self.columns.node.iter().enumerate().filter(|(row, _)| self.index.name(*row).is_some()) {
                self.rows_by_node[*node as usize].push(row as u32);
            }
        }
        let rows = self.rows_by_node.get_mut(node as usize).map(std::mem::take).unwrap_or_default();
        for row in rows.iter().map(|r| *r as usize).filter(|r| self.columns.born[*r] <= window) {
            self.columns.ring[window.rem_euclid(RING as i64) as usize][row] = 0.0;
            for k in 0..EWMAS {
                let weight = self.weight_of(k, row, window, age);
                self.columns.ewma[k][row] *= 1.0 - weight;
            }
        }
        if let Some(place) = self.rows_by_node.get_mut(node as usize) {
            *place = rows;
        }
    }

    fn add_late(&mut self, row: usize, window: Window, age: i32, late: f32) {
        self.columns.ring[window.rem_euclid(RING as i64) as usize][row] += late;
        for k in 0..EWMAS {
            self.columns.ewma[k][row] += self.weight_of(k, row, window, age) * late;
        }
    }

    /// What `window` weighs in moving average `k` of `row`, `age` windows after it was closed.
    fn weight_of(&self, k: usize, row: usize, window: Window, age: i32) -> f32 {
        let keep = 0.5f32.powf(1.0 / super::EWMA_WINDOWS[k]);
        super::close::newest_weight(k, window - self.columns.born[row]) * keep.powi(age)
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

    /// Makes a row for a bucket of `node` that has not asked for anything by `window`, unless there is one or no room for it.
    pub fn know(&mut self, node: u32, bucket: &str, window: Window) {
        self.row_for(node, bucket, window);
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
        if !self.rows_by_node.is_empty() {
            // What the list holds must not depend on when it was made: a restart makes it anew.
            let places = self.rows_by_node.len().max(node as usize + 1);
            self.rows_by_node.resize(places, vec![]);
            self.rows_by_node[node as usize].push(row);
        }
        self.columns.born[row as usize] = window;
        self.columns.expected[row as usize] = -1.0;
        self.columns.overdispersion[row as usize] = super::close::USUAL_OVERDISPERSION;
        self.columns.surprise[row as usize] = super::close::USUAL_OVERDISPERSION;
        row
    }
}

#[cfg(test)]
mod tests {
    use tidegate_wire::Timestamp;

    use super::*;
    use crate::settings::Limits;

    fn report(window: Window, requests: &[(&str, u64)]) -> Report {
        let counts =
            |(bucket, requests): &(&str, u64)| BucketCounts { bucket: (*bucket).into(), requests: *requests, ..Default::default() };
        Report {
            node: "n".into(),
            instance: None,
            sequence: window as u64,
            epoch: None,
            staleness_ms: None,
            start: Timestamp::from_secs(window * 30),
            seconds: 30,
            cpu: None,
            memory: None,
            buckets: requests.iter().map(counts).collect(),
        }
    }

    /// A store that has closed `windows` windows; the report of each came `late` windows after it should have: 0 is in time.
    fn store(windows: i64, late: i64, requests: impl Fn(i64) -> Vec<(&'static str, u64)>) -> Store {
        let mut store = Store::new(30, Limits::default());
        store.record(&report(0, &requests(0)));
        for window in 0..windows {
            let told = window - late;
            if told > 0 {
                store.record(&report(told, &requests(told)));
            }
            store.close(window);
        }
        (windows - late..windows).filter(|told| *told > 0).for_each(|told| store.record(&report(told, &requests(told))));
        store
    }

    fn averages(store: &Store, bucket: &str) -> Vec<f32> {
        let row = store.row(0, bucket).expect("a row");
        store.columns.ewma.iter().map(|e| e[row]).collect()
    }

    #[test]
    fn a_node_that_is_always_late_is_known_as_well_as_one_on_time() {
        let steady = |_| vec![("a", 60), ("b", 6)];
        for late in 0..3 {
            let store = store(400, late, steady);
            for (bucket, truth) in [("a", 60.0), ("b", 6.0), (TOTAL, 66.0)] {
                for average in averages(&store, bucket) {
                    assert!((average - truth).abs() < 0.05 * truth, "{late} windows late, {bucket}: {average} instead of {truth}");
                }
            }
        }
    }

    #[test]
    fn a_bucket_that_a_late_report_leaves_out_fades() {
        let falling_silent = |window| if window < 100 { vec![("a", 60), ("b", 6)] } else { vec![("a", 60)] };
        let store = store(200, 1, falling_silent);
        assert!(averages(&store, "b")[1] < 0.1, "{:?}", averages(&store, "b"));
    }

    #[test]
    fn a_late_report_makes_up_for_the_guess() {
        let on_time = store(50, 0, |w| vec![("a", 10 + w as u64 % 7)]);
        let late = store(50, 1, |w| vec![("a", 10 + w as u64 % 7)]);
        for (told, corrected) in averages(&on_time, "a").iter().zip(averages(&late, "a")) {
            assert!((told - corrected).abs() < 1e-3 * told, "{told} {corrected}");
        }
        assert_eq!(on_time.demand(0, 0), late.demand(0, 0));
    }
}
