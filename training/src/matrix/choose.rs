//! Which rows are kept. Most windows of most series are silent and tell nothing new: a row is kept when something is
//! requested in one of the windows that it has to forecast, and a few of the others stand for the rest.
//!
//! The choice depends on what is to be learned, so each kept row carries one over its probability as its weight: sums
//! over the kept rows are then right on average for all rows, the silent ones included.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tidegate_planner::{forecast::STEPS, state::Store};

use crate::dataset::{NodeWindow, Source};

/// Probabilities of keeping a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Of one that is followed by a request.
    pub active: f64,
    /// Of one that is followed by silence.
    pub silent: f64,
}

impl Rates {
    /// Rates by which about `budget` rows of `source` are kept, a fifth of them silent.
    pub fn of(source: &Source, budget: usize) -> Self {
        let budget = budget as f64;
        // A request makes up to STEPS rows of its series and of its node's total active; most of them are so already.
        let active_rows = (source.entries.len() * 2) as f64;
        let active = (0.8 * budget / active_rows.max(1.0)).min(1.0);
        let series = source.buckets.len().max(1) + source.nodes.len();
        let silent_rows = f64::from(source.windows.max(1)) * series as f64;
        Self { active, silent: (0.2 * budget / silent_rows).min(active) }
    }
}

/// Picks rows, window by window.
pub struct Chooser<'a> {
    source: &'a Source,
    rates: Rates,
    rng: ChaCha8Rng,
    /// Index of the first report of each window, and the end.
    starts: Vec<usize>,
    is_active: Vec<bool>,
}

/// A row that is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Row of the store.
    pub row: usize,
    /// How many rows it stands for.
    pub weight: f32,
}

impl<'a> Chooser<'a> {
    /// A chooser for the reports of `source`.
    pub fn new(source: &'a Source, rates: Rates, rng: ChaCha8Rng) -> Self {
        let mut starts = vec![source.reports.len(); source.windows as usize + 1];
        for (i, r) in source.reports.iter().enumerate().rev() {
            starts[r.window as usize] = i;
        }
        for w in (0..source.windows as usize).rev() {
            starts[w] = starts[w].min(starts[w + 1]);
        }
        Self { source, rates, rng, starts, is_active: vec![] }
    }

    /// Reports of a window.
    pub fn reports(&self, window: u32) -> &'a [NodeWindow] {
        let at = |w: u32| self.starts[(w as usize).min(self.starts.len() - 1)];
        &self.source.reports[at(window)..at(window + 1)]
    }

    /// The rows to keep of those that stand in `store` after `window`, ascending.
    pub fn choose(&mut self, store: &Store, window: u32) -> Vec<Choice> {
        let mut active = vec![];
        self.is_active.resize(store.rows(), false);
        for ahead in 1..=STEPS as u32 {
            for report in self.reports(window + ahead) {
                self.mark(store, report, &mut active);
            }
        }
        let mut kept = vec![];
        for &row in &active {
            if self.rng.random_bool(self.rates.active) {
                kept.push(Choice { row, weight: (1.0 / self.rates.active) as f32 });
            }
        }
        self.choose_silent(store, &mut kept);
        active.iter().for_each(|&row| self.is_active[row] = false);
        kept.sort_by_key(|c| c.row);
        kept
    }

    fn mark(&mut self, store: &Store, report: &NodeWindow, active: &mut Vec<usize>) {
        if report.entries.is_empty() {
            return;
        }
        let Some(node) = store.node_number(&self.source.nodes[report.node as usize]) else { return };
        let buckets = self.source.entries[report.entries.clone()].iter();
        let rows = buckets.filter(|e| e.requests > 0).filter_map(|e| store.row(node, &self.source.buckets[e.bucket as usize]));
        for row in rows.chain([store.nodes[node as usize].total as usize]) {
            if !std::mem::replace(&mut self.is_active[row], true) {
                active.push(row);
            }
        }
    }

    /// Walks over the rows in steps whose lengths are drawn, so that the cost is that of the rows kept.
    fn choose_silent(&mut self, store: &Store, kept: &mut Vec<Choice>) {
        let keep = self.rates.silent;
        if keep <= 0.0 {
            return;
        }
        let mut row = self.skip(keep);
        while row < store.rows() {
            if store.index.name(row).is_some() && !self.is_active[row] {
                kept.push(Choice { row, weight: (1.0 / keep) as f32 });
            }
            row += 1 + self.skip(keep);
        }
    }

    /// Rows passed over before the next that is kept: geometric.
    fn skip(&mut self, keep: f64) -> usize {
        if keep >= 1.0 {
            return 0;
        }
        let u: f64 = 1.0 - self.rng.random::<f64>();
        (u.ln() / (1.0 - keep).ln()) as usize
    }
}
