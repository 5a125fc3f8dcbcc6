//! A page with plots that needs no other file.

use std::fmt::Write;

use super::plot::{self, Line};
use crate::{
    compare::Comparison,
    score::{Score, WindowTotals},
    workload::WINDOW_S,
};

const STYLE: &str = include_str!("page.css");

/// One section per comparison: scores, a bar per contender, and demand, admitted and leased over time for each.
pub fn write(comparisons: &[Comparison]) -> String {
    let mut page = format!("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>tidegate-replay</title><style>{STYLE}</style>");
    page.push_str("<h1>Replay: who throttles how much at the same total tokens</h1>");
    page.push_str("<p>All contenders lease the same sustained capacity and the same burst. Shares are of the demand of the scored part; ");
    page.push_str(
        "<em>within</em> is what was refused to buckets within their max-min fair share; <em>overload</em> is a share of the time. ",
    );
    page.push_str("<code>central</code> is one bucket that sees everything: the bound.</p>");
    for comparison in comparisons {
        section(&mut page, comparison);
    }
    page.push_str("</html>\n");
    page
}

fn section(page: &mut String, c: &Comparison) {
    // Writing to a string cannot fail, here and below.
    let _ = write!(page, "<section><h2>{} at {} × mean</h2>", escaped(&c.trace), c.capacity_x_mean);
    let _ = write!(
        page,
        "<p>{} nodes, {} s until a table is seen, capacity {:.3} requests/s and a burst of {:.1}, {} windows scored.</p>",
        c.nodes,
        c.staleness.delay_s,
        c.origin.sustained_per_s,
        c.origin.burst,
        c.windows.first().map_or(0, Vec::len)
    );
    for note in c.notes.iter().chain(&c.breaches) {
        let _ = write!(page, "<p class=\"note\">{}</p>", escaped(note));
    }
    let shares: Vec<(&str, f64)> = c.contenders.iter().map(|s| (s.name.as_str(), s.throttled_share)).collect();
    let _ = write!(page, "<h3>Throttled</h3>{}", plot::bars(&shares));
    table(page, &c.contenders);
    for (score, windows) in c.contenders.iter().zip(&c.windows) {
        timeline(page, score, windows, c.origin.sustained_per_s);
    }
    page.push_str("</section>");
}

fn table(page: &mut String, scores: &[Score]) {
    page.push_str("<table><tr><th>contender<th>throttled<th>within<th>overload<th>leased per served<th>regret</tr>");
    for s in scores {
        let shares = [s.throttled_share, s.refused_within_share, s.overload_share].map(|x| format!("<td>{:.2} %", 100.0 * x)).concat();
        let _ = write!(page, "<tr><th>{}{shares}<td>{:.2}<td>{:.2} %</tr>", s.name, s.leased_per_served, 100.0 * s.regret);
    }
    page.push_str("</table>");
}

fn timeline(page: &mut String, score: &Score, windows: &[WindowTotals], capacity_per_s: f64) {
    let per_s = |of: fn(&WindowTotals) -> f64| windows.iter().map(|w| of(w) / f64::from(WINDOW_S)).collect::<Vec<f64>>();
    let demand = per_s(|w| w.demand as f64);
    let top = plot::thinned(&demand).into_iter().fold(1.2 * capacity_per_s, f64::max).min(4.0 * capacity_per_s);
    let lines = [
        Line { class: "demand", filled: true, values: demand },
        Line { class: "admitted", filled: true, values: per_s(|w| w.admitted as f64) },
        Line { class: "leased", filled: false, values: per_s(|w| w.leased) },
    ];
    let _ = write!(page, "<figure><figcaption>{}: <i class=\"demand\">demand</i>, ", score.name);
    let _ = write!(page, "<i class=\"admitted\">admitted</i>, <i class=\"leased\">leased</i>, 0 to {top:.2}/s</figcaption>");
    let _ = write!(page, "{}</figure>", plot::series(&lines, top));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kv::Staleness, origin::Origin};

    fn comparison() -> Comparison {
        let score = Score {
            name: "adaptive".into(),
            throttled_share: 0.25,
            overload_share: 0.0,
            leased_per_served: 1.5,
            refused_within_share: 0.125,
            regret: 0.0625,
        };
        Comparison {
            trace: "<b>&".into(),
            capacity_x_mean: 1.5,
            origin: Origin { sustained_per_s: 3.0, burst: 360.0 },
            nodes: 4,
            buckets: 9,
            spread: crate::spread::Spread::Hash,
            staleness: Staleness::fixed(30),
            contenders: vec![score],
            windows: vec![vec![WindowTotals { demand: 60, admitted: 45, leased: 90.0 }; 3]],
            breaches: vec!["adaptive leases too much".into()],
            notes: vec!["thin".into()],
        }
    }

    #[test]
    fn the_page_says_all_and_loads_nothing() {
        let page = write(&[comparison()]);
        for said in ["25.00 %", "12.50 %", "6.25 %", "adaptive leases too much", "thin", "3 windows scored", "polyline class=\"leased\""] {
            assert!(page.contains(said), "{said}");
        }
        for foreign in ["http", "<script", "src=", "@import", "NaN"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_trace_cannot_write_into_the_page() {
        let page = write(&[comparison()]);
        assert!(page.contains("&lt;b&gt;&amp;") && !page.contains("<b>&"), "{page}");
    }
}
