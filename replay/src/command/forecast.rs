//! `forecast`: coverage of the planner's quantiles, and its forecasts as files.

use std::{
    fs,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context;
use tidegate_planner::Model;
use tidegate_replay::{
    named,
    outlook::{self, Outcome, write},
};
use tidegate_trace::Trace;

use super::say;
use crate::{args::Forecast, model};

/// Runs it, prints the coverage and writes what was asked for. A trace that cannot be scored is named with the reason, and the
/// rest goes on.
///
/// # Errors
/// An option, a model or a file that cannot be used.
pub fn run(asked: &Forecast) -> anyhow::Result<ExitCode> {
    let options = asked.options()?;
    let model = model::load(&asked.model)?;
    let mut outcomes = vec![];
    for path in &asked.trace {
        let name = named(path);
        eprintln!("forecasting {name}");
        match one(path, options, model.as_ref()) {
            Ok(outcome) => outcomes.push((name, outcome)),
            Err(reason) => eprintln!("note: {name} is not scored: {reason:#}"),
        }
    }
    say(write::coverage(&outcomes).trim_end())?;
    if let Some(dir) = &asked.out {
        fs::create_dir_all(dir).with_context(|| format!("--out: cannot make {}", dir.display()))?;
        for (name, outcome) in &outcomes {
            for (what, text) in [("series", write::series(outcome)), ("forecasts", write::forecasts(outcome))] {
                let path = dir.join(format!("{name}.{what}.csv"));
                fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn one(path: &Path, options: outlook::Options, model: Option<&Model>) -> anyhow::Result<Outcome> {
    let trace = Trace::read(path)?;
    let began = Instant::now();
    Ok(outlook::run(&trace, model, options, &|| spent().unwrap_or_else(|| began.elapsed()), &|| {})?)
}

/// Processor time of this thread, where the system tells it (Linux); the time on the wall is more on a busy machine.
fn spent() -> Option<Duration> {
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
