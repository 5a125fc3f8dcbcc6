//! The table for a README.

use std::fmt::Write;

use crate::{compare::Comparison, score::Score};

/// Throttled share of each contender, one line per comparison, and below it what else went into the scores.
pub fn write(comparisons: &[Comparison]) -> String {
    let mut text = String::new();
    let comparisons: Vec<&Comparison> = comparisons.iter().collect();
    let mut percent = |title: &str, share: fn(&Score) -> f64| {
        table(&mut text, title, &comparisons, |s| format!("{:.2}", 100.0 * share(s)));
    };
    percent("Share of the demand that was throttled, %", |s| s.throttled_share);
    percent("Share of the demand that was refused to buckets within their max-min fair share, %", |s| s.refused_within_share);
    percent("Share of the time in which the origin's capacity was exceeded, %", |s| s.overload_share);
    table(&mut text, "Tokens leased per request served", &comparisons, |s| format!("{:.2}", s.leased_per_served));
    text
}

/// Appends a table of `cell` of every contender, one line per comparison; all comparisons have the contenders of the first.
pub fn table(text: &mut String, title: &str, comparisons: &[&Comparison], cell: impl Fn(&Score) -> String) {
    let Some(first) = comparisons.first() else { return };
    let names: Vec<&str> = first.contenders.iter().map(|s| s.name.as_str()).collect();
    heading(text, title, &names);
    rows(text, comparisons, cell);
}

fn heading(text: &mut String, title: &str, names: &[&str]) {
    let gap = if text.is_empty() { "" } else { "\n" };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{gap}{title}\n\n| trace | nodes | capacity | delay | {} |", names.join(" | "));
    let _ = writeln!(text, "|---|--:|--:|--:|{}", "--:|".repeat(names.len()));
}

fn rows(text: &mut String, comparisons: &[&Comparison], cell: impl Fn(&Score) -> String) {
    for c in comparisons {
        let cells: Vec<String> = c.contenders.iter().map(&cell).collect();
        let _ = writeln!(text, "| {} | {} | {} | {} s | {} |", c.trace, c.nodes, c.capacity_x_mean, c.staleness.delay_s, cells.join(" | "));
    }
}
