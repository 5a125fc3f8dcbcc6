//! `cold`: the first windows of schemes that know nothing.

use std::process::ExitCode;

use tidegate_replay::{
    Case,
    cold::{self, Opening},
    named,
};
use tidegate_trace::Trace;

use super::say;
use crate::{args::Cold, model};

/// Runs it and prints one line per trace, spread, capacity and number of first windows; the exit code is 1 when more was leased than
/// the origin has.
///
/// # Errors
/// An option, a trace or a model that cannot be used.
pub fn run(asked: &Cold) -> anyhow::Result<ExitCode> {
    let course = asked.course()?;
    let model = model::load(&asked.setting.model)?;
    let names: Vec<&str> = asked.contenders.iter().map(|kind| kind.name()).collect();
    say(format_args!(
        "| trace | spread | capacity | windows | starts | {} | adaptive less static-pool | worse, better |",
        names.join(" | ")
    ))?;
    say(format_args!("|---|---|--:|--:|--:|{}--:|--:|", "--:|".repeat(names.len())))?;
    let mut code = ExitCode::SUCCESS;
    for path in &asked.setting.trace {
        let trace = Trace::read(path)?;
        let name = named(path);
        for spread in &asked.spread {
            let cases: Vec<Case> = cold::cases(&name, &trace, &course, &asked.options(*spread))?;
            for opening in cold::run(&cases, &course, model.as_ref())? {
                say(format_args!("| {name} | {} |", line(&opening)))?;
                for breach in &opening.breaches {
                    eprintln!("error: {name}, capacity {}: {breach}", opening.capacity_x_mean);
                    code = ExitCode::FAILURE;
                }
            }
        }
    }
    Ok(code)
}

fn line(opening: &Opening) -> String {
    let Opening { spread, capacity_x_mean, windows, starts, worse_and_better: (worse, better), .. } = opening;
    let shares: Vec<String> = opening.throttled_share.iter().map(|share| format!("{:.2}", 100.0 * share)).collect();
    let more = opening.more.map_or_else(|| "-".to_owned(), |(mean, error)| format!("{:+.2} ± {:.2}", 100.0 * mean, 100.0 * error));
    let spread = format!("{spread:?}").to_lowercase();
    format!("{spread} | {capacity_x_mean} | {windows} | {starts} | {} | {more} | {worse}, {better}", shares.join(" | "))
}
