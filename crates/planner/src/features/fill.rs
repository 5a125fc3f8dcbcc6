//! From columns of state to columns of features, a block of rows at a time.

use super::{COUNT, fast};
use crate::state::{EWMAS, RING, Store};

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

    fn demand(&mut self, store: &Store) {
        let rows = self.start..self.start + self.len;
        let closed = store.closed().unwrap_or(0);
        for lag in 0..4 {
            let slot = (closed - lag as i64).rem_euclid(RING as i64) as usize;
            log_1p(&mut self.columns[lag], &store.columns.ring[slot][rows.clone()]);
        }
        for k in 0..EWMAS {
            log_1p(&mut self.columns[4 + k], &store.columns.ewma[k][rows.clone()]);
        }
    }

    fn calendar(&mut self, store: &Store) {
        let next = store.closed().unwrap_or(0) + 1;
        let seconds = next * store.interval_s();
        let angle = (seconds.rem_euclid(DAY_S) as f32 / DAY_S as f32) * std::f32::consts::TAU;
        // 1970-01-01 was a Thursday.
        let weekday = (seconds.div_euclid(DAY_S) + 3).rem_euclid(7);
        let weekend = if weekday >= 5 { 1.0 } else { 0.0 };
        let windows_per_day = DAY_S / store.interval_s();
        for i in 0..self.len {
            let row = self.start + i;
            let has = next - store.columns.born[row] > windows_per_day;
            self.columns[9][i] = if has { fast::ln_1p(store.seasonal.expected(next, row)) } else { self.columns[8][i] };
            self.columns[10][i] = if has { 1.0 } else { 0.0 };
            self.columns[11][i] = angle.sin();
            self.columns[12][i] = angle.cos();
            self.columns[13][i] = weekend;
        }
    }

    fn shape(&mut self, store: &Store) {
        let c = &store.columns;
        for i in 0..self.len {
            let row = self.start + i;
            self.columns[14][i] = fast::ln_1p(c.variance[row] / (c.ewma[2][row] + 0.05));
            self.columns[15][i] = fast::ln_1p(f32::from(c.quiet[row]));
            self.columns[16][i] = c.active[row];
            self.columns[17][i] = 0.1 * fast::ln_1p(c.bytes_mean[row]);
            self.columns[23][i] = fast::ln_1p(c.peak_ratio[row]);
        }
    }

    fn health(&mut self, store: &Store) {
        let c = &store.columns;
        for i in 0..self.len {
            let row = self.start + i;
            let node = &store.nodes[c.node[row] as usize];
            self.columns[18][i] = c.throttle_ratio[row];
            self.columns[19][i] = c.error_ratio[row];
            self.columns[20][i] = c.retry_ratio[row];
            self.columns[21][i] = node.cpu;
            self.columns[22][i] = node.memory;
        }
    }
}

fn log_1p(out: &mut [f32], values: &[f32]) {
    for (o, v) in out.iter_mut().zip(values) {
        *o = fast::ln_1p(v.max(0.0));
    }
}
