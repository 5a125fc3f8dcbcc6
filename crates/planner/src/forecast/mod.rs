//! The forecast: a fitted model and what is made of its prediction.

mod model;

pub use model::{Manifest, Model, ModelError, Regression, STEPS, checksum};
