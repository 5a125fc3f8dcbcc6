//! The table: features of a series at the end of a window, and its demand in the windows after it.

use tidegate_planner::{features::COUNT, forecast::STEPS};

use crate::evaluate::NAIVE;

/// What kind of series a row is of. Errors are told apart by it: one busy total would hide a thousand quiet keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// All buckets of a node together.
    Total,
    /// A bucket with a request or more per window, averaged over 30 minutes.
    Busy,
    /// A bucket with less.
    Quiet,
}

impl Class {
    /// Its name, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Total => "totals",
            Self::Busy => "busy",
            Self::Quiet => "quiet",
        }
    }
}

/// Where rows came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Trace or journal.
    pub name: String,
    /// Windows that it spans.
    pub windows: u32,
    /// Start of the first and end of the last window, RFC 3339.
    pub from: String,
    /// See `from`.
    pub to: String,
    /// Series seen, node totals included.
    pub series: usize,
    /// Requests offered.
    pub requests: u64,
    /// Damaged frames left out.
    pub skipped: u64,
}

/// Rows in columns: row `i` is entry `i` of each vector, and `COUNT` values of `x`.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    /// Features, row by row.
    pub x: Vec<f32>,
    /// What the naive forecasts say, see [`crate::evaluate::NAIVE`], requests per window.
    pub naive: Vec<[f32; NAIVE.len()]>,
    /// Demand of each of the next windows, requests.
    pub targets: [Vec<f32>; STEPS],
    /// Bit `k`: the demand of step `k` is known.
    pub known: Vec<u8>,
    /// Bit `k`: the demand of step `k` is a lower bound.
    pub at_least: Vec<u8>,
    /// How many rows this one stands for.
    pub weight: Vec<f32>,
    /// Window of the features, from the source's first.
    pub window: Vec<u32>,
    /// Index of the source.
    pub source: Vec<u16>,
    /// Kind of series.
    pub class: Vec<Class>,
    /// The sources.
    pub spans: Vec<Span>,
}

impl Samples {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.weight.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.weight.is_empty()
    }

    /// Features of row `i`.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.x[i * COUNT..(i + 1) * COUNT]
    }

    /// Demand of row `i` at `step`, if it is known exactly.
    pub fn exact(&self, i: usize, step: usize) -> Option<f32> {
        let bit = 1 << step;
        (self.known[i] & bit != 0 && self.at_least[i] & bit == 0).then(|| self.targets[step][i])
    }

    /// Whether row `i` and all that it was to forecast lie before `fraction` of its source.
    pub fn ends_before(&self, i: usize, fraction: f64) -> bool {
        f64::from(self.window[i] + STEPS as u32 + 1) <= fraction * self.windows_of(i)
    }

    /// Whether row `i` was made at or after `fraction` of its source.
    pub fn is_from(&self, i: usize, fraction: f64) -> bool {
        f64::from(self.window[i] + 1) >= fraction * self.windows_of(i)
    }

    fn windows_of(&self, i: usize) -> f64 {
        f64::from(self.spans[usize::from(self.source[i])].windows)
    }
}
