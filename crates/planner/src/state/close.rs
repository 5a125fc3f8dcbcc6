//! Folding a finished window into every row.

use super::{
    Counts, EWMA_WINDOWS, RING, Store, Window,
    columns::{FIRST_AVERAGE, LAST_WINDOW},
};
use crate::features::fast;

/// Rows per block: what a block touches stays in the first-level cache between its passes.
const BLOCK: usize = 512;
/// Share of an expert's loss that is left after a window: half of it after 1 h.
const LOSS_KEPT: f32 = 0.9943;
/// Weight of the newest window in the measures of spread: half-life 30 min, as of the third moving average.
const SPREAD_NEWEST: f32 = 0.0115;
/// The overdispersion that a series is taken to have, as if it had been seen in this many requests per window: little, so that it
/// gives way as soon as anything is known.
pub(super) const USUAL_OVERDISPERSION: f32 = 2.0;
const USUAL_REQUESTS: f32 = 0.02;
/// Weight of the newest window in a ratio over 2 minutes and in its baseline over 6 hours.
const RATIO_NEWEST: f32 = 0.16;
const BASELINE_NEWEST: f32 = 0.001;
/// Least mean that a Poisson loss is taken at: below it, one request would weigh without bound.
const MEAN_MIN: f32 = 0.02;

impl Store {
    /// The windows to close one by one so that `last` is closed, oldest first.
    ///
    /// These are the ones with a report and the ones still kept in the ring: after a long silence the rest is passed over.
    pub fn to_close(&self, last: Window) -> Vec<Window> {
        let next = self.closed.map(|closed| closed + 1).or(self.open.keys().next().copied()).unwrap_or(last + 1);
        let kept = next.max(last + 1 - RING as i64);
        let reported = self.open.keys().copied().filter(|w| *w < kept && *w <= last);
        reported.chain(kept..=last).collect()
    }

    /// Closes one window: every row takes in its demand, a row of a node that did not report keeps what it expects.
    pub fn close(&mut self, window: Window) {
        let entries = merged(self.take_open(window), self.rows());
        let slot = window.rem_euclid(RING as i64) as usize;
        // The oldest window's place in the ring takes in this one; until it is back there, nothing may read the ring.
        let mut demand = std::mem::take(&mut self.columns.ring[slot]);
        demand.fill(0.0);
        self.columns.offered.fill(0.0);
        self.columns.throttled.fill(0.0);
        let mut claimed: Vec<f32> = entries.iter().map(|(row, counts)| self.take_counts(window, *row as usize, counts)).collect();
        self.within_claims(&entries, &mut claimed);
        for ((row, _), claimed) in entries.iter().zip(claimed) {
            demand[*row as usize] = claimed;
        }
        self.note_newcomers(window, &entries);
        let reported = self.reported(&entries);
        if self.closed.is_some_and(|closed| closed + 1 < window) {
            self.seasonal.interrupt();
        }
        for start in (0..demand.len()).step_by(BLOCK) {
            let end = (start + BLOCK).min(demand.len());
            self.close_block(window, start, &mut demand[start..end], &reported);
        }
        self.seasonal.add(window, &demand);
        self.columns.ring[slot] = demand;
        self.nodes.iter_mut().zip(reported).for_each(|(node, reported)| node.close(window, reported));
        self.rows_by_node.clear();
        self.closed = Some(window);
    }

    /// Which nodes `entries` hold a report of: each report has an entry for its node's total, also when it counted nothing.
    fn reported(&self, entries: &[(u32, Counts)]) -> Vec<bool> {
        let mut reported = vec![false; self.nodes.len()];
        for (row, _) in entries {
            let node = self.columns.node[*row as usize] as usize;
            reported[node] |= self.nodes[node].total == *row;
        }
        reported
    }

    /// Updates what only a row with requests updates; returns its demand: what was offered first, not again.
    fn take_counts(&mut self, window: Window, row: usize, c: &Counts) -> f32 {
        let columns = &mut self.columns;
        columns.offered[row] = c.requests;
        columns.throttled[row] = c.throttled;
        if c.requests <= 0.0 {
            return 0.0;
        }
        let admitted = (c.requests - c.throttled).max(0.0);
        let throttled = c.throttled / c.requests;
        toward(&mut columns.throttle_ratio[row], throttled, RATIO_NEWEST);
        toward(&mut columns.retry_ratio[row], c.retries / c.requests, RATIO_NEWEST);
        if admitted > 0.0 {
            let errors = (c.errors / admitted).min(1.0);
            toward(&mut columns.error_ratio[row], errors, RATIO_NEWEST);
            // A young row has no normal yet: its baseline is the mean of what it has seen, or its usual errors would pass for a surge.
            let young = 1.0 / ((window - columns.born[row]).max(0) as f32 + 1.0);
            toward(&mut columns.error_baseline[row], errors, BASELINE_NEWEST.max(young));
            toward(&mut columns.bytes_mean[row], c.bytes / admitted, RATIO_NEWEST);
        }
        if c.peak_per_s > 0.0 {
            toward(&mut columns.peak_ratio[row], c.peak_per_s * self.interval_s as f32 / c.requests, RATIO_NEWEST);
        }
        let offered = (c.requests - c.retries).max(admitted.min(c.requests));
        if self.as_reported {
            return offered;
        }
        // A throttled window is censored: clients gave up. Its shortfall is believed only by the share that was let through
        // (Tobit exponential smoothing, arXiv 2409.05412, treats it as a lower bound likewise).
        offered + throttled * (columns.ewma[0][row] - offered).max(0.0)
    }

    fn close_block(&mut self, window: Window, start: usize, demand: &mut [f32], reported: &[bool]) {
        let n = demand.len();
        let rows = start..start + n;
        let last = self.closed.filter(|closed| closed + 1 == window).map(|closed| closed.rem_euclid(RING as i64) as usize);
        let c = &mut self.columns;
        let mut seen = [0.0f32; BLOCK];
        let mut young = [0.0f32; BLOCK];
        for i in 0..n {
            seen[i] = if reported[c.node[start + i] as usize] { 1.0 } else { 0.0 };
            young[i] = self::young(window - c.born[start + i]);
        }
        let (seen, young) = (&seen[..n], &young[..n]);
        for ((y, seen), expected) in demand.iter_mut().zip(seen).zip(&c.ewma[0][rows.clone()]) {
            *y = if *seen > 0.0 { *y } else { *expected };
        }
        let demand = &*demand;
        weigh_experts(c, rows.clone(), last, demand, seen);
        spread(c, rows.clone(), demand, seen);
        overdispersion(c, rows.clone(), demand, seen, young);
        for (column, half_life) in c.ewma.iter_mut().zip(EWMA_WINDOWS) {
            let newest = 1.0 - 0.5f32.powf(1.0 / half_life);
            for (((e, y), seen), young) in column[rows.clone()].iter_mut().zip(demand).zip(seen).zip(young) {
                *e += newest.max(*young) * (y - *e) * seen;
            }
        }
        let (active, quiet) = (&mut c.active[rows.clone()], &mut c.quiet[rows]);
        for (((a, q), y), seen) in active.iter_mut().zip(quiet).zip(demand).zip(seen) {
            let hit = if *y > 0.0 { 1.0 } else { 0.0 };
            *a += SPREAD_NEWEST * (hit - *a) * seen;
            *q = if *y > 0.0 { 0 } else { q.saturating_add(*seen as u16) };
        }
    }
}

/// Adds the window's Poisson log loss to each expert's, relative to the best of them; `last` is the slot of the window before,
/// unless windows are missing: then the shortest average stands for it.
///
/// Losses are divided by the overdispersion, which a jump raises at once and by its square: no single window decides whom to trust.
fn weigh_experts(c: &mut super::Columns, rows: std::ops::Range<usize>, last: Option<usize>, demand: &[f32], seen: &[f32]) {
    let mut best = [f32::INFINITY; BLOCK];
    let over = &c.overdispersion[rows.clone()];
    for (expert, loss) in c.loss.iter_mut().enumerate() {
        // The shortest average also takes the place of a model that has made no forecast.
        let average = match last {
            Some(slot) if expert == LAST_WINDOW => &c.ring[slot][rows.clone()],
            _ => &c.ewma[expert.saturating_sub(FIRST_AVERAGE)][rows.clone()],
        };
        let mean = if expert == 0 { &c.expected[rows.clone()] } else { average };
        // In steps, each of few columns: the compiler vectorises no loop over as many as there are in all.
        let mut newest = [0.0f32; BLOCK];
        for ((newest, mean), average) in newest.iter_mut().zip(mean).zip(average) {
            *newest = if *mean >= 0.0 { *mean } else { *average }.max(MEAN_MIN);
        }
        for ((newest, y), over) in newest.iter_mut().zip(demand).zip(over) {
            *newest = (*newest - y * fast::ln(*newest)) / over.max(1.0);
        }
        for (((loss, best), newest), seen) in loss[rows.clone()].iter_mut().zip(&mut best).zip(&newest).zip(seen) {
            *loss = *loss * (1.0 - seen * (1.0 - LOSS_KEPT)) + newest * seen;
            *best = best.min(*loss);
        }
    }
    for loss in &mut c.loss {
        for (l, best) in loss[rows.clone()].iter_mut().zip(&best) {
            *l -= best;
        }
    }
}

/// Updates how far demand strays: from its 5-minute average, and from its forecast in single windows.
fn spread(c: &mut super::Columns, rows: std::ops::Range<usize>, demand: &[f32], seen: &[f32]) {
    let mean = &c.ewma[1][rows.clone()];
    let variance = &mut c.variance[rows.clone()];
    for i in 0..demand.len() {
        let off = demand[i] - mean[i];
        variance[i] += SPREAD_NEWEST * (off * off - variance[i]) * seen[i];
    }
    let forecast = &c.forecast[rows.clone()];
    let surprise = &mut c.surprise[rows];
    for i in 0..demand.len() {
        let off = demand[i] - forecast[i];
        let newest = off * off / forecast[i].max(0.1);
        surprise[i] = (surprise[i] + SPREAD_NEWEST * (newest - surprise[i]) * seen[i]).clamp(0.1, 1e6);
    }
}

/// Updates the overdispersion: squared forecast errors over requests, each summed with the weights of the third moving average.
///
/// A ratio of sums, not a mean of ratios: one burst out of silence is weighed against itself, and does not stand over what follows.
/// A window that nothing was forecast for tells nothing of how far forecasts stray.
fn overdispersion(c: &mut super::Columns, rows: std::ops::Range<usize>, demand: &[f32], seen: &[f32], young: &[f32]) {
    let (forecast, level) = (&c.forecast[rows.clone()], &c.ewma[2][rows.clone()]);
    let over = &mut c.overdispersion[rows];
    for i in 0..demand.len() {
        let foreseen = if forecast[i] > 0.0 { seen[i] } else { 0.0 };
        let newest = SPREAD_NEWEST.max(young[i]) * foreseen;
        let off = demand[i] - forecast[i];
        let before = (level[i] + USUAL_REQUESTS) * (1.0 - newest);
        let squares = over[i] * before + newest * (off * off + USUAL_REQUESTS * USUAL_OVERDISPERSION);
        over[i] = (squares / (before + newest * (demand[i] + USUAL_REQUESTS))).clamp(0.1, 1e6);
    }
}

fn toward(value: &mut f32, newest: f32, weight: f32) {
    *value += weight * (newest - *value);
}

/// What the newest window weighs in moving average `k` of a row that was first seen `age` windows before: a young one is the
/// plain mean of what it has seen.
pub(super) fn newest_weight(k: usize, age: Window) -> f32 {
    (1.0 - 0.5f32.powf(1.0 / EWMA_WINDOWS[k])).max(young(age))
}

fn young(age: Window) -> f32 {
    1.0 / (age.max(0) as f32 + 2.0)
}

/// One entry per row, in order of first mention; what several reports tell of a row is added up in the order in which they came.
fn merged(mut entries: Vec<(u32, Counts)>, rows: usize) -> Vec<(u32, Counts)> {
    const NONE: u32 = u32::MAX;
    let mut places = vec![NONE; rows];
    let mut kept = 0;
    for i in 0..entries.len() {
        let (row, counts) = entries[i];
        let place = &mut places[row as usize];
        if *place == NONE {
            *place = kept as u32;
            entries[kept] = (row, counts);
            kept += 1;
        } else {
            entries[*place as usize].1.add(&counts);
        }
    }
    entries.truncate(kept);
    entries
}
