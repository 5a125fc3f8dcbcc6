//! Which model the planner forecasts with, the same for every task.

use std::path::PathBuf;

use clap::Args;

/// Options that name a model.
#[derive(Debug, Args)]
pub struct ModelChoice {
    /// Model artefact (a folder with manifest.json and model.json), or `none`; the champion of the models directory when left out.
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Models directory.
    #[arg(long, default_value = "models", value_name = "DIR")]
    pub models: PathBuf,
}
