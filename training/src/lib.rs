//! Training of the forecast: past telemetry in, a promoted model out. The only user of polars.

pub mod dataset;
pub mod evaluate;
pub mod fit;
pub mod matrix;
