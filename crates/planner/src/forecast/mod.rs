//! The forecast: a fitted model and what is made of its prediction.
//!
//! [`model`] is the artefact, [`regression`] evaluates it, [`experts`] weighs it against the naive forecasts, row by row,
//! [`quantile`] turns a mean and a variance into the demand that is not exceeded with a given probability, [`count`] does so for
//! counts, and [`calibration`] keeps those quantiles honest on live data.

pub mod calibration;
pub mod count;
mod experts;
mod model;
pub mod quantile;
mod regression;

pub use calibration::Calibration;
pub use experts::{EXPERT_NAMES, Means};
pub use model::{Manifest, Model, ModelError, Regression, STEPS, checksum};
pub use regression::Compiled;
