//! From columns of state to columns of features, a block of rows at a time.

use super::{COUNT, fast};
use crate::state::{RING, Store};

/// Rows of a block.
pub const BLOCK: usize = 256;

const DAY_S: i64 = 86_400;

/// Features of up to [`BLOCK`] consecutive rows: `columns[feature][row - start]`.
pub struct Block {
    /// First row.
    pub start: usize,
    /// Number of rows.
    pub len: usize,
    /// Values by feature, then row.
    pub columns: [[f32; BLOCK]; COUNT],
}

impl Default for Block {
    fn default() -> Self {
        Self { start: 0, len: 0, columns: [[0.0; BLOCK]; COUNT] }
    }
}

impl Block {
    /// Fills in the features of rows `start..start + len` as they stand after the last window that was closed.
    pub fn fill(&mut self, store: &Store, start: usize) {
        self.start = start;
        self.len = BLOCK.min(store.rows().saturating_sub(start));
        self.demand(store);
        self.calendar(store);
        self.shape(store);
        self.health(store);
    }

    /// The features of one row of the block, in the order of [`super::NAMES`].
    pub fn row(&self, row: usize) -> [f32; COUNT] {
        std::array::from_fn(|f| self.columns[f][row - self.start])
    }

    /// Level and movements of demand, on a logarithmic scale. How far a movement can be believed depends on how many requests
    /// it was seen in, which a linear model cannot know; so each enters weighed by that.
    fn demand(&mut self, store: &Store) {
        let rows = self.start..self.start + self.len;
        let c = &store.columns;
        let slot = store.closed().unwrap_or(0).rem_euclid(RING as i64) as usize;
        let mut logs = [[0.0f32; BLOCK]; 5];
        for (out, values) in logs.iter_mut().zip([&c.ring[slot], &c.ewma[0], &c.ewma[1], &c.ewma[2], &c.ewma[3]]) {
            log(out, &values[rows.clone()]);
        }
        let [last, ewma_45s, ewma_5m, ewma_30m, ewma_6h] = logs;
        let x = &mut self.columns;
        for (i, mean) in c.ewma[1][rows].iter().take(BLOCK).enumerate() {
            let (known, well_known, unsure) = trust(*mean);
            let (jump, short, long) = (last[i] - ewma_45s[i], ewma_45s[i] - ewma_5m[i], ewma_5m[i] - ewma_30m[i]);
            x[0][i] = ewma_5m[i];
            (x[1][i], x[2][i], x[3][i]) = (known * jump, known * short, known * long);
            (x[4][i], x[5][i]) = (well_known * jump, well_known * short);
            (x[6][i], x[7][i], x[8][i]) = (unsure * short, unsure * long, unsure * (ewma_6h[i] - ewma_30m[i]));
            // The other features tell of series that demand itself tells little of.
            x[13][i] = unsure;
        }
    }

    fn calendar(&mut self, store: &Store) {
        let next = store.closed().unwrap_or(0) + 1;
        let angle = ((next * store.interval_s()).rem_euclid(DAY_S) as f32 / DAY_S as f32) * std::f32::consts::TAU;
        let windows_per_day = DAY_S / store.interval_s();
        let (sin, cos) = (angle.sin(), angle.cos());
        let rows = self.start..self.start + self.len;
        let (born, now) = (&store.columns.born[rows.clone()], &store.columns.ewma[2][rows]);
        for (i, (born, now)) in born.iter().zip(now).take(BLOCK).enumerate() {
            let unsure = self.columns[13][i];
            let has = next - born > windows_per_day;
            let usual = if has { log_of(store.seasonal.expected(next, self.start + i)) } else { 0.0 };
            self.columns[9][i] = if has { unsure * (usual - log_of(*now)) } else { 0.0 };
            self.columns[10][i] = if has { unsure } else { 0.0 };
            self.columns[11][i] = unsure * sin;
            self.columns[12][i] = unsure * cos;
        }
    }

    fn shape(&mut self, store: &Store) {
        let c = &store.columns;
        let rows = self.start..self.start + self.len;
        let spread = c.variance[rows.clone()].iter().zip(&c.ewma[2][rows.clone()]);
        self.unsure(14, 1.0, spread.map(|(variance, mean)| fast::ln_1p(variance / (mean + 0.05))));
        self.unsure(15, 1.0, c.quiet[rows.clone()].iter().map(|quiet| fast::ln_1p(f32::from(*quiet))));
        self.unsure(16, 1.0, c.active[rows.clone()].iter().copied());
        self.unsure(17, 0.1, c.bytes_mean[rows.clone()].iter().map(|bytes| fast::ln_1p(*bytes)));
        self.unsure(23, 1.0, c.peak_ratio[rows].iter().map(|peak| fast::ln_1p(*peak)));
    }

    fn health(&mut self, store: &Store) {
        let c = &store.columns;
        let rows = self.start..self.start + self.len;
        self.unsure(18, 1.0, c.throttle_ratio[rows.clone()].iter().copied());
        self.unsure(19, 1.0, c.error_ratio[rows.clone()].iter().copied());
        self.unsure(20, 1.0, c.retry_ratio[rows.clone()].iter().copied());
        let nodes = || c.node[rows.clone()].iter().map(|n| &store.nodes[*n as usize]);
        self.unsure(21, 1.0, nodes().map(|n| n.cpu));
        self.unsure(22, 1.0, nodes().map(|n| n.memory));
    }

    /// Sets `feature` to `values`, one per row, scaled and weighed by how little the row's demand itself tells.
    fn unsure(&mut self, feature: usize, scale: f32, values: impl Iterator<Item = f32>) {
        let unsure = self.columns[13];
        for ((x, unsure), value) in self.columns[feature].iter_mut().zip(unsure).zip(values) {
            *x = unsure * scale * value;
        }
    }
}

/// How far a movement of demand can be believed that averages `mean` requests per window: as a signal among Poisson noise,
/// as one among little noise, and how far not.
fn trust(mean: f32) -> (f32, f32, f32) {
    let mean = mean.max(0.0);
    let known = mean / (mean + 3.0);
    (known, mean / (mean + 300.0), 1.0 - known)
}

/// Logarithm of demand, linear below 1/64 of a request per window, so that quiet series are told apart.
fn log_of(demand: f32) -> f32 {
    fast::ln_1p(64.0 * demand.max(0.0))
}

fn log(out: &mut [f32], values: &[f32]) {
    for (o, v) in out.iter_mut().zip(values) {
        *o = log_of(*v);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Limits;
    use tidegate_wire::{BucketCounts, Report, Timestamp};

    /// The features of one bucket after `counts`, one per window.
    fn row_after(counts: impl IntoIterator<Item = u64>) -> [f32; COUNT] {
        let mut store = Store::new(30, Limits::default());
        for (window, requests) in counts.into_iter().enumerate() {
            let window = window as i64;
            let counts = BucketCounts { bucket: "b".into(), requests, ..BucketCounts::default() };
            let start = Timestamp::from_secs(30 * window);
            let (node, sequence) = ("n".to_owned(), window as u64);
            let report = Report {
                node,
                instance: None,
                sequence,
                epoch: None,
                staleness_ms: None,
                start,
                seconds: 30,
                cpu: None,
                memory: None,
                buckets: vec![counts],
            };
            store.record(&report);
            store.close(window);
        }
        let mut block = Block::default();
        block.fill(&store, 0);
        block.row(store.row(0, "b").unwrap())
    }

    #[test]
    fn a_steady_series_has_a_level_and_no_movement() {
        let x = row_after([1000; 50]);
        assert!((x[0] - 64_001f32.ln()).abs() < 0.05 && x[1..10].iter().all(|m| m.abs() < 0.05), "{x:?}");
        assert!(x[13] < 0.01, "its demand alone tells enough: {x:?}");
    }

    #[test]
    fn a_movement_looks_the_same_at_any_scale() {
        let of = |level: u64| row_after([level; 50].into_iter().chain([2 * level]));
        let (small, large) = (of(10_000), of(1_000_000));
        assert!(small[1] > 0.3 && (small[1] - large[1]).abs() < 0.01, "{small:?} {large:?}");
    }

    #[test]
    fn a_quiet_series_is_told_apart_from_a_silent_one() {
        let quiet = row_after((0..200).map(|w| u64::from(w % 40 == 0)));
        let silent = row_after((0..200).map(|w| u64::from(w == 0)));
        assert!(quiet[0] > silent[0] + 0.2 && quiet[13] > 0.9, "{quiet:?} {silent:?}");
        assert!(silent[15] > quiet[15], "it has been quiet for longer");
    }
}
