//! Options of `fairness`.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;

use super::ModelChoice;

/// Options of `fairness`.
#[derive(Debug, Args)]
pub struct Fairness {
    /// Trace files (parquet).
    #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
    pub trace: Vec<PathBuf>,
    /// Sustained capacity of the origin, as a multiple of the mean demand of the scored part.
    #[arg(long, default_value_t = 0.6, value_name = "X")]
    pub capacity: f64,
    /// Burst of the origin, in seconds of its sustained capacity.
    #[arg(long, default_value_t = 120.0, value_name = "S")]
    pub burst_seconds: f64,
    /// Seconds until a published table is seen by the nodes.
    #[arg(long, default_value_t = 30, value_name = "S")]
    pub delay: u32,
    /// Nodes at which requests arrive.
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub nodes: usize,
    /// Keep the B busiest buckets.
    #[arg(long, default_value_t = 20, value_name = "B")]
    pub buckets: usize,
    /// Keep the first M windows of 30 s: two days, half of them scored.
    #[arg(long, default_value_t = 5760, value_name = "M")]
    pub windows: u32,
    /// Count every request of the trace as so many at once: a guarantee needs whole tokens in every window.
    #[arg(long, default_value_t = 1, value_name = "K")]
    pub times: u32,
    /// The model.
    #[command(flatten)]
    pub model: ModelChoice,
    /// Seed of everything that is random.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
}

impl Fairness {
    /// Checks the numbers.
    ///
    /// # Errors
    /// The first option whose value cannot be used, by its name, and what would do.
    pub fn check(&self) -> anyhow::Result<()> {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        ensure!(positive(self.capacity), "--capacity: must be a positive multiple of the mean demand, for example 0.6");
        ensure!(positive(self.burst_seconds), "--burst-seconds: must be a positive number of seconds, for example 120");
        ensure!((1..=10_000).contains(&self.nodes), "--nodes: must be 1 to 10000");
        ensure!((2..=1000).contains(&self.buckets), "--buckets: must be 2 to 1000, each of which has a policy of its own");
        ensure!((1..=10_000).contains(&self.times), "--times: must be 1 to 10000");
        ensure!(self.delay <= 86_400, "--delay: must be at most a day");
        Ok(())
    }
}
