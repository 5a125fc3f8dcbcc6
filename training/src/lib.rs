//! Training of the forecast: past telemetry in, a promoted model out. The only user of polars.
//!
//! In the order the data goes:
//! - [`dataset`]: journals and traces, brought into windows by polars.
//! - [`matrix`]: windows through the planner's own state and features, to rows and what came after them.
//! - [`fit`]: Poisson regression and its challenger, behind linfa's traits.
//! - [`evaluate`]: rolling-origin backtest against the naive forecasts and the champion.
//! - [`promote`]: the verdict, the artefact and its card.
//! - [`trial`]: other forms of the model, beside the one that is served.
//! - [`pipeline`]: these stages in a row; [`command`]: what the binary does with them.

pub mod command;
pub mod dataset;
pub mod evaluate;
pub mod fit;
pub mod matrix;
pub mod pipeline;
pub mod progress;
pub mod promote;
pub mod trial;
