//! Schemes that know nothing: their first windows, from several starting points of a trace.

use tidegate_planner::Model;
use tidegate_trace::Trace;

use crate::{CompareError, Comparison, Options, compare, compare::Case, contender::Kind, spread::Spread, workload::WINDOW_S};

/// From where, and how far.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Starting points, evenly spaced over the trace.
    pub starts: usize,
    /// Windows that are scored together, from the start on; the last is the longest.
    pub first: Vec<u32>,
}

/// What came out for one trace at one capacity and one delay, over one number of first windows.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// How buckets were spread over the nodes.
    pub spread: Spread,
    /// Number of nodes.
    pub nodes: usize,
    /// The origin's sustained capacity as a multiple of the mean demand.
    pub capacity_x_mean: f64,
    /// First windows that are scored.
    pub windows: u32,
    /// Starting points that are followed by a request within these.
    pub starts: usize,
    /// Share of the demand that was refused, by contender, mean over the starting points.
    pub throttled_share: Vec<f64>,
    /// What adaptive refused more than static-pool, mean over the starting points and its standard error; where both were run.
    pub more: Option<(f64, f64)>,
    /// Starting points after which it refused more, and less.
    pub worse_and_better: (usize, usize),
    /// Contenders that leased more than the origin has, and when.
    pub breaches: Vec<String>,
}

/// The cases of `trace`, one per starting point.
///
/// # Errors
/// [`CompareError::Of`] when the trace cannot be split, or holds no request after any of them.
pub fn cases(name: &str, trace: &Trace, course: &Course, options: &Options) -> Result<Vec<Case>, CompareError> {
    let seconds = course.first.iter().max().map_or(0, |windows| windows * WINDOW_S);
    let room = trace.length.saturating_sub(seconds) / WINDOW_S;
    let from = |start: usize| (f64::from(room) * start as f64 / (course.starts - 1).max(1) as f64) as u32 * WINDOW_S;
    let mut options = options.clone();
    options.cut.fit = 0.0;
    let mut cases = vec![];
    let mut silent = None;
    for start in 0..course.starts {
        match Case::new(name, &trace.span(from(start), seconds), options.clone()) {
            Ok(case) => cases.push(case),
            Err(error) => silent = Some(error),
        }
    }
    silent.filter(|_| cases.is_empty()).map_or(Ok(cases), Err)
}

/// Runs `cases`, which are of one trace, and adds them up.
///
/// # Errors
/// The first error of a run.
pub fn run(cases: &[Case], course: &Course, model: Option<&Model>) -> Result<Vec<Opening>, CompareError> {
    let comparisons = compare(cases, model, &|| ())?;
    let per_case = comparisons.len() / cases.len().max(1);
    let mut openings = vec![];
    for place in 0..per_case {
        let of_starts: Vec<&Comparison> = comparisons.iter().skip(place).step_by(per_case).collect();
        openings.extend(course.first.iter().filter_map(|windows| opening(&of_starts, *windows)));
    }
    Ok(openings)
}

fn opening(of_starts: &[&Comparison], windows: u32) -> Option<Opening> {
    let like = of_starts.first()?;
    let shares: Vec<Vec<f64>> = of_starts.iter().filter_map(|c| refused(c, windows as usize)).collect();
    let place = |kind: Kind| like.contenders.iter().position(|score| score.name == kind.name());
    let both = place(Kind::Adaptive).zip(place(Kind::StaticPool));
    let more: Option<Vec<f64>> = both.map(|(adaptive, fixed)| shares.iter().map(|s| s[adaptive] - s[fixed]).collect());
    let counted = |sign: f64| more.iter().flatten().filter(|m| **m * sign > 0.0).count();
    let mean = |contender: usize| mean_and_error(shares.iter().map(|s| s[contender])).0;
    Some(Opening {
        spread: like.spread,
        nodes: like.nodes,
        capacity_x_mean: like.capacity_x_mean,
        windows,
        starts: shares.len(),
        throttled_share: (0..like.contenders.len()).map(mean).collect(),
        worse_and_better: (counted(1.0), counted(-1.0)),
        more: more.map(|more| mean_and_error(more.into_iter())),
        breaches: of_starts.iter().flat_map(|c| c.breaches.clone()).collect(),
    })
}

/// Share of the demand of the first windows that each contender refused; `None` without any.
fn refused(comparison: &Comparison, windows: usize) -> Option<Vec<f64>> {
    let of_contender = |totals: &Vec<crate::score::WindowTotals>| {
        let first = &totals[..windows.min(totals.len())];
        let demand: u64 = first.iter().map(|w| w.demand).sum();
        let admitted: u64 = first.iter().map(|w| w.admitted).sum();
        (demand > 0).then(|| (demand - admitted) as f64 / demand as f64)
    };
    comparison.windows.iter().map(of_contender).collect()
}

fn mean_and_error(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let values: Vec<f64> = values.collect();
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0) / count).sqrt())
}
