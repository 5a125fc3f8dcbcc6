//! `tidegate-train trial`: forms of the model beside each other and the naive forecasts.

use clap::Args;
use tidegate_planner::forecast::STEPS;

use super::{PastArgs, ReadArgs};
use crate::{
    matrix::Options,
    pipeline::{Past, gather},
    progress::Progress,
    trial::{self, Form, Trial, report},
};

/// Arguments of `trial`.
#[derive(Debug, Clone, Args)]
pub struct TrialArgs {
    #[command(flatten)]
    past: PastArgs,
    #[command(flatten)]
    read: ReadArgs,
    /// Fit on what comes before this share of each trace or journal, score on what comes after it
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    from_fraction: f64,
    /// Choose rows anew so many times: how far the scores then differ says what a difference of forms is worth
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100))]
    repeat: u64,
}

impl TrialArgs {
    /// Prints a table for all data together, the scores by choice of rows, by pattern of demand and by trace or journal.
    ///
    /// # Errors
    /// When the data cannot be read or are too few.
    pub fn run(self) -> anyhow::Result<()> {
        anyhow::ensure!(self.from_fraction > 0.0 && self.from_fraction < 1.0, "--from-fraction must be above 0 and below 1");
        let past = self.past.past(&self.read)?;
        let trials = (0..self.repeat).map(|seed| self.once(&past, seed)).collect::<anyhow::Result<Vec<Trial>>>()?;
        print!("{}", report::render(&trials));
        Ok(())
    }

    fn once(&self, past: &Past, seed: u64) -> anyhow::Result<Trial> {
        let options = Options { rows: self.read.rows, seed, ..Options::default() };
        let samples = gather(past, 1.0, options, &Progress::Shown)?;
        let bar = Progress::Shown.bar("fits", (Form::ALL.len() * STEPS) as u64);
        let trial = trial::run(&samples, self.from_fraction, &|| bar.inc(1))?;
        bar.finish_and_clear();
        anyhow::ensure!(!trial.by_class.groups.is_empty(), "there are too few windows to score a form on");
        Ok(trial)
    }
}
