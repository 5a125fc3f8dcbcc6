//! `fairness`: what priorities, weights and a limit over all nodes come to on traces.

use std::{path::Path, process::ExitCode};

use tidegate_planner::Model;
use tidegate_replay::{
    CompareError,
    fairness::{self, Terms},
    kv::Staleness,
    named,
    origin::Origin,
    spread::{Spread, Spreader},
    workload::{Cut, Workload},
};
use tidegate_trace::Trace;

use super::say;
use crate::{args::Fairness, model};

/// Runs it and prints two tables per trace; the exit code is 1 when more was leased than the origin has.
///
/// # Errors
/// An option, a trace or a model that cannot be used.
pub fn run(asked: &Fairness) -> anyhow::Result<ExitCode> {
    asked.check()?;
    let model = model::load(&asked.setting.model)?;
    let mut breached = false;
    for path in &asked.setting.trace {
        breached |= one(asked, path, model.as_ref())?;
    }
    Ok(if breached { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn one(asked: &Fairness, path: &Path, model: Option<&Model>) -> anyhow::Result<bool> {
    let name = named(path);
    let trace = Trace::read(path)?;
    let cut = Cut { buckets: Some(asked.buckets), windows: Some(asked.windows), fit: 0.5, gather: false };
    let of = |source| CompareError::Of { trace: name.clone(), source: Box::new(source) };
    let mut workload =
        Workload::new(&trace, &cut, &mut Spreader::new(Spread::Request, asked.setting.nodes, asked.setting.seed, &trace)).map_err(of)?;
    for row in &mut workload.rows {
        row.requests = row.requests.saturating_mul(asked.times);
        row.errors = row.errors.saturating_mul(asked.times);
    }
    let sustained_per_s = asked.capacity * workload.scored_mean_per_s();
    let terms = Terms {
        origin: Origin { sustained_per_s, burst: sustained_per_s * asked.setting.burst_seconds },
        staleness: Staleness::fixed(asked.setting.delay),
        seed: asked.setting.seed,
    };
    say(format_args!(
        "{name} x {}, {} x the mean demand, {} nodes, {} s of delay\n",
        asked.times, asked.capacity, workload.nodes, asked.setting.delay
    ))?;
    say("| policies | priority | weight | buckets | demand | served % | of its fair share % |\n|---|--:|--:|--:|--:|--:|--:|")?;
    let mut summaries = vec![];
    for governed in [true, false] {
        let policies = if governed { "yes" } else { "none" };
        let got = fairness::run(&workload, terms, governed, model)?;
        for c in &got.classes {
            let of = |whole: f64| 100.0 * c.admitted / whole.max(f64::MIN_POSITIVE);
            let (served, share) = (of(c.demand), of(c.entitled));
            say(format_args!("| {policies} | {} | {} | {} | {} | {served:.1} | {share:.1} |", c.priority, c.weight, c.buckets, c.demand))?;
        }
        let jain: Vec<String> = got.jain.iter().map(|(priority, index)| format!("{index:.3} ({priority})")).collect();
        let (limit, share, overload) = (100.0 * got.of_limit, 100.0 * got.of_share, 100.0 * got.overload);
        summaries.push((got.breached, format!("| {policies} | {} | {limit:.1} | {share:.1} | {overload:.2} |", jain.join(", "))));
    }
    say(
        "\n| policies | Jain's index (priority) | limited bucket, % of its limit | of its fair share % | time overloaded % |\n|---|---|--:|--:|--:|",
    )?;
    for (_, line) in &summaries {
        say(line)?;
    }
    say("")?;
    Ok(summaries.iter().any(|(breached, _)| *breached))
}
