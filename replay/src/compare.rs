//! All contenders over all cases: traces, capacities and delays.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tidegate_planner::Model;
use tidegate_trace::Trace;

use crate::{
    CompareError,
    contender::{Brief, Kind},
    fit::Fit,
    kv::Staleness,
    origin::Origin,
    score::{Score, WindowTotals},
    simulate::{Outcome, simulate},
    spread::{Spread, Spreader},
    workload::{Cut, Workload},
};

/// What to compare, and on what terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How a trace is cut and split.
    pub cut: Cut,
    /// How it is spread over nodes.
    pub spread: Spread,
    /// Number of nodes, where the spread does not say it.
    pub nodes: usize,
    /// Sustained capacities of the origin, as multiples of the mean demand of the scored part.
    pub capacities: Vec<f64>,
    /// The origin's burst, in seconds of its sustained capacity.
    pub burst_seconds: f64,
    /// Delays and polls of the store.
    pub staleness: Vec<Staleness>,
    /// The contenders, in the order of the report.
    pub contenders: Vec<Kind>,
    /// Seed of spread and arrivals.
    pub seed: u64,
}

/// A trace, spread and read for fixed shares.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Name of the trace.
    pub name: String,
    /// Its traffic.
    pub workload: Workload,
    /// Shares by the part before the scored one.
    pub fit: Fit,
    /// How it was spread.
    pub spread: Spread,
    /// On what terms it is compared.
    pub options: Options,
}

/// What came out for one trace at one capacity and one delay.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Name of the trace.
    pub trace: String,
    /// The origin's sustained capacity as a multiple of the mean demand of the scored part.
    pub capacity_x_mean: f64,
    /// The origin.
    pub origin: Origin,
    /// Number of nodes.
    pub nodes: usize,
    /// Number of buckets.
    pub buckets: usize,
    /// How they were spread over the nodes.
    pub spread: Spread,
    /// Delay and poll.
    pub staleness: Staleness,
    /// Scores, in the order asked for.
    pub contenders: Vec<Score>,
    /// Windows of the scored part, for each contender.
    pub windows: Vec<Vec<WindowTotals>>,
    /// Contenders that leased more than the origin has, and when.
    pub breaches: Vec<String>,
    /// What is odd about the case.
    pub notes: Vec<String>,
}

impl Case {
    /// Cuts, spreads and reads `trace`.
    ///
    /// # Errors
    /// [`CompareError::Of`] naming the trace when it cannot be split or scored.
    pub fn new(name: &str, trace: &Trace, options: Options) -> Result<Self, CompareError> {
        let mut spreader = Spreader::new(options.spread, options.nodes, options.seed, trace);
        let workload = Workload::new(trace, &options.cut, &mut spreader)
            .map_err(|source| CompareError::Of { trace: name.to_owned(), source: Box::new(source) })?;
        Ok(Self { name: name.to_owned(), fit: Fit::new(&workload), workload, spread: spreader.spread(), options })
    }

    /// Windows that one contender runs through, at most.
    fn windows_of(&self, kind: Kind) -> u64 {
        let skipped = if kind.plans() { 0 } else { self.workload.fit_windows };
        u64::from(self.workload.windows - skipped)
    }

    fn origin(&self, capacity: f64) -> Origin {
        let sustained_per_s = capacity * self.workload.scored_mean_per_s();
        Origin { sustained_per_s, burst: sustained_per_s * self.options.burst_seconds }
    }
}

/// One contender at one capacity and delay of one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Job {
    case: usize,
    capacity: usize,
    delay: usize,
    kind: Kind,
}

/// Windows that [`compare`] will run through, for a progress bar.
pub fn windows_to_run(cases: &[Case]) -> u64 {
    jobs(cases).iter().map(|job| cases[job.case].windows_of(job.kind)).sum()
}

/// Runs every contender of every case, as many at a time as there are processors; `window_done` is called after each window of
/// each. The order of the result is that of the cases, then capacities, then delays.
///
/// # Errors
/// The first error of a run, in that order.
pub fn compare(cases: &[Case], model: Option<&Model>, window_done: &(dyn Fn() + Sync)) -> Result<Vec<Comparison>, CompareError> {
    let jobs = jobs(cases);
    let mut longest_first: Vec<Job> = jobs.clone();
    longest_first.sort_by_key(|job| std::cmp::Reverse(cases[job.case].windows_of(job.kind)));
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    let work = || {
        while let Some(&job) = longest_first.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = run(&cases[job.case], job, model, window_done);
            // Poisoned only if another worker panicked, and then the scope panics too.
            done.lock().unwrap_or_else(|e| e.into_inner()).insert(job, outcome);
        }
    };
    let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    let mut outcomes = BTreeMap::new();
    for (job, outcome) in done.into_inner().unwrap_or_else(|e| e.into_inner()) {
        outcomes.insert(job, outcome?);
    }
    Ok(gather(cases, &outcomes))
}

fn run(case: &Case, job: Job, model: Option<&Model>, window_done: &dyn Fn()) -> Result<Outcome, CompareError> {
    let origin = case.origin(case.options.capacities[job.capacity]);
    let brief = Brief { workload: &case.workload, fit: &case.fit, origin, model };
    let contender = job.kind.enter(&brief)?;
    Ok(simulate(&brief, contender, case.options.staleness[job.delay], case.options.seed, window_done))
}

/// Every run that is needed, in order. What feels no delay runs once, at the first; `central` always runs: regret needs it.
fn jobs(cases: &[Case]) -> Vec<Job> {
    let mut jobs = vec![];
    for (case, Case { options, .. }) in cases.iter().enumerate() {
        for capacity in 0..options.capacities.len() {
            for delay in 0..options.staleness.len() {
                let kinds = Kind::ALL.into_iter().filter(|k| *k == Kind::Central || options.contenders.contains(k));
                jobs.extend(kinds.filter(|k| delay == 0 || k.feels_delay()).map(|kind| Job { case, capacity, delay, kind }));
            }
        }
    }
    jobs
}

fn gather(cases: &[Case], outcomes: &BTreeMap<Job, Outcome>) -> Vec<Comparison> {
    let mut comparisons = vec![];
    for (index, case) in cases.iter().enumerate() {
        for capacity in 0..case.options.capacities.len() {
            for delay in 0..case.options.staleness.len() {
                comparisons.push(comparison(case, Job { case: index, capacity, delay, kind: Kind::Central }, outcomes));
            }
        }
    }
    comparisons
}

fn comparison(case: &Case, at: Job, outcomes: &BTreeMap<Job, Outcome>) -> Comparison {
    let outcome = |kind: Kind| &outcomes[&Job { kind, delay: if kind.feels_delay() { at.delay } else { 0 }, ..at }];
    let bound = outcome(Kind::Central).score.throttled_share;
    let kinds = &case.options.contenders;
    let scored = |&kind: &Kind| {
        let score = outcome(kind).score.clone();
        Score { name: kind.name().to_owned(), regret: score.throttled_share - bound, ..score }
    };
    let breach = |&kind: &Kind| outcome(kind).breach.as_ref().map(|b| format!("{} leases too much: {b}", kind.name()));
    let capacity_x_mean = case.options.capacities[at.capacity];
    Comparison {
        trace: case.name.clone(),
        capacity_x_mean,
        origin: case.origin(capacity_x_mean),
        nodes: case.workload.nodes,
        buckets: case.workload.buckets,
        spread: case.spread,
        staleness: case.options.staleness[at.delay],
        contenders: kinds.iter().map(scored).collect(),
        windows: kinds.iter().map(|&kind| outcome(kind).windows.clone()).collect(),
        breaches: kinds.iter().filter_map(breach).collect(),
        notes: notes(case),
    }
}

/// What a reader should know before he trusts the figures.
pub fn notes(case: &Case) -> Vec<String> {
    let workload = &case.workload;
    let (scored, fit) = (workload.windows - workload.fit_windows, workload.fit_windows);
    let mut notes = vec![];
    if scored < 100 {
        notes.push(format!("only {scored} windows of 30 s are scored: the figures say little"));
    }
    if fit < 100 {
        notes.push(format!("only {fit} windows of 30 s to learn from"));
    }
    if workload.fit_rows().is_empty() {
        notes.push("no request in the part to learn from: fixed shares are all equal".to_owned());
    }
    if workload.scored_mean_per_s() < 0.05 {
        notes.push(format!("{:.3} requests/s in the mean: a token or two decide", workload.scored_mean_per_s()));
    }
    notes
}
