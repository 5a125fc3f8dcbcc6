//! A bench as JSON and as Markdown.

use std::{collections::BTreeMap, fmt::Write};

use serde::Serialize;

use super::{Outcome, TARGET_DELAY_S, checks};
use crate::{
    Comparison,
    contender::Kind,
    report::{
        json::{Line, line},
        markdown::table,
    },
    score::Score,
};

#[derive(Serialize)]
struct Written<'a> {
    model: Option<&'a str>,
    checks: Vec<checks::Check>,
    cases: Vec<Line<'a>>,
    oddities: &'a [(String, String)],
    unscored: &'a [(String, String)],
}

/// All of it: the model's id, targets, every case in the form of a comparison, what is odd and what was not scored.
///
/// # Errors
/// None in practice: names and finite numbers can always be written.
pub fn json(outcome: &Outcome, model: Option<&str>) -> Result<String, serde_json::Error> {
    let written = Written {
        model,
        checks: checks::all(&outcome.comparisons),
        cases: outcome.comparisons.iter().map(line).collect(),
        oddities: &outcome.oddities,
        unscored: &outcome.unscored,
    };
    Ok(serde_json::to_string_pretty(&written)? + "\n")
}

/// Targets, the cases that they are about, means over all cases, and what a reader should know of the traces.
pub fn markdown(outcome: &Outcome, model: Option<&str>) -> String {
    let mut text = format!("Forecasts by {}.\n", model.map_or("the naive experts alone".to_owned(), |id| format!("model {id}")));
    targets(&mut text, &outcome.comparisons);
    contenders(&mut text, &outcome.comparisons);
    let target: Vec<&Comparison> = outcome.comparisons.iter().filter(|c| is_shown(c)).collect();
    table(&mut text, "Regret: throttled share of the demand less `central`'s, points", &target, |s| points(s.regret));
    table(&mut text, "Refused to buckets within their max-min fair share, % of the demand", &target, |s| points(s.refused_within_share));
    table(&mut text, "Tokens leased per request served", &target, |s| format!("{:.2}", s.leased_per_served));
    means(&mut text, &outcome.comparisons, "Mean regret over the traces with several buckets, points", |s| s.regret);
    means(&mut text, &outcome.comparisons, "Mean refused within fair shares over the same, %", |s| s.refused_within_share);
    list(&mut text, "Not scored", &outcome.unscored);
    list(&mut text, "Worth knowing", &outcome.oddities);
    text
}

/// Writing to a string cannot fail: results of `writeln!` are dropped here.
fn targets(text: &mut String, comparisons: &[Comparison]) {
    let _ = writeln!(text, "\n| target | met | missed |\n|---|--:|--:|");
    let checks = checks::all(comparisons);
    for check in &checks {
        let _ = writeln!(text, "| {} | {} | {} |", check.target, check.passed, check.failed.len());
    }
    for check in checks.iter().filter(|check| !check.failed.is_empty()) {
        let _ = writeln!(text, "\nMissed, {}:\n", check.target);
        for failure in &check.failed {
            let _ = writeln!(text, "- {failure}");
        }
    }
}

/// Cases that stand in a table of their own: those of the targets, and the same of traces with one bucket.
fn is_shown(comparison: &Comparison) -> bool {
    let several = Comparison { buckets: 2, windows: vec![], ..comparison.clone() };
    checks::is_target(&several, TARGET_DELAY_S)
}

/// One line per contender over the cases of the targets.
fn contenders(text: &mut String, comparisons: &[Comparison]) {
    let target: Vec<&Comparison> = comparisons.iter().filter(|c| checks::is_target(c, TARGET_DELAY_S)).collect();
    let _ = writeln!(text, "\nOver the {} cases of the targets, with {TARGET_DELAY_S} s of delay\n", target.len());
    let _ =
        writeln!(text, "| contender | mean regret, points | worst | mean refused within fair shares, % | worst | most time exceeded, % |");
    let _ = writeln!(text, "|---|--:|--:|--:|--:|--:|");
    for name in Kind::ALL.map(Kind::name) {
        let scores: Vec<&Score> = target.iter().flat_map(|c| &c.contenders).filter(|s| s.name == name).collect();
        if scores.is_empty() {
            continue;
        }
        let mean = |value: fn(&Score) -> f64| points(scores.iter().map(|s| value(s)).sum::<f64>() / scores.len() as f64);
        let worst = |value: fn(&Score) -> f64| points(scores.iter().map(|s| value(s)).fold(0.0, f64::max));
        let regret = |s: &Score| s.regret;
        let within = |s: &Score| s.refused_within_share;
        let cells = [mean(regret), worst(regret), mean(within), worst(within), worst(|s| s.overload_share)];
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
}

/// One line per capacity, delay and number of nodes; the traces' own nodes are a line of their own.
fn means(text: &mut String, comparisons: &[Comparison], title: &str, value: impl Fn(&Score) -> f64) {
    let mut groups: BTreeMap<(String, u64, u32), Vec<&Comparison>> = BTreeMap::new();
    for c in comparisons.iter().filter(|c| c.buckets > 1) {
        let nodes = if c.spread == crate::spread::Spread::Own { "own".to_owned() } else { format!("{:>3}", c.nodes) };
        groups.entry((nodes, (c.capacity_x_mean * 1000.0) as u64, c.staleness.delay_s)).or_default().push(c);
    }
    let ran = |name: &&str| comparisons.iter().any(|c| c.contenders.iter().any(|s| s.name == *name));
    let names: Vec<&str> = Kind::ALL.map(Kind::name).into_iter().filter(ran).collect();
    let _ = writeln!(text, "\n{title}\n\n| nodes | capacity | delay | traces | {} |", names.join(" | "));
    let _ = writeln!(text, "|--:|--:|--:|--:|{}", "--:|".repeat(names.len()));
    for ((nodes, capacity, delay_s), group) in groups {
        let mean = |name: &&str| -> String {
            let scores = group.iter().filter_map(|c| c.contenders.iter().find(|s| s.name == **name));
            let values: Vec<f64> = scores.map(&value).collect();
            if values.is_empty() { String::new() } else { points(values.iter().sum::<f64>() / values.len() as f64) }
        };
        let cells: Vec<String> = names.iter().map(mean).collect();
        let capacity = capacity as f64 / 1000.0;
        let _ = writeln!(text, "| {} | {capacity} | {delay_s} s | {} | {} |", nodes.trim(), group.len(), cells.join(" | "));
    }
}

fn list(text: &mut String, title: &str, lines: &[(String, String)]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}:\n");
    for (name, line) in lines {
        let _ = writeln!(text, "- {name}: {line}");
    }
}

fn points(share: f64) -> String {
    format!("{:.2}", 100.0 * share + 0.0)
}
