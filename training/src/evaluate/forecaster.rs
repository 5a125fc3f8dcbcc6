//! Who forecasts: the naive ones, a model just fitted, the champion. All see the same row of features.

use tidegate_planner::{
    Model,
    features::fast,
    forecast::{Regression, STEPS},
    state::Store,
};

use crate::{fit::FittedPoisson, matrix::Samples};

/// Smallest mean that anybody is taken to forecast, requests per window: with none, one request would be infinitely wrong.
pub const MEAN_MIN: f64 = 0.01;

const DAY_S: i64 = 86_400;

/// Forecasts that need no fit, in the order of [`NAIVE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naive {
    /// The last window again. All losses are given relative to it.
    Last,
    /// The moving average with a half-life of 45 seconds.
    Ewma45s,
    /// The moving average with a half-life of 5 minutes.
    Ewma5m,
    /// The moving average with a half-life of 30 minutes.
    Ewma30m,
    /// Yesterday at this time; where history does not reach, the 30-minute average.
    Yesterday,
}

/// All naive forecasts; the first is the one that losses are scaled by.
pub const NAIVE: [Naive; 5] = [Naive::Last, Naive::Ewma45s, Naive::Ewma5m, Naive::Ewma30m, Naive::Yesterday];

impl Naive {
    /// Its name, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Last => "last value",
            Self::Ewma45s => "EWMA 45 s",
            Self::Ewma5m => "EWMA 5 min",
            Self::Ewma30m => "EWMA 30 min",
            Self::Yesterday => "yesterday",
        }
    }

    /// What it says of `row` after the last window that `store` has closed, requests per window.
    pub fn of(self, store: &Store, row: usize) -> f32 {
        let c = &store.columns;
        match self {
            Self::Last => store.demand(row, 0),
            Self::Ewma45s => c.ewma[0][row],
            Self::Ewma5m => c.ewma[1][row],
            Self::Ewma30m => c.ewma[2][row],
            Self::Yesterday => {
                let next = store.closed().unwrap_or(0) + 1;
                let a_day_old = next - c.born[row] > DAY_S / store.interval_s();
                if a_day_old { store.seasonal.expected(next, row) } else { c.ewma[2][row] }
            }
        }
    }
}

/// A forecast of each step, by whatever means.
#[derive(Debug, Clone)]
pub struct Forecaster {
    /// Name, for tables.
    pub name: String,
    how: How,
}

#[derive(Debug, Clone)]
enum How {
    Naive(Naive),
    Regressions(Vec<Regression>),
    Means(Vec<Vec<f32>>),
}

impl From<Naive> for Forecaster {
    fn from(naive: Naive) -> Self {
        Self { name: naive.name().into(), how: How::Naive(naive) }
    }
}

impl Forecaster {
    /// A model that has been read or made.
    pub fn of_model(name: impl Into<String>, model: &Model) -> Self {
        Self { name: name.into(), how: How::Regressions(model.steps.clone()) }
    }

    /// One fitted regression per step.
    pub fn of_fits(name: impl Into<String>, fits: &[FittedPoisson]) -> Self {
        Self { name: name.into(), how: How::Regressions(fits.iter().map(regression).collect()) }
    }

    /// Forecasts that have been made: one list per step, one mean per row of the samples that will be asked about.
    pub fn of_means(name: impl Into<String>, means: Vec<Vec<f32>>) -> Self {
        Self { name: name.into(), how: How::Means(means) }
    }

    /// Expected requests of `step` (0 is the next window) for row `row` of `samples`.
    pub fn mean(&self, samples: &Samples, row: usize, step: usize) -> f64 {
        let mean = match &self.how {
            How::Naive(naive) => f64::from(samples.naive[row][*naive as usize]),
            How::Means(steps) => f64::from(steps[step.min(STEPS - 1)][row]),
            How::Regressions(steps) => {
                let x = samples.row(row);
                let r = &steps[step.min(STEPS - 1)];
                let eta: f64 = x.iter().zip(&r.coefficients).map(|(x, c)| f64::from(*x) * c).sum();
                // The planner bounds and evaluates the exponential likewise.
                f64::from(fast::exp((r.intercept + eta).min(16.0) as f32))
            }
        };
        mean.max(MEAN_MIN)
    }
}

/// A fit in the form of an artefact.
pub fn regression(fit: &FittedPoisson) -> Regression {
    Regression { intercept: fit.intercept, coefficients: fit.coefficients.to_vec() }
}
