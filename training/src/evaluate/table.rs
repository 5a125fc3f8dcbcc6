//! Losses by group of series, scaled by those of the naive last value, and what they come to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::loss::{LEVELS, deviance, pinball};
use crate::matrix::{Class, Span};

/// Losses that are told apart: deviance, then pinball at each of [`LEVELS`].
pub const LOSSES: usize = 1 + LEVELS.len();
/// Forecasts from which a group's losses are worth a line.
const ENOUGH: u64 = 200;

/// Weighted sums of losses of one contender over one group.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sums {
    /// Sum of weights.
    pub weight: f64,
    /// Number of forecasts.
    pub count: u64,
    /// Weighted losses.
    pub losses: [f64; LOSSES],
}

impl Sums {
    /// Adds a forecast: mean, quantiles at [`LEVELS`], what came, and how many rows it stands for.
    pub fn add(&mut self, mu: f64, quantiles: [f64; 3], y: f64, weight: f64) {
        self.weight += weight;
        self.count += 1;
        self.losses[0] += weight * deviance(mu, y);
        for k in 0..LEVELS.len() {
            self.losses[1 + k] += weight * pinball(quantiles[k], LEVELS[k], y);
        }
    }
}

/// Losses of one contender relative to the naive last value: 1 is as good, 0.8 is a fifth less.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The contender.
    pub name: String,
    /// Poisson deviance.
    pub deviance: f64,
    /// Pinball loss at 0.5, 0.9 and 0.99.
    pub pinball: [f64; 3],
    /// Mean of the four: what decides.
    pub score: f64,
}

/// How all contenders did.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Table {
    /// Geometric mean over the groups, one line per contender.
    pub overall: Vec<Line>,
    /// One list of lines per group: trace or journal, and class of series.
    pub groups: Vec<Group>,
    /// Forecasts compared.
    pub forecasts: u64,
}

/// One group of series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Trace or journal.
    pub source: String,
    /// Class of series.
    pub class: &'static str,
    /// Forecasts of each contender.
    pub forecasts: u64,
    /// One per contender.
    pub lines: Vec<Line>,
}

/// Sums by (source, class), then contender.
pub type ByGroup<C = Class> = BTreeMap<(u16, C), Vec<Sums>>;

impl Table {
    /// Scales all losses by those of the first contender. `name_of` names a class.
    pub fn of<C: Copy>(names: &[String], sums: &ByGroup<C>, spans: &[Span], name_of: fn(C) -> &'static str) -> Self {
        let mut groups = vec![];
        for ((source, class), contenders) in sums {
            let base = contenders[0];
            if base.count < ENOUGH || base.losses.iter().any(|&l| l <= 0.0) {
                continue;
            }
            let scaled = contenders.iter().map(|s| std::array::from_fn(|k| s.losses[k] / base.losses[k]));
            let lines = names.iter().zip(scaled).map(|(name, losses)| Line::of(name, losses)).collect();
            let source = spans[usize::from(*source)].name.clone();
            groups.push(Group { source, class: name_of(*class), forecasts: base.count, lines });
        }
        let all: Vec<&Group> = groups.iter().collect();
        let overall = names.iter().enumerate().map(|(i, name)| Line::of(name, geometric_means(&all, i))).collect();
        let forecasts = groups.iter().map(|g| g.forecasts).sum();
        Self { overall, groups, forecasts }
    }

    /// All groups of several tables of the same contenders, and what they come to together; nothing of no table.
    pub fn joined(tables: impl IntoIterator<Item = Self>) -> Self {
        let mut tables = tables.into_iter();
        let mut all = tables.next().unwrap_or_default();
        for table in tables {
            all.groups.extend(table.groups);
            all.forecasts += table.forecasts;
        }
        all.overall = all.over(|_| true);
        all
    }

    /// Geometric means over the groups that are `kept`, one line per contender.
    pub fn over(&self, kept: impl Fn(&Group) -> bool) -> Vec<Line> {
        let groups: Vec<&Group> = self.groups.iter().filter(|g| kept(g)).collect();
        self.overall.iter().enumerate().map(|(i, line)| Line::of(&line.name, geometric_means(&groups, i))).collect()
    }

    /// The line of a contender.
    pub fn line(&self, name: &str) -> Option<&Line> {
        self.overall.iter().find(|l| l.name == name)
    }
}

impl Line {
    fn of(name: &str, losses: [f64; LOSSES]) -> Self {
        let score = losses.iter().sum::<f64>() / LOSSES as f64;
        Self { name: name.to_owned(), deviance: losses[0], pinball: [losses[1], losses[2], losses[3]], score }
    }

    fn losses(&self) -> [f64; LOSSES] {
        [self.deviance, self.pinball[0], self.pinball[1], self.pinball[2]]
    }
}

fn geometric_means(groups: &[&Group], contender: usize) -> [f64; LOSSES] {
    let mut logs = [0.0; LOSSES];
    for group in groups {
        for (sum, loss) in logs.iter_mut().zip(group.lines[contender].losses()) {
            *sum += loss.max(1e-6).ln();
        }
    }
    logs.map(|sum| (sum / groups.len().max(1) as f64).exp())
}
