//! `bench`: every contender over every trace.

use std::{fs, process::ExitCode};

use anyhow::Context;
use tidegate_replay::bench::{self, report};

use super::{failed_by, say};
use crate::{args::Bench, model, progress::CaseByCase};

/// Runs it, prints the summary and writes all scores.
///
/// # Errors
/// An option, a model or a file that cannot be used; a trace that cannot be scored is part of the result.
pub fn run(asked: &Bench) -> anyhow::Result<ExitCode> {
    let plan = asked.plan()?;
    let files = asked.files()?;
    let wants_model = plan.contenders.iter().any(|kind| kind.plans());
    let model = if wants_model { model::load(&asked.model)? } else { None };
    let progress = CaseByCase::new();
    let outcome = bench::run(&plan, &files, model.as_ref(), &progress);
    progress.finish();
    let id = model.as_ref().map(|model| model.id.as_str());
    let summary = report::markdown(&outcome, id);
    say(summary.trim_end())?;
    if let Some(dir) = &asked.out {
        fs::create_dir_all(dir).with_context(|| format!("--out: cannot make {}", dir.display()))?;
        for (name, text) in [("bench.json", report::json(&outcome, id)?), ("bench.md", summary)] {
            let path = dir.join(name);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(failed_by(&outcome.comparisons))
}
