//! What a case replays: a trace, spread over nodes, on a clock that starts with a window.

use tidegate_trace::Trace;

use crate::{CompareError, spread::Spreader};

/// Length of a window, of a tick and of a step of a schedule, in seconds.
pub const WINDOW_S: u32 = 30;

/// How a trace is cut down and split before it is replayed.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// Keep this many of the busiest buckets; all when `None`.
    pub buckets: Option<usize>,
    /// Keep this many windows; all when `None`.
    pub windows: Option<u32>,
    /// Share of the windows that contenders learn from and that is not scored, below 1; with 0 they begin cold, and all is scored.
    pub fit: f64,
    /// Let all requests of a window come in its last second, as in schemes that reckon by whole windows.
    pub gather: bool,
}

/// Demand of every second, node and bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Second 0, a multiple of [`WINDOW_S`] since the Unix epoch.
    pub start: i64,
    /// Windows in all.
    pub windows: u32,
    /// Of them, how many come before the scored part.
    pub fit_windows: u32,
    /// Number of nodes.
    pub nodes: usize,
    /// Number of buckets.
    pub buckets: usize,
    /// Every bucket at every node where it is asked for.
    pub series: Vec<Series>,
    /// Demand in order of time; within a second in order of series as first seen.
    pub rows: Vec<Demand>,
}

/// A bucket at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    /// Index of the node.
    pub node: usize,
    /// Index of the bucket.
    pub bucket: usize,
}

/// What is asked of one series in one second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// Second, from the workload's start.
    pub second: u32,
    /// Index of the series.
    pub series: u32,
    /// Requests offered.
    pub requests: u32,
    /// Of them, how many would fail at the origin.
    pub errors: u32,
    /// Mean payload of a request, in bytes; 0 where it is unknown.
    pub bytes_mean: f32,
}

impl Workload {
    /// Cuts and spreads a trace. The trace's first second becomes second 0 of the first window: every time of the trace is
    /// moved by less than a window.
    ///
    /// # Errors
    /// [`CompareError::Short`] when fewer than two windows are left, [`CompareError::NothingToScore`] when the part to be
    /// scored holds no request.
    pub fn new(trace: &Trace, cut: &Cut, spreader: &mut Spreader) -> Result<Self, CompareError> {
        let seconds = cut.windows.map_or(trace.length, |w| w.saturating_mul(WINDOW_S));
        let trace = trace.busiest(cut.buckets.unwrap_or(usize::MAX)).span(0, seconds);
        let windows = trace.length.div_ceil(WINDOW_S);
        if windows < 2 {
            return Err(CompareError::Short { windows });
        }
        // Fits: the share is below one.
        let fit_windows = ((f64::from(windows) * cut.fit) as u32).clamp(u32::from(cut.fit > 0.0), windows - 1);
        let mut workload = Self {
            start: trace.start.div_euclid(i64::from(WINDOW_S)) * i64::from(WINDOW_S),
            windows,
            fit_windows,
            nodes: spreader.nodes(&trace),
            buckets: trace.bucket_names.len(),
            series: vec![],
            rows: Vec::with_capacity(trace.rows()),
        };
        workload.fill(&trace, spreader, cut.gather);
        if workload.scored_requests() == 0 {
            return Err(CompareError::NothingToScore { fit_windows, windows });
        }
        Ok(workload)
    }

    fn fill(&mut self, trace: &Trace, spreader: &mut Spreader, gather: bool) {
        // `known[bucket][node]` is the index of the series plus one.
        let mut known = vec![0_u32; self.buckets * self.nodes];
        for i in 0..trace.rows() {
            let bucket = trace.buckets[i] as usize;
            let last = trace.seconds[i] / WINDOW_S * WINDOW_S + WINDOW_S - 1;
            let second = if gather { last } else { trace.seconds[i] };
            for part in spreader.split(trace, i) {
                let slot = &mut known[bucket * self.nodes + part.node];
                if *slot == 0 {
                    self.series.push(Series { node: part.node, bucket });
                    *slot = self.series.len() as u32;
                }
                let bytes = trace.bytes_mean[i];
                self.rows.push(Demand {
                    second,
                    series: *slot - 1,
                    requests: part.requests,
                    errors: part.errors,
                    bytes_mean: if bytes.is_finite() { bytes } else { 0.0 },
                });
            }
        }
    }

    /// Index of the first row of the scored part.
    pub fn first_scored(&self) -> usize {
        let second = self.fit_windows * WINDOW_S;
        self.rows.partition_point(|r| r.second < second)
    }

    /// Rows of the fit part.
    pub fn fit_rows(&self) -> &[Demand] {
        &self.rows[..self.first_scored()]
    }

    /// Rows of the scored part.
    pub fn scored_rows(&self) -> &[Demand] {
        &self.rows[self.first_scored()..]
    }

    /// Requests offered in the scored part.
    pub fn scored_requests(&self) -> u64 {
        self.scored_rows().iter().map(|r| u64::from(r.requests)).sum()
    }

    /// Mean demand of the scored part, requests per second.
    pub fn scored_mean_per_s(&self) -> f64 {
        self.scored_requests() as f64 / (f64::from(self.windows - self.fit_windows) * f64::from(WINDOW_S))
    }

    /// Most requests of any second, all series together.
    pub fn peak_per_s(&self) -> f64 {
        let seconds = self.rows.chunk_by(|a, b| a.second == b.second);
        seconds.map(|rows| rows.iter().map(|r| f64::from(r.requests)).sum()).fold(0.0, f64::max)
    }

    /// Wire id of a node.
    pub fn node_id(node: usize) -> String {
        format!("n{node}")
    }

    /// The node of a wire id.
    pub fn node_index(id: &str) -> Option<usize> {
        id.strip_prefix('n')?.parse().ok()
    }

    /// Wire id of a bucket.
    pub fn bucket_id(bucket: usize) -> String {
        format!("b{bucket}")
    }
}
