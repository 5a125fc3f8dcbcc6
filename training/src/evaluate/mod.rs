//! How good a forecast is, on data that it was not fitted on.
//!
//! - [`forecaster`]: the naive forecasts, fitted models and the champion, all asked the same way.
//! - [`loss`]: Poisson deviance and pinball loss of quantiles.
//! - [`table`]: losses by group of series, scaled by those of the naive last value.
//! - [`backtest`]: rolling origin: fit on the past of several cuts, forecast what came after each.

pub mod backtest;
pub mod forecaster;
pub mod loss;
pub mod table;

pub use backtest::{Backtest, Kind, backtest, score_model};
pub use forecaster::{Forecaster, NAIVE, Naive};
pub use table::{Line, Table};
