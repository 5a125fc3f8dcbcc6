//! Options of `cold`.

use anyhow::ensure;
use clap::Args;
use tidegate_replay::{Options, cold::Course, contender::Kind, kv::Staleness, spread::Spread, workload::Cut};

use super::{Setting, is_positive};

/// Options of `cold`.
#[derive(Debug, Args)]
pub struct Cold {
    /// Traces and on what terms.
    #[command(flatten)]
    pub setting: Setting,
    /// Starting points per trace, evenly spaced.
    #[arg(long, default_value_t = 16, value_name = "N")]
    pub starts: usize,
    /// Windows from a start on that are scored together.
    #[arg(long, value_delimiter = ',', default_value = "10,30,60", value_name = "M")]
    pub first: Vec<u32>,
    /// Sustained capacity of the origin, as multiples of the mean demand of the windows after a start.
    #[arg(long, value_delimiter = ',', default_value = "1.5,3", value_name = "X")]
    pub capacity: Vec<f64>,
    /// How requests are spread over nodes, one after the other.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "hash,rank", value_name = "A,B")]
    pub spread: Vec<Spread>,
    /// Contenders, in the order of the report.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "static-pool,adaptive,central", value_name = "A,B")]
    pub contenders: Vec<Kind>,
}

impl Cold {
    /// Where to start and how far to go, checked.
    ///
    /// # Errors
    /// The first option whose value cannot be used, by its name, and what would do.
    pub fn course(&self) -> anyhow::Result<Course> {
        self.setting.check()?;
        ensure!(
            self.capacity.iter().all(|&c| is_positive(c)),
            "--capacity: must be positive multiples of the mean demand, for example 1.5"
        );
        ensure!(self.starts > 0, "--starts: must be at least 1");
        ensure!(self.first.iter().all(|m| (2..=100_000).contains(m)), "--first: must be 2 to 100000 windows");
        Ok(Course { starts: self.starts, first: self.first.clone() })
    }

    /// On what terms contenders are compared.
    pub fn options(&self, spread: Spread) -> Options {
        Options {
            cut: Cut { buckets: None, windows: None, fit: 0.0, gather: false },
            spread,
            nodes: self.setting.nodes,
            capacities: self.capacity.clone(),
            burst_seconds: self.setting.burst_seconds,
            staleness: vec![Staleness::fixed(self.setting.delay)],
            contenders: self.contenders.clone(),
            seed: self.setting.seed,
        }
    }
}
