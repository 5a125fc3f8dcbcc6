//! Coverage as a table, series and forecasts as CSV.

use std::fmt::Write;

use tidegate_planner::forecast::STEPS;

use super::Outcome;

/// Markdown table of the coverage of each trace: 50, 90 and 99 % at the first and the last step ahead.
pub fn coverage(outcomes: &[(String, Outcome)]) -> String {
    let mut text = String::from(
        "| trace | forecasts | 50 %, 1 step | 90 % | 99 % | 50 %, 4 steps | 90 % | 99 % | of at least one request | 90 % | 99 % \
         | 90 %, whole | 99 %, whole | µs per series and step |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for (trace, outcome) in outcomes {
        let c = &outcome.coverage;
        let percent = |share: f64| format!("{:.2}", 100.0 * share);
        let (first, last) = (0, STEPS - 1);
        let cells = [
            trace.clone(),
            c.seen[first].to_string(),
            percent(c.share(first, 0)),
            percent(c.share(first, 1)),
            percent(c.share(first, 2)),
            percent(c.share(last, 0)),
            percent(c.share(last, 1)),
            percent(c.share(last, 2)),
            c.busy.0.to_string(),
            percent(c.share_busy(1)),
            percent(c.share_busy(2)),
            percent(c.share_within(first, 1)),
            percent(c.share_within(first, 2)),
            format!("{:.2}", outcome.cpu.as_secs_f64() * 1e6),
        ];
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

/// The sampled series, one row per window with a request: `series,kind,window,requests`, after a line that tells the start in
/// seconds since the Unix epoch, the windows to learn from and the windows in all.
pub fn series(outcome: &Outcome) -> String {
    let mut text = format!("# {},{},{}\nseries,kind,window,requests\n", outcome.start, outcome.fit_windows, outcome.windows);
    for (number, series) in outcome.sampled.iter().enumerate() {
        for (window, requests) in &series.counts {
            let _ = writeln!(text, "{number},{},{window},{requests}", series.kind.name());
        }
    }
    text
}

/// The forecasts of the sampled series: `series,origin,step,mean,q50,q90,q99,j50,j90,j99,actual,cpu_us`. `q` are whole requests,
/// `j` quantiles of the requests plus a uniform number; what is not known to the planner is expected to bring nothing.
pub fn forecasts(outcome: &Outcome) -> String {
    let cpu = outcome.cpu.as_secs_f64() * 1e6;
    let mut text = String::from("series,origin,step,mean,q50,q90,q99,j50,j90,j99,actual,cpu_us\n");
    for forecast in &outcome.forecasts {
        let counts = &outcome.sampled[forecast.series].counts;
        for step in 0..STEPS {
            let (mean, q, j) = forecast
                .outlook
                .as_ref()
                .map_or((0.0, [0.0; 3], [0.5, 0.9, 0.99]), |outlook| (outlook.mean[step], outlook.quantiles[step], outlook.jittered[step]));
            // Fits: there are few steps.
            let actual = counts.get(&(forecast.origin + 1 + step as u32)).copied().unwrap_or(0);
            let (series, origin, step) = (forecast.series, forecast.origin, step + 1);
            let _ = writeln!(
                text,
                "{series},{origin},{step},{mean:.6},{},{},{},{:.6},{:.6},{:.6},{actual},{cpu:.4}",
                q[0], q[1], q[2], j[0], j[1], j[2]
            );
        }
    }
    text
}
