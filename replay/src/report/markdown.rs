//! The table for a README.

use std::fmt::Write;

use crate::compare::Comparison;

/// Throttled share of each contender, one line per comparison, and below it what else went into the scores.
pub fn write(comparisons: &[Comparison]) -> String {
    let mut text = String::new();
    let Some(first) = comparisons.first() else { return text };
    let names: Vec<&str> = first.contenders.iter().map(|s| s.name.as_str()).collect();
    heading(&mut text, "Share of the demand that was throttled, %", &names);
    rows(&mut text, comparisons, |s| format!("{:.2}", 100.0 * s.throttled_share));
    heading(&mut text, "Share of the demand that was refused to buckets within their max-min fair share, %", &names);
    rows(&mut text, comparisons, |s| format!("{:.2}", 100.0 * s.refused_within_share));
    heading(&mut text, "Share of the time in which the origin's capacity was exceeded, %", &names);
    rows(&mut text, comparisons, |s| format!("{:.2}", 100.0 * s.overload_share));
    heading(&mut text, "Tokens leased per request served", &names);
    rows(&mut text, comparisons, |s| format!("{:.2}", s.leased_per_served));
    text
}

fn heading(text: &mut String, title: &str, names: &[&str]) {
    let gap = if text.is_empty() { "" } else { "\n" };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{gap}{title}\n\n| trace | nodes | capacity | delay | {} |", names.join(" | "));
    let _ = writeln!(text, "|---|--:|--:|--:|{}", "--:|".repeat(names.len()));
}

fn rows(text: &mut String, comparisons: &[Comparison], cell: impl Fn(&crate::score::Score) -> String) {
    for c in comparisons {
        let cells: Vec<String> = c.contenders.iter().map(&cell).collect();
        let _ = writeln!(text, "| {} | {} | {} | {} s | {} |", c.trace, c.nodes, c.capacity_x_mean, c.staleness.delay_s, cells.join(" | "));
    }
}
