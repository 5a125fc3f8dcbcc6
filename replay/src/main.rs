//! `tidegate-replay`: compares schemes on request traces, on simulated time.

mod args;
mod model;
mod progress;

use std::{fs, path::Path, process::ExitCode};

use anyhow::Context;
use clap::Parser;
use tidegate_replay::{
    Case, Comparison, Options, compare,
    compare::windows_to_run,
    preset,
    report::{html, json, markdown},
};
use tidegate_trace::Trace;

use crate::{args::Compare, progress::Progress};

fn main() -> ExitCode {
    let args::Command::Compare(asked) = args::Cli::parse().command;
    match run(&asked) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(asked: &Compare) -> anyhow::Result<ExitCode> {
    let options = asked.options()?;
    let wants_model = options.contenders.iter().any(|k| k.plans());
    let model = if wants_model { model::load(asked.model.as_deref(), &asked.models)? } else { None };
    let cases: Vec<Case> = asked.trace.iter().map(|path| case(path, &options, asked.prototype)).collect::<anyhow::Result<_>>()?;
    let progress = Progress::new(windows_to_run(&cases));
    let comparisons = compare(&cases, model.as_ref(), &|| progress.window_done())?;
    progress.finish();
    report(asked, &comparisons)
}

fn case(path: &Path, options: &Options, prototype: bool) -> anyhow::Result<Case> {
    let trace = Trace::read(path)?;
    let name = path.file_stem().map_or_else(|| path.display().to_string(), |stem| stem.to_string_lossy().into_owned());
    let options = if prototype { preset::sketch(options, &name) } else { options.clone() };
    Ok(Case::new(&name, &trace, options)?)
}

fn report(asked: &Compare, comparisons: &[Comparison]) -> anyhow::Result<ExitCode> {
    let tables = markdown::write(comparisons);
    print!("{tables}");
    let json = json::write(comparisons)?;
    for (path, text) in [(&asked.json, json), (&asked.html, html::write(comparisons)), (&asked.markdown, tables)] {
        if let Some(path) = path {
            fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    let mut code = ExitCode::SUCCESS;
    for comparison in comparisons {
        let Comparison { trace, capacity_x_mean, staleness, .. } = comparison;
        for note in &comparison.notes {
            eprintln!("note: {trace}: {note}");
        }
        for breach in &comparison.breaches {
            eprintln!("error: {trace}, capacity {capacity_x_mean}, delay {} s: {breach}", staleness.delay_s);
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}
