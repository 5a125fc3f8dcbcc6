//! Options of `cold`.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use tidegate_replay::{Options, cold::Course, contender::Kind, kv::Staleness, spread::Spread, workload::Cut};

use super::ModelChoice;

/// Options of `cold`.
#[derive(Debug, Args)]
pub struct Cold {
    /// Trace files (parquet).
    #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
    pub trace: Vec<PathBuf>,
    /// Starting points per trace, evenly spaced.
    #[arg(long, default_value_t = 16, value_name = "N")]
    pub starts: usize,
    /// Windows from a start on that are scored together.
    #[arg(long, value_delimiter = ',', default_value = "10,30,60", value_name = "M")]
    pub first: Vec<u32>,
    /// Sustained capacity of the origin, as multiples of the mean demand of the windows after a start.
    #[arg(long, value_delimiter = ',', default_value = "1.5,3", value_name = "X")]
    pub capacity: Vec<f64>,
    /// Burst of the origin, in seconds of its sustained capacity.
    #[arg(long, default_value_t = 120.0, value_name = "S")]
    pub burst_seconds: f64,
    /// Seconds until a published table is seen by the nodes.
    #[arg(long, default_value_t = 30, value_name = "S")]
    pub delay: u32,
    /// Nodes that a trace is spread over.
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub nodes: usize,
    /// How requests are spread over nodes, one after the other.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "hash,rank", value_name = "A,B")]
    pub spread: Vec<Spread>,
    /// Contenders, in the order of the report.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "static-pool,adaptive,central", value_name = "A,B")]
    pub contenders: Vec<Kind>,
    /// The model.
    #[command(flatten)]
    pub model: ModelChoice,
    /// Seed of everything that is random.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
}

impl Cold {
    /// Where to start and how far to go, checked.
    ///
    /// # Errors
    /// The first option whose value cannot be used, by its name, and what would do.
    pub fn course(&self) -> anyhow::Result<Course> {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        ensure!(self.capacity.iter().all(|&c| positive(c)), "--capacity: must be positive multiples of the mean demand, for example 1.5");
        ensure!(positive(self.burst_seconds), "--burst-seconds: must be a positive number of seconds, for example 120");
        ensure!(self.starts > 0, "--starts: must be at least 1");
        ensure!(self.first.iter().all(|m| (2..=100_000).contains(m)), "--first: must be 2 to 100000 windows");
        ensure!((1..=10_000).contains(&self.nodes), "--nodes: must be 1 to 10000");
        ensure!(self.delay <= 86_400, "--delay: must be at most a day");
        Ok(Course { starts: self.starts, first: self.first.clone() })
    }

    /// On what terms contenders are compared.
    pub fn options(&self, spread: Spread) -> Options {
        Options {
            cut: Cut { buckets: None, windows: None, fit: 0.0, gather: false },
            spread,
            nodes: self.nodes,
            capacities: self.capacity.clone(),
            burst_seconds: self.burst_seconds,
            staleness: vec![Staleness::fixed(self.delay)],
            contenders: self.contenders.clone(),
            seed: self.seed,
        }
    }
}
