//! Closed loop of contender and edge nodes on simulated time, over real traces.
//!
//! In the order of a comparison:
//! - [`workload`], [`spread`]: a trace, cut, split and spread over nodes; [`fit`]: what fixed shares are made of.
//! - [`contender`]: the schemes, each a maker of rate tables ([`lease`] writes those that are not the planner's).
//! - [`kv`], [`fleet`], [`arrivals`]: how a table reaches a node, how a node decides, in which order requests come.
//! - [`simulate`]: the loop. [`origin`], [`fair`], [`score`]: what it is judged by. [`ledger`]: the books that no contender
//!   may break.
//! - [`compare`]: all contenders over all cases; [`cold`]: the same from nothing, over the first windows; [`report`]: the result as JSON, Markdown and HTML.
//! - [`outlook`]: the planner's forecasts alone, against what came.
//! - [`abuse`]: attacks laid over traces, and what they cost; [`signal`], [`stability`]: how the loop takes a step or a wave.
//! - [`fairness`]: weights, priorities and a limit over all nodes, and what each bucket got of its fair share.
//! - [`timetable`]: requests one by one, for load tests that run in real time.
//! - [`bench`]: comparisons of every trace on a grid of capacities, nodes and delays, held against the targets.
//!
//! Everything but the files is a function of its arguments: the same trace, options and seed give the same bytes.

pub mod abuse;
pub mod arrivals;
pub mod bench;
pub mod cold;
pub mod compare;
pub mod contender;
mod error;
pub mod fair;
pub mod fairness;
pub mod fit;
pub mod fleet;
pub mod kv;
pub mod lease;
pub mod ledger;
mod named;
pub mod origin;
pub mod outlook;
pub mod preset;
pub mod report;
pub mod score;
pub mod signal;
pub mod simulate;
pub mod spread;
pub mod stability;
pub mod timetable;
pub mod workload;

pub use compare::{Case, Comparison, Options, compare};
pub use error::CompareError;
pub use named::named;
