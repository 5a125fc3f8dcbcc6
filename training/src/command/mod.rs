//! What the binary does.

pub mod bench;
pub mod evaluate;
pub mod fit;
pub mod run;
pub mod trial;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use tidegate_planner::Settings;

use crate::pipeline::{Past, traces_in};

/// Fits, backtests and promotes the forecast of tidegate.
#[derive(Debug, Parser)]
#[command(name = "tidegate-train", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// See [`Cli`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fit a model on traces or a journal and write it; the champion changes only with --promote, and only to a winner
    Fit(fit::FitArgs),
    /// Compare a model with the naive forecasts on traces or a journal
    Evaluate(evaluate::EvaluateArgs),
    /// Retrain on the journal again and again, promoting only a winner
    Run(run::RunArgs),
    /// Compare forms of the model: fitted on the first part of traces or a journal, scored on the rest
    Trial(trial::TrialArgs),
    /// Time the fit on many rows of real features, and write them for others to fit
    Bench(bench::BenchArgs),
}

impl Cli {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong, with the file and the mend.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Fit(args) => args.run(),
            Command::Evaluate(args) => args.run(),
            Command::Run(args) => args.run(),
            Command::Trial(args) => args.run(),
            Command::Bench(args) => args.run(),
        }
    }
}

/// Where past telemetry is.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false, id = "past")]
pub struct PastArgs {
    /// Trace files
    #[arg(long = "trace", num_args = 1.., value_name = "FILE", group = "past")]
    pub files: Vec<PathBuf>,
    /// Folder of trace files
    #[arg(long, value_name = "DIR", group = "past")]
    pub traces: Option<PathBuf>,
    /// Folder of a journal: DATA_DIR/journal of the service
    #[arg(long, value_name = "DIR", group = "past")]
    pub journal: Option<PathBuf>,
}

/// How past telemetry is read.
#[derive(Debug, Clone, Args)]
pub struct ReadArgs {
    /// Nodes over which the requests of a trace with one node are spread
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub nodes: u32,
    /// About so many rows are kept of each trace or journal
    #[arg(long, default_value_t = 150_000, value_name = "N")]
    pub rows: usize,
    /// Length of a window of the journal, as the service's planner.interval_s
    #[arg(long, default_value = "30s", value_parser = seconds)]
    pub interval: u32,
}

impl PastArgs {
    /// The past that is meant.
    ///
    /// # Errors
    /// When a folder of traces cannot be listed or holds none.
    pub fn past(&self, read: &ReadArgs) -> anyhow::Result<Past> {
        let nodes = read.nodes as usize;
        match (&self.journal, &self.traces) {
            (Some(dir), _) => Ok(Past::Journal(dir.clone(), read.interval)),
            (None, Some(dir)) => Ok(Past::Traces(traces_in(dir)?, nodes)),
            (None, None) => Ok(Past::Traces(self.files.clone(), nodes)),
        }
    }
}

/// Parses a length of a window such as `30s` or `1m`.
fn seconds(text: &str) -> anyhow::Result<u32> {
    let seconds = u32::try_from(duration(text)?.as_secs()).unwrap_or(0);
    let settings = Settings { interval_s: seconds, ..Settings::default() };
    settings.check().map_err(|e| anyhow::anyhow!("{text:?} is no length of a window: it {}", e.reason))?;
    Ok(seconds)
}

/// Parses a duration such as `6h` or `90s`, above zero.
fn duration(text: &str) -> anyhow::Result<std::time::Duration> {
    let span: jiff::SignedDuration = text.parse().with_context(|| format!("{text:?} is no duration; write for example 6h or 30s"))?;
    let length = std::time::Duration::try_from(span).unwrap_or_default();
    anyhow::ensure!(!length.is_zero(), "{text:?} is no duration above zero");
    Ok(length)
}

/// Parses a share above 0 and up to 1.
fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if share > 0.0 && share <= 1.0 { Ok(share) } else { Err("it must be above 0 and at most 1, for example 0.5".into()) }
}
