//! `abuse`: attacks laid over traces.

use std::{fs, path::Path, process::ExitCode};

use anyhow::Context;
use serde::Serialize;
use tidegate_planner::Model;
use tidegate_replay::{
    CompareError,
    abuse::{Attack, Damage, Terms, capped::ceiling_per_s, report, run as attack},
    kv::Staleness,
    named,
    origin::Origin,
    spread::{Spread, Spreader},
    workload::{Cut, Workload},
};
use tidegate_trace::Trace;

use super::say;
use crate::{args::Abuse, model};

/// What came out for one trace.
#[derive(Serialize)]
struct Case {
    trace: String,
    capacity_x_mean: f64,
    nodes: usize,
    delay_s: u32,
    damages: Vec<Damage>,
}

/// Runs it, prints a table per trace and writes the figures.
///
/// # Errors
/// An option, a trace, a model or a file that cannot be used.
pub fn run(asked: &Abuse) -> anyhow::Result<ExitCode> {
    asked.check()?;
    let wants_model = asked.contenders.iter().any(|kind| kind.plans());
    let model = if wants_model { model::load(&asked.setting.model)? } else { None };
    let cases: Vec<Case> = asked.setting.trace.iter().map(|path| case(asked, path, model.as_ref())).collect::<anyhow::Result<_>>()?;
    for c in &cases {
        let title = format!("{}, {} x the mean honest demand, {} nodes, {} s of delay", c.trace, c.capacity_x_mean, c.nodes, c.delay_s);
        say(report::markdown(&title, &c.damages))?;
        let left_out = asked.attacks.iter().filter(|a| !c.damages.iter().any(|d| d.attack == a.name())).map(|a: &Attack| a.name());
        left_out.for_each(|name| eprintln!("note: {}: too few keys or nodes for {name}", c.trace));
    }
    if let Some(path) = &asked.json {
        fs::write(path, serde_json::to_string_pretty(&cases)?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn case(asked: &Abuse, path: &Path, model: Option<&Model>) -> anyhow::Result<Case> {
    let name = named(path);
    let trace = Trace::read(path)?;
    let cut = Cut { buckets: None, windows: Some(asked.windows), fit: 0.5, gather: false };
    let of = |source| CompareError::Of { trace: name.clone(), source: Box::new(source) };
    let workload =
        Workload::new(&trace, &cut, &mut Spreader::new(Spread::Auto, asked.setting.nodes, asked.setting.seed, &trace)).map_err(of)?;
    let sustained_per_s = asked.capacity * workload.scored_mean_per_s();
    let terms = Terms {
        origin: Origin { sustained_per_s, burst: sustained_per_s * asked.setting.burst_seconds },
        staleness: Staleness::fixed(asked.setting.delay),
        contenders: asked.contenders.clone(),
        attacks: asked.attacks.clone(),
        ceiling_per_s: asked.ceiling.map(|times| ceiling_per_s(&workload, times)),
        seed: asked.setting.seed,
    };
    let damages = attack(&workload, &terms, model, &|attack, kind| eprintln!("{name}: {} under {} is done", attack.name(), kind.name()))?;
    Ok(Case { trace: name, capacity_x_mean: asked.capacity, nodes: workload.nodes, delay_s: asked.setting.delay, damages })
}
