//! Options of `compare`.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use tidegate_replay::{Options, contender::Kind, kv::Staleness, spread::Spread, workload::Cut};

use super::{ModelChoice, is_positive};

/// Options of `compare`.
#[derive(Debug, Args)]
pub struct Compare {
    /// Trace files (parquet: ts, node, bucket, requests, bytes_mean, errors).
    #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
    pub trace: Vec<PathBuf>,
    /// Sustained capacity of the origin, as multiples of the mean demand of the scored part.
    #[arg(long, value_delimiter = ',', default_value = "1.5", value_name = "X")]
    pub capacity: Vec<f64>,
    /// Burst of the origin, in seconds of its sustained capacity.
    #[arg(long, default_value_t = 120.0, value_name = "S")]
    pub burst_seconds: f64,
    /// Seconds until a published table is seen by the nodes.
    #[arg(long, value_delimiter = ',', default_value = "30", value_name = "S")]
    pub delay: Vec<u32>,
    /// Seconds between two polls of a node; 0 is every second.
    #[arg(long, default_value_t = 0, value_name = "S")]
    pub poll: u32,
    /// Most seconds that a node sees a table later than --delay, at random for each table and node.
    #[arg(long, default_value_t = 0, value_name = "S")]
    pub jitter: u32,
    /// Nodes that a trace is spread over, unless --spread is own.
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub nodes: usize,
    /// How requests are spread over nodes.
    #[arg(long, value_enum, default_value = "auto")]
    pub spread: Spread,
    /// Keep the K busiest buckets.
    #[arg(long, value_name = "K")]
    pub buckets: Option<usize>,
    /// Keep the first M windows of 30 s.
    #[arg(long, value_name = "M")]
    pub windows: Option<u32>,
    /// Share of the windows that contenders learn from.
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    pub fit: f64,
    /// The cases of the first sketch: its number of buckets per trace, dealt out over 4 nodes in order of requests, 6,000
    /// windows, half to learn from, each window's requests at its end, a burst of five windows. Overrides the options above that it sets.
    #[arg(long)]
    pub prototype: bool,
    /// Contenders, in the order of the report.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::USUAL, value_name = "A,B")]
    pub contenders: Vec<Kind>,
    /// The model.
    #[command(flatten)]
    pub model: ModelChoice,
    /// Seed of everything that is random.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
    /// Write the scores as JSON.
    #[arg(long, value_name = "OUT")]
    pub json: Option<PathBuf>,
    /// Write a page with plots; it needs no other file.
    #[arg(long, value_name = "OUT")]
    pub html: Option<PathBuf>,
    /// Write the Markdown tables that are printed.
    #[arg(long, value_name = "OUT")]
    pub markdown: Option<PathBuf>,
}

impl Compare {
    /// The options, checked.
    ///
    /// # Errors
    /// The first option whose value cannot be used, by its name, and what would do.
    pub fn options(&self) -> anyhow::Result<Options> {
        ensure!(
            self.capacity.iter().all(|&c| is_positive(c)),
            "--capacity: must be positive multiples of the mean demand, for example 1.5"
        );
        ensure!(is_positive(self.burst_seconds), "--burst-seconds: must be a positive number of seconds, for example 120");
        ensure!(self.fit > 0.0 && self.fit < 1.0, "--fit: must be a share above 0 and below 1, for example 0.5");
        ensure!((1..=10_000).contains(&self.nodes), "--nodes: must be 1 to 10000");
        ensure!(self.buckets != Some(0), "--buckets: must be at least 1");
        ensure!(
            self.delay.iter().chain([&self.poll, &self.jitter]).all(|&s| s <= 86_400),
            "--delay, --poll, --jitter: must be at most a day"
        );
        Ok(Options {
            cut: Cut { buckets: self.buckets, windows: self.windows, fit: self.fit, gather: false },
            spread: self.spread,
            nodes: self.nodes,
            capacities: self.capacity.clone(),
            burst_seconds: self.burst_seconds,
            staleness: self.delay.iter().map(|&delay_s| Staleness { delay_s, jitter_s: self.jitter, poll_s: self.poll }).collect(),
            contenders: self.contenders.clone(),
            seed: self.seed,
        })
    }
}
