//! The pure planner: telemetry in, leased refill rates out. No I/O, no clock, no threads, no logging.
//!
//! In the order the data goes round:
//! - [`settings`]: what a person has decided: origins, policies, lease and guard bounds.
//! - [`state`]: all series in columns: open window, ring of windows, EWMAs, seasonal memory.
//! - [`features`]: the scale-free row that describes a series to the model; training uses the same code.
//! - [`forecast`]: the model artefact and its prediction.
//! - [`allocate`]: who gets how much of an origin: nodes, then buckets, within what is still lent.
//! - [`guard`]: hard rules that hold whatever the model proposes.
//! - [`plan`]: what a tick returns.
//!
//! [`Planner::observe`] and [`Planner::tick`] are all that drives it, so the service, the replay harness and the tests
//! run the very same code, one on real time, the others on simulated time.

pub mod allocate;
pub mod features;
pub mod forecast;
pub mod guard;
pub mod plan;
mod planner;
pub mod settings;
pub mod state;

pub use forecast::Model;
pub use plan::{Explanation, Plan, Recommendation, Summary};
pub use planner::{NodeView, Outlook, Planner, RestoreError, SeriesView};
pub use settings::{Settings, SettingsError};
