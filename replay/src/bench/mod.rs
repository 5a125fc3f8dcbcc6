//! Every contender over every trace, on a grid of capacities, nodes and delays.
//!
//! [`run`] makes the cases one by one, so that memory holds one at a time; [`oddities`] says what is odd about a trace, [`checks`] what
//! the scores come to beside the targets, [`report`] writes it all down.

pub mod checks;
pub mod oddities;
pub mod report;

use std::path::PathBuf;

use tidegate_planner::Model;
use tidegate_trace::Trace;

use crate::{
    Case, CompareError, Comparison, Options, compare, compare::windows_to_run, contender::Kind, kv::Staleness, named, spread::Spread,
    workload::Cut,
};

/// Number of nodes and delay of the targets, and of the runs of the planner without one of its parts.
pub const TARGET_NODES: usize = 4;
/// Seconds of delay of the targets.
pub const TARGET_DELAY_S: u32 = 30;

/// What is run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Sustained capacities, as multiples of the mean demand of the scored part.
    pub capacities: Vec<f64>,
    /// Numbers of nodes, for traces without nodes of their own.
    pub nodes: Vec<usize>,
    /// Delays of the store, in seconds.
    pub delays_s: Vec<u32>,
    /// Most seconds that a node sees a table later than that.
    pub jitter_s: u32,
    /// The origin's burst, in seconds of its sustained capacity.
    pub burst_seconds: f64,
    /// Share of the windows that contenders learn from and that is not scored.
    pub fit: f64,
    /// The contenders, in the order of the report.
    pub contenders: Vec<Kind>,
    /// Seed of spread and arrivals.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            capacities: vec![1.2, 1.5, 3.0, 6.0],
            nodes: vec![1, 2, 4, 8, 16],
            delays_s: vec![0, 30, 60, 120],
            jitter_s: 0,
            burst_seconds: 120.0,
            fit: 0.5,
            contenders: Kind::ALL.to_vec(),
            seed: 0,
        }
    }
}

impl Plan {
    /// What the targets are about, and no more.
    pub fn quick() -> Self {
        Self { capacities: vec![1.5, 3.0], nodes: vec![TARGET_NODES], delays_s: vec![0, TARGET_DELAY_S], ..Self::default() }
    }

    fn options(&self, spread: Spread, nodes: usize) -> Options {
        Options {
            cut: Cut { buckets: None, windows: None, fit: self.fit, gather: false },
            spread,
            nodes,
            capacities: self.capacities.clone(),
            burst_seconds: self.burst_seconds,
            staleness: self.delays_s.iter().map(|&delay_s| Staleness { jitter_s: self.jitter_s, ..Staleness::fixed(delay_s) }).collect(),
            contenders: self.contenders.iter().copied().filter(|kind| !kind.is_ablation()).collect(),
            seed: self.seed,
        }
    }

    /// Spreads and numbers of nodes that a trace runs at.
    fn spreads(&self, trace: &Trace) -> Vec<(Spread, usize)> {
        if trace.node_names.len() > 1 {
            return vec![(Spread::Own, trace.node_names.len())];
        }
        self.nodes.iter().map(|&nodes| (Spread::Auto, nodes)).collect()
    }
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Every trace at every capacity, number of nodes and delay; without their windows.
    pub comparisons: Vec<Comparison>,
    /// What a reader should know of a trace: its name, what is odd.
    pub oddities: Vec<(String, String)>,
    /// Traces, or cases of them, that could not be scored: the name, the reason.
    pub unscored: Vec<(String, String)>,
}

/// Who is told how far a bench is.
pub trait Watch: Sync {
    /// A case begins in which `windows` windows will be run through; `place` of `cases`.
    fn case_begins(&self, name: &str, nodes: usize, place: (usize, usize), windows: u64);
    /// A window was run through.
    fn window_done(&self);
}

/// Runs `plan` over the trace files. Whatever is wrong with a trace is reported in the outcome, and the others are run.
pub fn run(plan: &Plan, files: &[PathBuf], model: Option<&Model>, watch: &dyn Watch) -> Outcome {
    let mut outcome = Outcome::default();
    let mut cases = vec![];
    for file in files {
        let name = named(file);
        match Trace::read(file) {
            Ok(trace) => cases.extend(plan.spreads(&trace).into_iter().map(|spread| (name.clone(), file, spread))),
            Err(error) => outcome.unscored.push((name, error.to_string())),
        }
    }
    for (place, (name, file, spread)) in cases.iter().enumerate() {
        let place = (place + 1, cases.len());
        // Read anew for each case: a second's work, and memory never holds more than one trace.
        let scored = Trace::read(file).map_err(CompareError::from).and_then(|trace| {
            let terms = Terms { plan, model, watch, place };
            terms.score(name, &trace, *spread, &mut outcome)
        });
        if let Err(error) = scored {
            let known = outcome.unscored.iter().any(|(unscored, _)| unscored == name);
            if !known {
                outcome.unscored.push((name.clone(), reason(error)));
            }
        }
    }
    outcome
}

/// What is wrong, without the trace's name, which stands beside it.
fn reason(error: CompareError) -> String {
    match error {
        CompareError::Of { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

/// What is the same for all parts of a case.
struct Terms<'a> {
    plan: &'a Plan,
    model: Option<&'a Model>,
    watch: &'a dyn Watch,
    place: (usize, usize),
}

impl Terms<'_> {
    fn score(&self, name: &str, trace: &Trace, spread: (Spread, usize), outcome: &mut Outcome) -> Result<(), CompareError> {
        let options = self.plan.options(spread.0, spread.1);
        let whole = Case::new(name, trace, options)?;
        let first_of_trace = !outcome.oddities.iter().any(|(odd, _)| odd == name);
        let part = self.ablations(&whole);
        let windows = windows_to_run(std::slice::from_ref(&whole)) + windows_to_run(part.as_slice());
        self.watch.case_begins(name, spread.1, self.place, windows);
        let done = || self.watch.window_done();
        let mut comparisons = compare(std::slice::from_ref(&whole), self.model, &done)?;
        for ablated in compare(part.as_slice(), self.model, &done)? {
            let same = |c: &&mut Comparison| c.capacity_x_mean == ablated.capacity_x_mean && c.staleness == ablated.staleness;
            if let Some(comparison) = comparisons.iter_mut().find(same) {
                comparison.contenders.extend(ablated.contenders);
                comparison.breaches.extend(ablated.breaches);
                self.sort(comparison);
            }
        }
        comparisons.iter_mut().for_each(|c| c.windows.clear());
        if first_of_trace {
            outcome.oddities.extend(oddities::of(&whole).into_iter().map(|odd| (name.to_owned(), odd)));
        }
        outcome.comparisons.extend(comparisons);
        Ok(())
    }

    /// The case of the planner without one of its parts, where that is run.
    fn ablations(&self, whole: &Case) -> Option<Case> {
        let contenders: Vec<Kind> = self.plan.contenders.iter().copied().filter(|kind| kind.is_ablation()).collect();
        let is_target = whole.spread == Spread::Own || whole.options.nodes == TARGET_NODES;
        let staleness: Vec<Staleness> = whole.options.staleness.iter().copied().filter(|s| s.delay_s == TARGET_DELAY_S).collect();
        let runs = is_target && !contenders.is_empty() && !staleness.is_empty();
        runs.then(|| Case { options: Options { contenders, staleness, ..whole.options.clone() }, ..whole.clone() })
    }

    fn sort(&self, comparison: &mut Comparison) {
        let place = |name: &str| self.plan.contenders.iter().position(|kind| kind.name() == name);
        comparison.contenders.sort_by_key(|score| place(&score.name));
    }
}
