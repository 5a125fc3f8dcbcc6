//! Who forecasts: the naive ones, a model just fitted, the champion. All see the same row of features.

use tidegate_planner::{
    Model,
    features::fast,
    forecast::{Regression, STEPS},
};

use crate::fit::FittedPoisson;

/// Smallest mean that anybody is taken to forecast, requests per window: with none, one request would be infinitely wrong.
pub const MEAN_MIN: f64 = 0.01;

/// Forecasts that need no fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naive {
    /// The last window again. All losses are given relative to it.
    Last,
    /// The moving average with a half-life of 5 minutes.
    Ewma5m,
    /// The moving average with a half-life of 30 minutes.
    Ewma30m,
    /// Yesterday at this time; where history does not reach, the 30-minute average.
    Yesterday,
}

/// All naive forecasts; the first is the one that losses are scaled by.
pub const NAIVE: [Naive; 4] = [Naive::Last, Naive::Ewma5m, Naive::Ewma30m, Naive::Yesterday];

impl Naive {
    /// Its name, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Last => "last value",
            Self::Ewma5m => "EWMA 5 min",
            Self::Ewma30m => "EWMA 30 min",
            Self::Yesterday => "yesterday",
        }
    }

    fn mean(self, x: &[f32]) -> f64 {
        // Columns are log(1 + x), see `tidegate_planner::features::NAMES`.
        let column = match self {
            Self::Last => 0,
            Self::Ewma5m => 5,
            Self::Ewma30m => 6,
            Self::Yesterday if x[10] > 0.0 => 9,
            Self::Yesterday => 6,
        };
        f64::from(x[column]).exp_m1()
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

    /// Expected requests of `step` (0 is the next window) for a row of features.
    pub fn mean(&self, x: &[f32], step: usize) -> f64 {
        let mean = match &self.how {
            How::Naive(naive) => naive.mean(x),
            How::Regressions(steps) => {
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
