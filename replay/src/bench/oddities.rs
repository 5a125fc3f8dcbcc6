//! What is odd about a trace, so that nobody takes its scores for more than they are.

use crate::{
    Case,
    workload::{WINDOW_S, Workload},
};

/// Silence from which it is worth a word: ten minutes.
const SILENCE_WINDOWS: u32 = 20;
/// Share of all requests that no single second should hold.
const ONE_SECOND_MOST: f64 = 0.25;

/// What a reader should know of a case's trace.
pub fn of(case: &Case) -> Vec<String> {
    let workload = &case.workload;
    let mut odd = crate::compare::notes(case);
    odd.extend(silence(workload));
    odd.extend(one_second(workload));
    odd.extend(seen_once(workload));
    odd
}

/// Gaps and quiet times look alike: both are demand of zero.
fn silence(workload: &Workload) -> Option<String> {
    let busy: Vec<u32> =
        workload.rows.chunk_by(|a, b| a.second / WINDOW_S == b.second / WINDOW_S).map(|r| r[0].second / WINDOW_S).collect();
    let inner = busy.windows(2).map(|w| w[1] - w[0] - 1);
    let (first, last) = (busy.first().copied().unwrap_or(0), busy.last().copied().unwrap_or(0));
    let longest = inner.chain([first, workload.windows - 1 - last]).max().unwrap_or(0);
    let silent = workload.windows - busy.len() as u32;
    (longest >= SILENCE_WINDOWS).then(|| {
        let minutes = longest * WINDOW_S / 60;
        format!(
            "no request in {silent} of {} windows, for {minutes} minutes at the longest: a gap counts as demand of zero",
            workload.windows
        )
    })
}

/// A counter that was reset or wrapped looks like a flood in a single second.
fn one_second(workload: &Workload) -> Option<String> {
    let of_second = |rows: &[crate::workload::Demand]| rows.iter().map(|r| u64::from(r.requests)).sum::<u64>();
    let seconds = workload.rows.chunk_by(|a, b| a.second == b.second).map(|rows| (of_second(rows), rows[0].second));
    let total: u64 = workload.rows.iter().map(|r| u64::from(r.requests)).sum();
    let (most, second) = seconds.max()?;
    let share = most as f64 / total.max(1) as f64;
    (share > ONE_SECOND_MOST && workload.rows.len() > 1).then(|| {
        format!("second {second} holds {most} requests, {:.0} % of all: a flood, or a counter that was reset or wrapped", 100.0 * share)
    })
}

fn seen_once(workload: &Workload) -> Option<String> {
    let mut rows = vec![0_u32; workload.buckets];
    for row in &workload.rows {
        let count = &mut rows[workload.series[row.series as usize].bucket];
        *count = count.saturating_add(1);
    }
    let once = rows.iter().filter(|&&count| count == 1).count();
    (once > 0).then(|| format!("{once} of {} buckets appear once", workload.buckets))
}
