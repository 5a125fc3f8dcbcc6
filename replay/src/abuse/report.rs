//! The table of what attacks did.

use std::fmt::Write;

use super::Damage;

/// Markdown: one line per attack and contender, in percent and percentage points; a heading names the case.
pub fn markdown(case: &str, damages: &[Damage]) -> String {
    let mut text = format!(
        "{case}\n\n| attack | contender | others refused, calm % | extra, points | extra within fair shares, points | Jain's index \
         | attacker admitted % | beyond its share, % of capacity | beyond its ceiling % | overload % |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    for d in damages {
        let percent = |share: f64| 100.0 * share;
        let over_ceiling = d.attacker_over_ceiling.map_or_else(|| "-".to_owned(), |share| format!("{:.2}", percent(share)));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {:.2} | {:.2} | {:.2} | {:.3} | {:.2} | {:.2} | {over_ceiling} | {:.2} |",
            d.attack,
            d.contender,
            percent(d.calm),
            percent(d.others_extra),
            percent(d.others_extra_within),
            d.jain,
            percent(d.attacker_admitted),
            percent(d.attacker_beyond),
            percent(d.overload),
        );
    }
    text
}
