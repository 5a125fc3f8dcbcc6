//! `tidegate-train evaluate`: a model beside the naive forecasts on given data.

use std::path::PathBuf;

use clap::Args;
use tidegate_registry::Registry;

use super::{PastArgs, ReadArgs, fit::step_of};
use crate::{evaluate::score_model, matrix::Options, pipeline::gather, progress::Progress, promote::card};

/// Arguments of `evaluate`.
#[derive(Debug, Clone, Args)]
pub struct EvaluateArgs {
    /// Name of the model
    #[arg(long)]
    model: String,
    #[command(flatten)]
    past: PastArgs,
    #[command(flatten)]
    read: ReadArgs,
    /// Score what comes after this share of each trace or journal; spreads are learned from what comes before
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    from_fraction: f64,
    /// Folder of models
    #[arg(long, default_value = "models", value_name = "DIR")]
    models: PathBuf,
}

impl EvaluateArgs {
    /// Prints a table for all data together, and one by source and class of series.
    ///
    /// # Errors
    /// When the model or the data cannot be read.
    pub fn run(self) -> anyhow::Result<()> {
        anyhow::ensure!((0.0..1.0).contains(&self.from_fraction), "--from-fraction must be from 0 to below 1");
        let past = self.past.past(&self.read)?;
        let model = Registry::new(&self.models, step_of(&past)).load(&self.model)?.model;
        let options = Options { rows: self.read.rows, ..Options::default() };
        let samples = gather(&past, 1.0, options, &Progress::Shown)?;
        let table = score_model(&samples, &model, self.from_fraction);
        anyhow::ensure!(!table.groups.is_empty(), "there are too few windows to score the model on");
        print!("{}", card::lines(&table.overall));
        let mut groups = String::new();
        card::groups(&mut groups, &table, &model.id);
        print!("{groups}");
        Ok(())
    }
}
