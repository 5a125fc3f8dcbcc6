//! Options of `abuse`.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use tidegate_replay::{abuse::Attack, contender::Kind};

use super::{Setting, is_positive};

/// Options of `abuse`.
#[derive(Debug, Args)]
pub struct Abuse {
    /// Traces and on what terms.
    #[command(flatten)]
    pub setting: Setting,
    /// Sustained capacity of the origin, as a multiple of the mean honest demand of the scored part.
    #[arg(long, default_value_t = 1.5, value_name = "X")]
    pub capacity: f64,
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
        self.setting.check()?;
        ensure!(is_positive(self.capacity), "--capacity: must be a positive multiple of the mean demand, for example 1.5");
        ensure!(self.ceiling.is_none_or(is_positive), "--ceiling: must be a positive multiple of the busiest key's mean, for example 2");
        Ok(())
    }
}
