//! The machine-readable form.

use serde::Serialize;

use crate::{compare::Comparison, score::Score};

/// Decimals that shares are rounded to.
const SCALE: f64 = 1e6;

/// One comparison, as it is written.
#[derive(Serialize)]
pub struct Line<'a> {
    trace: &'a str,
    capacity_x_mean: f64,
    nodes: usize,
    delay_s: u32,
    contenders: Vec<Score>,
}

/// One object when there is one comparison, a list when there are several.
///
/// # Errors
/// None in practice: names and finite numbers can always be written.
pub fn write(comparisons: &[Comparison]) -> Result<String, serde_json::Error> {
    let lines: Vec<Line> = comparisons.iter().map(line).collect();
    let mut text = match &lines[..] {
        [only] => serde_json::to_string_pretty(only)?,
        several => serde_json::to_string_pretty(several)?,
    };
    text.push('\n');
    Ok(text)
}

/// The form of `comparison` in which it is written.
pub fn line(comparison: &Comparison) -> Line<'_> {
    Line {
        trace: &comparison.trace,
        capacity_x_mean: comparison.capacity_x_mean,
        nodes: comparison.nodes,
        delay_s: comparison.staleness.delay_s,
        contenders: comparison.contenders.iter().map(rounded).collect(),
    }
}

fn rounded(score: &Score) -> Score {
    // Adding zero turns the -0.0 that rounding may leave into 0.0.
    let round = |x: f64| (x * SCALE).round() / SCALE + 0.0;
    Score {
        name: score.name.clone(),
        throttled_share: round(score.throttled_share),
        overload_share: round(score.overload_share),
        leased_per_served: round(score.leased_per_served),
        refused_within_share: round(score.refused_within_share),
        regret: round(score.regret),
    }
}
