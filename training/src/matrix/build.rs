//! Reports through the planner's store, window by window, exactly as the engine would have taken them in.

use std::collections::{HashMap, VecDeque};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tidegate_planner::{
    features::{self, COUNT},
    forecast::STEPS,
    settings::Settings,
    state::{Store, Window},
};

use super::{
    Class, Samples, Span,
    choose::{Choice, Chooser, Rates},
    health::is_flagged,
};
use crate::{
    dataset::{NodeWindow, Source},
    evaluate::NAIVE,
};

/// Windows between two looks for idle series.
const EVICT_EVERY: u32 = 60;
/// Mean requests per window from which a bucket is busy.
const BUSY: f32 = 1.0;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// About so many rows of a source are kept.
    pub rows: usize,
    /// Keep rows from this share of the source on; what comes before only warms the state up.
    pub from: f64,
    /// Seed of the choice.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { rows: 150_000, from: 0.0, seed: 0 }
    }
}

/// Adds rows of `source` to `samples`. `progress` is told after each window.
pub fn build(source: &Source, options: Options, samples: &mut Samples, progress: &dyn Fn()) {
    let settings = Settings { interval_s: source.step_s, ..Settings::default() };
    let rng = ChaCha8Rng::seed_from_u64(options.seed);
    let from = (options.from * f64::from(source.windows)).ceil() as u32;
    let mut chooser = Chooser::new(source, Rates::of(source, options.rows), rng);
    let mut pass = Pass::new(source, &settings, samples);
    for window in 0..source.windows {
        pass.close(window, chooser.reports(window));
        pass.resolve(window);
        if window + 1 >= from && window + 1 < source.windows {
            let choices = chooser.choose(&pass.store, window);
            pass.take(window, &choices);
        }
        if window % EVICT_EVERY == EVICT_EVERY - 1 {
            pass.evict();
        }
        progress();
    }
    pass.finish(source);
}

/// A row of features that waits for what it has to forecast.
struct Pending {
    row: usize,
    window: u32,
    weight: f32,
    class: Class,
    x: [f32; COUNT],
    naive: [f32; NAIVE.len()],
    targets: [f32; STEPS],
    known: u8,
    at_least: u8,
}

struct Pass<'a> {
    source: &'a Source,
    settings: &'a Settings,
    samples: &'a mut Samples,
    store: Store,
    pending: VecDeque<Pending>,
    /// Rows throttled in the window last closed, and the least that their demand was.
    throttled: HashMap<usize, f32>,
    block: Box<features::Block>,
}

impl<'a> Pass<'a> {
    fn new(source: &'a Source, settings: &'a Settings, samples: &'a mut Samples) -> Self {
        Self {
            source,
            settings,
            samples,
            store: Store::new(source.step_s, settings.limits.clone()),
            pending: VecDeque::new(),
            throttled: HashMap::new(),
            block: Box::default(),
        }
    }

    fn absolute(&self, window: u32) -> Window {
        self.source.first + i64::from(window)
    }

    fn close(&mut self, window: u32, reports: &[NodeWindow]) {
        for report in reports {
            self.store.record(&self.source.report(report));
        }
        for window in self.store.to_close(self.absolute(window)) {
            self.store.close(window);
        }
        self.throttled.clear();
        for report in reports {
            self.note_throttled(report);
        }
    }

    /// What was offered for the first time is the least that was wanted, in a window in which clients were refused.
    fn note_throttled(&mut self, report: &NodeWindow) {
        let entries = &self.source.entries[report.entries.clone()];
        if entries.iter().all(|e| e.throttled == 0) {
            return;
        }
        let Some(node) = self.store.node_number(&self.source.nodes[report.node as usize]) else { return };
        let mut total = 0.0;
        for e in entries {
            let admitted = e.requests.saturating_sub(e.throttled);
            let least = e.requests.saturating_sub(e.retries).max(admitted) as f32;
            total += least;
            if e.throttled > 0
                && let Some(row) = self.store.row(node, &self.source.buckets[e.bucket as usize])
            {
                self.throttled.insert(row, least);
            }
        }
        self.throttled.insert(self.store.nodes[node as usize].total as usize, total);
    }

    /// Tells the rows that wait for this window what it brought, and lets go of those that have waited for their last.
    fn resolve(&mut self, window: u32) {
        let now = self.absolute(window);
        for p in &mut self.pending {
            let step = (window - p.window - 1) as usize;
            let node = &self.store.nodes[self.store.columns.node[p.row] as usize];
            if node.last < now || is_flagged(&self.store, p.row, &self.settings.guard) {
                continue;
            }
            p.known |= 1 << step;
            p.targets[step] = match self.throttled.get(&p.row) {
                Some(&least) => {
                    p.at_least |= 1 << step;
                    least
                }
                None => self.store.demand(p.row, 0),
            };
        }
        while self.pending.front().is_some_and(|p| window - p.window >= STEPS as u32) {
            if let Some(done) = self.pending.pop_front() {
                self.push(&done);
            }
        }
    }

    fn take(&mut self, window: u32, choices: &[Choice]) {
        let now = self.absolute(window);
        let mut filled = 0..0;
        for choice in choices {
            let row = choice.row;
            let node = &self.store.nodes[self.store.columns.node[row] as usize];
            if node.last < now || is_flagged(&self.store, row, &self.settings.guard) {
                continue;
            }
            if !filled.contains(&row) {
                self.block.fill(&self.store, row);
                filled = self.block.start..self.block.start + self.block.len;
            }
            let class = match () {
                () if node.total as usize == row => Class::Total,
                () if self.store.columns.ewma[2][row] >= BUSY => Class::Busy,
                () => Class::Quiet,
            };
            let (x, naive, targets) = (self.block.row(row), NAIVE.map(|n| n.of(&self.store, row)), [0.0; STEPS]);
            self.pending.push_back(Pending { row, window, weight: choice.weight, class, x, naive, targets, known: 0, at_least: 0 });
        }
    }

    /// Lets idle series go, as the planner does; a row that goes tells no more.
    fn evict(&mut self) {
        let now = self.store.closed().unwrap_or(0);
        if self.store.evict(now, i64::from(self.settings.lease.forget_after_s), |_| false) == 0 {
            return;
        }
        let waiting = std::mem::take(&mut self.pending);
        for p in waiting {
            if self.store.index.name(p.row).is_some() { self.pending.push_back(p) } else { self.push(&p) }
        }
    }

    fn push(&mut self, p: &Pending) {
        if p.known == 0 {
            return;
        }
        let samples = &mut *self.samples;
        samples.x.extend_from_slice(&p.x);
        samples.naive.push(p.naive);
        for (column, target) in samples.targets.iter_mut().zip(p.targets) {
            column.push(target);
        }
        samples.known.push(p.known);
        samples.at_least.push(p.at_least);
        samples.weight.push(p.weight);
        samples.window.push(p.window);
        samples.source.push(samples.spans.len() as u16);
        samples.class.push(p.class);
    }

    fn finish(mut self, source: &Source) {
        for p in std::mem::take(&mut self.pending) {
            self.push(&p);
        }
        let (from, to) = source.span();
        self.samples.spans.push(Span {
            name: source.name.clone(),
            windows: source.windows,
            from: from.to_string(),
            to: to.to_string(),
            series: source.buckets.len() + source.nodes.len(),
            requests: source.requests(),
            skipped: source.skipped,
        });
    }
}
