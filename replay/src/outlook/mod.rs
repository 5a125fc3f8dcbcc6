//! Forecasts scored against what came, and written out so that others can be scored on the same series and windows.
//!
//! - [`demand`]: a workload's windows as reports and as counts.
//! - [`sample`]: the series that are set beside other forecasters.
//! - [`coverage`]: how often demand stayed within each quantile, over all series.
//! - [`write`]: tables and files.

pub mod coverage;
pub mod demand;
pub mod sample;
pub mod write;

use std::time::Duration;

use tidegate_planner::{Model, Outlook, Planner, Settings, forecast::STEPS, settings};
use tidegate_trace::Trace;
use tidegate_wire::Timestamp;

use crate::{
    CompareError,
    spread::{Spread, Spreader},
    workload::{Cut, WINDOW_S, Workload},
};

pub use coverage::Coverage;
pub use sample::{Kind, Sampled};

/// Rows whose coverage is looked at per window; of more, every n-th, another one each time.
const ROWS: usize = 2000;

/// How a trace is forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Share of the windows before the scored part, above 0 and below 1.
    pub fit: f64,
    /// Series to write out, at most.
    pub series: usize,
    /// Windows of the scored part from which those are forecast, at most.
    pub origins: usize,
}

/// What was forecast for a sampled series after a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Index among the sampled.
    pub series: usize,
    /// The last window that was known.
    pub origin: u32,
    /// What was expected; nothing when the series was not known.
    pub outlook: Option<Outlook>,
}

/// A trace's forecasts and their scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Windows before the scored part.
    pub fit_windows: u32,
    /// Windows in all.
    pub windows: u32,
    /// First second, seconds since the Unix epoch.
    pub start: i64,
    /// Over all series.
    pub coverage: Coverage,
    /// Series beside which others can be set.
    pub sampled: Vec<Sampled>,
    /// Their forecasts.
    pub forecasts: Vec<Forecast>,
    /// Processor time per series and step of a whole tick (allocation included) and of the quantiles.
    pub cpu: Duration,
}

/// Processor time, and how many series it was spent on.
#[derive(Default)]
struct Cost {
    spent: Duration,
    series: usize,
}

impl Cost {
    fn per_series(&self) -> Duration {
        self.spent.div_f64((self.series * STEPS).max(1) as f64)
    }
}

/// Replays `trace` window by window through the planner. `cpu` is the processor time spent so far; `window_done` is called
/// after every window.
///
/// # Errors
/// [`CompareError`] when there is nothing to learn from or to score, or the planner refuses its settings.
pub fn run(
    trace: &Trace,
    model: Option<&Model>,
    options: Options,
    cpu: &dyn Fn() -> Duration,
    window_done: &dyn Fn(),
) -> Result<Outcome, CompareError> {
    let cut = Cut { buckets: None, windows: None, fit: options.fit, gather: false };
    let workload = Workload::new(trace, &cut, &mut Spreader::new(Spread::Own, 1, 0, trace))?;
    let sampled = sample::choose(&workload, options.series);
    let origins = sample::origins(&workload, options.origins);
    let mut planner = Planner::new(settings(&workload), model.cloned())?;
    let (mut coverage, mut forecasts) = (Coverage::default(), vec![]);
    let (mut ticks, mut quantiles) = (Cost::default(), Cost::default());
    for (window, rows) in demand::by_window(&workload) {
        demand::reports(&workload, window, rows).iter().for_each(|report| planner.observe(report));
        let before = cpu();
        planner.tick(Timestamp::from_secs(workload.start + i64::from(window + 1) * i64::from(WINDOW_S)));
        ticks.spent += cpu() - before;
        ticks.series += planner.store().live();
        if window >= workload.fit_windows {
            coverage.compare(&planner);
        }
        let before = cpu();
        quantiles.series += coverage.expect(&planner, ROWS);
        quantiles.spent += cpu() - before;
        if origins.contains(&window) {
            let outlook = |s: &Sampled| planner.outlook(planner.store().row(planner.store().node_number(&s.node)?, &s.bucket)?);
            forecasts.extend(sampled.iter().enumerate().map(|(series, s)| Forecast { series, origin: window, outlook: outlook(s) }));
        }
        window_done();
    }
    let cpu = ticks.per_series() + quantiles.per_series();
    Ok(Outcome { fit_windows: workload.fit_windows, windows: workload.windows, start: workload.start, coverage, sampled, forecasts, cpu })
}

/// One origin with enough for all: what is asked here is the forecast.
fn settings(workload: &Workload) -> Settings {
    let sustained_per_s = workload.peak_per_s().max(1.0) * 2.0;
    let origin = settings::Origin { name: "origin".into(), nodes: "*".into(), sustained_per_s, burst: sustained_per_s * 60.0 };
    Settings { interval_s: WINDOW_S, origins: vec![origin], ..Settings::default() }
}
