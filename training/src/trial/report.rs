//! The tables of a trial.

use std::{collections::BTreeSet, fmt::Write};

use super::{Form, Trial};
use crate::{
    evaluate::{Line, NAIVE, Table},
    matrix::Pattern,
    promote::card,
};

/// Scores that are as far apart as this, or less, are as good.
const TIE: f64 = 5e-4;

/// All tables, in Markdown, of trials on several choices of rows.
pub fn render(trials: &[Trial]) -> String {
    let by_class = Table::joined(trials.iter().map(|t| t.by_class.clone()));
    let mut out = card::lines(&by_class.overall);
    choices(&mut out, trials);
    patterns(&mut out, &Table::joined(trials.iter().map(|t| t.by_pattern.clone())));
    sources(&mut out, &by_class);
    out
}

/// Scores of each form by choice of rows.
fn choices(out: &mut String, trials: &[Trial]) {
    header(out, "rows", &Form::ALL.map(Form::name));
    for (i, trial) in trials.iter().enumerate() {
        // Writing to a string does not fail, here and below.
        let _ = write!(out, "| choice {} |", i + 1);
        forms(&trial.by_class.overall).for_each(|score| cell(out, score));
        out.push('\n');
    }
    out.push('\n');
}

fn header(out: &mut String, first: &str, columns: &[String]) {
    let _ = write!(out, "| {first} | {} |\n|---|{}\n", columns.join(" | "), "---:|".repeat(columns.len()));
}

fn cell(out: &mut String, score: f64) {
    let _ = write!(out, " {score:.3} |");
}

/// Scores of the forms among the lines of all contenders.
fn forms(lines: &[Line]) -> impl Iterator<Item = f64> {
    lines[NAIVE.len()..].iter().map(|l| l.score)
}

/// Scores of each contender by pattern of demand, geometric means over the sources.
fn patterns(out: &mut String, table: &Table) {
    header(out, "forecast", &Pattern::ALL.map(|pattern| format!("{} ({})", pattern.name(), sources_with(table, pattern))));
    let means = Pattern::ALL.map(|pattern| table.over(|g| g.class == pattern.name()));
    for (i, line) in table.overall.iter().enumerate() {
        let _ = write!(out, "| {} |", line.name);
        means.iter().for_each(|lines| cell(out, lines[i].score));
        out.push('\n');
    }
    out.push('\n');
}

fn sources_with(table: &Table, pattern: Pattern) -> usize {
    let groups = table.groups.iter().filter(|g| g.class == pattern.name());
    groups.map(|g| &g.source).collect::<BTreeSet<_>>().len()
}

/// Scores of each form by source, geometric means over its classes of series, and on how many each beats the first form.
fn sources(out: &mut String, table: &Table) {
    let best_naive = |lines: &[Line]| lines[..NAIVE.len()].iter().map(|l| l.score).fold(f64::INFINITY, f64::min);
    let columns: Vec<String> = std::iter::once("best naive".into()).chain(Form::ALL.map(Form::name)).collect();
    header(out, "source", &columns);
    let sources: BTreeSet<&str> = table.groups.iter().map(|g| g.source.as_str()).collect();
    let (mut won, mut lost) = ([0; Form::ALL.len()], [0; Form::ALL.len()]);
    for source in sources {
        let lines = table.over(|g| g.source == source);
        let _ = write!(out, "| {source} |");
        cell(out, best_naive(&lines));
        let served = lines[NAIVE.len()].score;
        for (i, score) in forms(&lines).enumerate() {
            won[i] += usize::from(score < served - TIE);
            lost[i] += usize::from(score > served + TIE);
            cell(out, score);
        }
        out.push('\n');
    }
    out.push_str("| better / worse | |");
    won.iter().zip(lost).for_each(|(won, lost)| {
        let _ = write!(out, " {won} / {lost} |");
    });
    out.push('\n');
}
