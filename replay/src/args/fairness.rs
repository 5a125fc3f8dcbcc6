//! Options of `fairness`.

use anyhow::ensure;
use clap::Args;

use super::{Setting, is_positive};

/// Options of `fairness`.
#[derive(Debug, Args)]
pub struct Fairness {
    /// Traces and on what terms.
    #[command(flatten)]
    pub setting: Setting,
    /// Sustained capacity of the origin, as a multiple of the mean demand of the scored part.
    #[arg(long, default_value_t = 0.6, value_name = "X")]
    pub capacity: f64,
    /// Keep the B busiest buckets.
    #[arg(long, default_value_t = 20, value_name = "B")]
    pub buckets: usize,
    /// Keep the first M windows of 30 s: two days, half of them scored.
    #[arg(long, default_value_t = 5760, value_name = "M")]
    pub windows: u32,
    /// Count every request of the trace as so many at once: a guarantee needs whole tokens in every window.
    #[arg(long, default_value_t = 1, value_name = "K")]
    pub times: u32,
}

impl Fairness {
    /// Checks the numbers.
    ///
    /// # Errors
    /// The first option whose value cannot be used, by its name, and what would do.
    pub fn check(&self) -> anyhow::Result<()> {
        self.setting.check()?;
        ensure!(is_positive(self.capacity), "--capacity: must be a positive multiple of the mean demand, for example 0.6");
        ensure!((2..=1000).contains(&self.buckets), "--buckets: must be 2 to 1000, each of which has a policy of its own");
        ensure!((1..=10_000).contains(&self.times), "--times: must be 1 to 10000");
        Ok(())
    }
}
