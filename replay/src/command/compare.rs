//! `compare`: the cases that were asked for, side by side.

use std::{fs, path::Path, process::ExitCode};

use anyhow::Context;
use tidegate_replay::{
    Case, Comparison, Options, compare,
    compare::windows_to_run,
    named, preset,
    report::{html, json, markdown},
};
use tidegate_trace::Trace;

use super::{failed_by, say};
use crate::{args::Compare, model, progress::Progress};

/// Runs it, prints and writes the result.
///
/// # Errors
/// An option, a trace or a file that cannot be used.
pub fn run(asked: &Compare) -> anyhow::Result<ExitCode> {
    let options = asked.options()?;
    let wants_model = options.contenders.iter().any(|k| k.plans());
    let model = if wants_model { model::load(&asked.model)? } else { None };
    let cases: Vec<Case> = asked.trace.iter().map(|path| case(path, &options, asked.prototype)).collect::<anyhow::Result<_>>()?;
    let progress = Progress::new(windows_to_run(&cases));
    let comparisons = compare(&cases, model.as_ref(), &|| progress.window_done())?;
    progress.finish();
    report(asked, &comparisons)
}

fn case(path: &Path, options: &Options, prototype: bool) -> anyhow::Result<Case> {
    let trace = Trace::read(path)?;
    let name = named(path);
    let options = if prototype { preset::sketch(options, &name) } else { options.clone() };
    Ok(Case::new(&name, &trace, options)?)
}

fn report(asked: &Compare, comparisons: &[Comparison]) -> anyhow::Result<ExitCode> {
    let tables = markdown::write(comparisons);
    say(tables.trim_end())?;
    let json = json::write(comparisons)?;
    for (path, text) in [(&asked.json, json), (&asked.html, html::write(comparisons)), (&asked.markdown, tables)] {
        if let Some(path) = path {
            fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    for comparison in comparisons {
        comparison.notes.iter().for_each(|note| eprintln!("note: {}: {note}", comparison.trace));
    }
    Ok(failed_by(comparisons))
}
