//! Options of every command that replays each trace in one setting.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;

use super::{ModelChoice, is_positive};

/// Options of every command that replays each trace in one setting.
#[derive(Debug, Args)]
pub struct Setting {
    /// Trace files (parquet: ts, node, bucket, requests, bytes_mean, errors).
    #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
    pub trace: Vec<PathBuf>,
    /// Burst of the origin, in seconds of its sustained capacity.
    #[arg(long, default_value_t = 120.0, value_name = "S")]
    pub burst_seconds: f64,
    /// Seconds until a published table is seen by the nodes.
    #[arg(long, default_value_t = 30, value_name = "S")]
    pub delay: u32,
    /// Nodes that a trace is spread over; `abuse` keeps those of a trace that has its own.
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub nodes: usize,
    /// The model.
    #[command(flatten)]
    pub model: ModelChoice,
    /// Seed of everything that is random.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
}

impl Setting {
    /// Checks the numbers.
    ///
    /// # Errors
    /// The first option whose value cannot be used, by its name, and what would do.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(is_positive(self.burst_seconds), "--burst-seconds: must be a positive number of seconds, for example 120");
        ensure!((1..=10_000).contains(&self.nodes), "--nodes: must be 1 to 10000");
        ensure!(self.delay <= 86_400, "--delay: must be at most a day");
        Ok(())
    }
}
