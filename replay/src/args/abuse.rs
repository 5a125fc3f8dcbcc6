//! Options of `abuse`.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use tidegate_replay::{abuse::Attack, contender::Kind};

use super::ModelChoice;

/// Options of `abuse`.
#[derive(Debug, Args)]
pub struct Abuse {
    /// Trace files (parquet).
    #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
    pub trace: Vec<PathBuf>,
    /// Sustained capacity of the origin, as a multiple of the mean honest demand of the scored part.
    #[arg(long, default_value_t = 1.5, value_name = "X")]
    pub capacity: f64,
    /// Burst of the origin, in seconds of its sustained capacity.
    #[arg(long, default_value_t = 120.0, value_name = "S")]
    pub burst_seconds: f64,
    /// Seconds until a published table is seen by the nodes.
    #[arg(long, default_value_t = 30, value_name = "S")]
    pub delay: u32,
    /// Nodes that a trace without nodes of its own is spread over.
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub nodes: usize,
    /// Keep the first M windows of 30 s: two days, half of them scored.
    #[arg(long, default_value_t = 5760, value_name = "M")]
    pub windows: u32,
    /// Contenders.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "static-mean,static-pool,pool-only,adaptive", value_name = "A,B")]
    pub contenders: Vec<Kind>,
    /// Attacks.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Attack::ALL, value_name = "A,B")]
    pub attacks: Vec<Attack>,
    /// Ceiling of every key at one node, as a multiple of what the busiest asked for there in the mean; none when left out.
    #[arg(long, value_name = "X")]
    pub ceiling: Option<f64>,
    /// The model.
    #[command(flatten)]
    pub model: ModelChoice,
    /// Seed of everything that is random.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
    /// Write the figures as JSON.
    #[arg(long, value_name = "OUT")]
    pub json: Option<PathBuf>,
}

impl Abuse {
    /// Checks the numbers.
    ///
    /// # Errors
    /// The first option whose value cannot be used, by its name, and what would do.
    pub fn check(&self) -> anyhow::Result<()> {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        ensure!(positive(self.capacity), "--capacity: must be a positive multiple of the mean demand, for example 1.5");
        ensure!(positive(self.burst_seconds), "--burst-seconds: must be a positive number of seconds, for example 120");
        ensure!(self.ceiling.is_none_or(positive), "--ceiling: must be a positive multiple of the busiest key's mean, for example 2");
        ensure!((1..=10_000).contains(&self.nodes), "--nodes: must be 1 to 10000");
        ensure!(self.delay <= 86_400, "--delay: must be at most a day");
        Ok(())
    }
}
