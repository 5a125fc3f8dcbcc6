//! From past reports to rows of features and what came after them, built with the planner's own state and features.
//!
//! - [`samples`]: the table.
//! - [`choose`]: which of the many rows are kept, and for how many each of them stands.
//! - [`health`]: windows that must not be learned from.
//! - [`pattern`]: kinds of demand, by features alone.
//! - [`build`]: reports through the planner's store, window by window.
//! - [`select`]: rows of the table as a regression reads them.

pub mod build;
pub mod choose;
pub mod health;
pub mod pattern;
pub mod samples;
pub mod select;

pub use build::{Options, build};
pub use pattern::{Pattern, is_sparse};
pub use samples::{Class, Samples, Span};
pub use select::{Part, StepRows};
