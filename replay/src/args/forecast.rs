//! Options of `forecast`.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use tidegate_replay::outlook::Options;

use super::ModelChoice;

/// Options of `forecast`.
#[derive(Debug, Args)]
pub struct Forecast {
    /// Trace files (parquet: ts, node, bucket, requests, bytes_mean, errors).
    #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
    pub trace: Vec<PathBuf>,
    /// Folder for NAME.series.csv and NAME.forecasts.csv of each trace; it is made where it is missing.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Series of each trace to write out, at most.
    #[arg(long, default_value_t = 8, value_name = "N")]
    pub series: usize,
    /// Windows of the scored part from which those are forecast, at most.
    #[arg(long, default_value_t = 8, value_name = "N")]
    pub origins: usize,
    /// Share of the windows before the scored part.
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    pub fit: f64,
    /// The model.
    #[command(flatten)]
    pub model: ModelChoice,
}

impl Forecast {
    /// The options, checked.
    ///
    /// # Errors
    /// The first option whose value cannot be used, by its name, and what would do.
    pub fn options(&self) -> anyhow::Result<Options> {
        ensure!(self.fit > 0.0 && self.fit < 1.0, "--fit: must be a share above 0 and below 1, for example 0.5");
        Ok(Options { fit: self.fit, series: self.series, origins: self.origins })
    }
}
