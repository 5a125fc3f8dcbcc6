//! Options of `arrivals`.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use tidegate_replay::timetable::Wanted;

/// Options of `arrivals`.
#[derive(Debug, Args)]
pub struct Arrivals {
    /// Trace file (parquet: ts, node, bucket, requests, bytes_mean, errors).
    #[arg(long, value_name = "FILE")]
    pub trace: PathBuf,
    /// Mean requests per second.
    #[arg(long, default_value_t = 100.0, value_name = "R")]
    pub rate: f64,
    /// Length in seconds.
    #[arg(long, default_value_t = 90, value_name = "S")]
    pub seconds: u32,
    /// Where in the trace to begin, as a share of its length.
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    pub from: f64,
    /// Keep the K busiest buckets.
    #[arg(long, default_value_t = 100, value_name = "K")]
    pub buckets: usize,
    /// Nodes that the buckets are dealt out to, in order of requests.
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub nodes: usize,
    /// Seed of everything that is random.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
}

impl Arrivals {
    /// The options, checked.
    ///
    /// # Errors
    /// The first option whose value cannot be used, by its name, and what would do.
    pub fn wanted(&self) -> anyhow::Result<Wanted> {
        ensure!(self.rate > 0.0 && self.rate <= 1e6, "--rate: must be above 0 and at most a million requests per second");
        ensure!((1..=86_400).contains(&self.seconds), "--seconds: must be 1 to 86400");
        ensure!((0.0..1.0).contains(&self.from), "--from: must be a share from 0 to below 1, for example 0.5");
        ensure!(self.buckets > 0, "--buckets: must be at least 1");
        ensure!((1..=10_000).contains(&self.nodes), "--nodes: must be 1 to 10000");
        let Self { rate: per_s, seconds, from, buckets, nodes, seed, .. } = *self;
        Ok(Wanted { per_s, seconds, from, buckets, nodes, seed })
    }
}
