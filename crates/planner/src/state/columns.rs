//! The columns.

use serde::{Deserialize, Serialize};

/// Windows of demand that are kept one by one.
pub const RING: usize = 8;
/// Number of moving averages of a row.
pub const EWMAS: usize = 5;
/// Half-lives of the moving averages, in windows of 30 s: 45 s, 5 min, 30 min, 6 h, 1 day.
pub const EWMA_WINDOWS: [f32; EWMAS] = [1.5, 10.0, 60.0, 720.0, 2880.0];
/// Forecasters that are weighed against each other: the model, the last window, then the first four moving averages.
pub const EXPERTS: usize = 6;
/// Place of the last window among them.
pub(super) const LAST_WINDOW: usize = 1;
/// Place of the first moving average among them.
pub(super) const FIRST_AVERAGE: usize = 2;

/// One value per row in each vector.
#[derive(Default, Serialize, Deserialize)]
pub struct Columns {
    /// Number of the row's node.
    pub node: Vec<u32>,
    /// First window in which the row was seen.
    pub born: Vec<i64>,
    /// Demand by window: `ring[window mod RING][row]`, requests.
    pub ring: [Vec<f32>; RING],
    /// Moving averages of demand, requests per window.
    pub ewma: [Vec<f32>; EWMAS],
    /// Moving average of the squared distance from the 5-minute average.
    pub variance: Vec<f32>,
    /// Windows since the last request.
    pub quiet: Vec<u16>,
    /// Share of the recent windows that had a request.
    pub active: Vec<f32>,
    /// Bytes per request.
    pub bytes_mean: Vec<f32>,
    /// Share of the requests that were throttled.
    pub throttle_ratio: Vec<f32>,
    /// Share of the admitted requests that failed, over 2 minutes.
    pub error_ratio: Vec<f32>,
    /// The same over 6 hours: what is normal for this row.
    pub error_baseline: Vec<f32>,
    /// Share of the requests that were retries.
    pub retry_ratio: Vec<f32>,
    /// Busiest second over the mean second of a window.
    pub peak_ratio: Vec<f32>,
    /// What the model expected of the window now open, requests; negative when it made no forecast.
    pub expected: Vec<f32>,
    /// What the experts together expected of the window now open, requests.
    pub forecast: Vec<f32>,
    /// Discounted Poisson log loss of each expert.
    pub loss: [Vec<f32>; EXPERTS],
    /// Squared forecast errors over requests, both lately: 1 for a Poisson count.
    pub overdispersion: Vec<f32>,
    /// Moving average of the squared forecast error over the forecast: above the overdispersion where bursts come out of silence.
    pub surprise: Vec<f32>,
    /// Guaranteed rate in the last plan, tokens per second.
    pub rate: Vec<f32>,
    /// The rule that bound it, see `guard::Rule`.
    pub rule: Vec<u8>,
    /// Requests offered in the last window, as reported.
    pub offered: Vec<f32>,
    /// Requests throttled in the last window.
    pub throttled: Vec<f32>,
}

macro_rules! each_column {
    ($columns:ident, $column:ident => $body:expr) => {{
        let Columns {
            node, born, ring, ewma, variance, quiet, active, bytes_mean, throttle_ratio, error_ratio, error_baseline, retry_ratio,
            peak_ratio, expected, forecast, loss, overdispersion, surprise, rate, rule, offered, throttled,
        } = $columns;
        each_column!(@ $column, $body, node, born, variance, quiet, active, bytes_mean, throttle_ratio, error_ratio, error_baseline,
            retry_ratio, peak_ratio, expected, forecast, overdispersion, surprise, rate, rule, offered, throttled);
        for $column in ring.iter_mut().chain(ewma).chain(loss) { $body; }
    }};
    (@ $column:ident, $body:expr, $($name:ident),*) => { $( { let $column = $name; $body; } )* };
}

impl Columns {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.node.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.node.is_empty()
    }

    /// Adds one row of zeros.
    pub fn push(&mut self) {
        each_column!(self, column => column.push(Default::default()));
    }

    /// Sets every value of `row` back to zero.
    pub fn clear(&mut self, row: usize) {
        each_column!(self, column => column[row] = Default::default());
    }
}
