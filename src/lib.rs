//! The service: telemetry comes in, is made durable, becomes a plan every tick and goes out as leased rates.
//!
//! In the order the data goes round:
//! - [`config`]: what a person sets.
//! - [`ingest`]: what makes a report acceptable: its values, its age, its cardinality, and that it is no repeat.
//! - [`engine`]: the one thread that owns planner, journal and dedupe index; groups commits, ticks, answers queries.
//! - [`state`]: snapshots, and recovery from the newest of them and the journal behind it.
//! - [`clock`] and [`tick`]: when a tick is due, and where its plan goes.
//! - [`registry`]: the models in service, followed without a restart.
//! - [`publish`]: the KV stores that carry rate tables to the edge.
//! - [`http`]: the API, the served rate tables and the dashboard; [`metrics`] and [`log`]: what is told of all this.
//! - [`tls`]: the cryptography of the calls to stores.
//! - [`trainer`]: retraining in a process of its own.
//! - [`app`] wires it all together; [`cli`] is the command line, [`healthcheck`] the command that containers run; [`demo`] drives
//!   the whole with time sped up.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod engine;
pub mod healthcheck;
pub mod http;
pub mod ingest;
pub mod log;
pub mod metrics;
pub mod publish;
pub mod registry;
pub mod state;
pub mod tick;
pub mod tls;
pub mod trainer;
