//! The artefact for a person to read: what it learned from, how it did, what it believes.

use std::fmt::Write;

use tidegate_planner::Model;

use super::{Origin, verdict};
use crate::{
    evaluate::{Backtest, Line, Table},
    matrix::{Class, Samples},
};

/// The card, in Markdown.
pub fn render(origin: &Origin, model: &Model, samples: &Samples, backtest: &Backtest) -> String {
    let mut out = format!("# Model {}\n\n", origin.id);
    let kind = backtest.best.name();
    // Writing to a string does not fail, here and below.
    let _ = write!(
        out,
        "Expected requests per bucket and node in each of the next {} windows of {} s: one log-linear regression per step, fitted as \
         *{kind}* at {}.\n\nIn the backtest {}.\n\n",
        model.steps.len(),
        model.step_s,
        origin.created_at,
        verdict(backtest),
    );
    let _ = write!(out, "## Fit it again\n\n```\n{}\n```\n\n", origin.command);
    data(&mut out, samples);
    out.push_str("## Backtest\n\n");
    out.push_str(ROLLING);
    out.push_str(&lines(&backtest.table.overall));
    groups(&mut out, &backtest.table, kind);
    coefficients(&mut out, model);
    out
}

const ROLLING: &str = "Rolling origin: fitted on the first 40, 60 and 80 % of each source, scored on the 20 % that follow each cut, all steps \
    together. Losses are relative to those of the naive last value (below 1 is better), taken per source and class of series \
    (node totals, buckets with a request or more per window, quieter buckets), then averaged geometrically. Quantiles of all \
    contenders come from their mean and a negative binomial spread learned before the cut, for each source and class. No mean is taken to be below 0.01 \
    requests. The score is the mean of the four losses. Windows with throttling or failures teach nothing here.\n\n";

fn data(out: &mut String, samples: &Samples) {
    let of = |class| samples.class.iter().filter(|c| **c == class).count();
    let _ = write!(
        out,
        "## Data\n\n{} rows ({} of node totals, {} of busy, {} of quiet buckets), chosen so that each stands for a known number of \
         rows.\n\n| source | from | to | series | requests | damaged frames |\n|---|---|---|---:|---:|---:|\n",
        samples.len(),
        of(Class::Total),
        of(Class::Busy),
        of(Class::Quiet),
    );
    for s in &samples.spans {
        let _ = writeln!(out, "| {} | {} | {} | {} | {} | {} |", s.name, s.from, s.to, s.series, s.requests, s.skipped);
    }
    out.push('\n');
}

/// A table of contenders.
pub fn lines(lines: &[Line]) -> String {
    let mut out = "| forecast | deviance | pinball 0.5 | pinball 0.9 | pinball 0.99 | score |\n|---|---:|---:|---:|---:|---:|\n".to_owned();
    for l in lines {
        let [p50, p90, p99] = l.pinball;
        let _ = writeln!(out, "| {} | {:.3} | {p50:.3} | {p90:.3} | {p99:.3} | {:.3} |", l.name, l.deviance, l.score);
    }
    out.push('\n');
    out
}

/// One line per group for the contender `name`, beside the best naive forecast of the group.
pub fn groups(out: &mut String, table: &Table, name: &str) {
    out.push_str("| source | series | forecasts | deviance | pinball 0.5 | pinball 0.9 | pinball 0.99 | score | best naive score |\n");
    out.push_str("|---|---|---:|---:|---:|---:|---:|---:|---:|\n");
    for g in &table.groups {
        let Some(own) = g.lines.iter().find(|l| l.name == name) else { continue };
        let naive = crate::evaluate::NAIVE.iter().filter_map(|n| g.lines.iter().find(|l| l.name == n.name()));
        let best = naive.map(|l| l.score).fold(f64::INFINITY, f64::min);
        let [p50, p90, p99] = own.pinball;
        let _ = writeln!(
            out,
            "| {} | {} | {} | {:.3} | {p50:.3} | {p90:.3} | {p99:.3} | {:.3} | {best:.3} |",
            g.source, g.class, g.forecasts, own.deviance, own.score,
        );
    }
    out.push('\n');
}

fn coefficients(out: &mut String, model: &Model) {
    let _ = write!(
        out,
        "## Coefficients\n\nOf the logarithm of the mean; features as they come. Dispersion {:.4}: variance = mean + dispersion x mean².\n\n| \
         feature |",
        model.dispersion
    );
    for step in 1..=model.steps.len() {
        let _ = write!(out, " +{} s |", step as u32 * model.step_s);
    }
    out.push_str("\n|---|");
    out.push_str(&"---:|".repeat(model.steps.len()));
    out.push_str("\n| intercept |");
    for step in &model.steps {
        let _ = write!(out, " {:.4} |", step.intercept);
    }
    for (i, name) in model.features.iter().enumerate() {
        let _ = write!(out, "\n| {name} |");
        for step in &model.steps {
            let _ = write!(out, " {:.4} |", step.coefficients[i]);
        }
    }
    out.push('\n');
}
