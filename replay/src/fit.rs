//! What a fixed share is made of: statistics of the part of a workload that comes before the scored one.

use crate::workload::{WINDOW_S, Workload};

/// Requests per window that even a series without traffic is given, so that no share is exactly zero.
const MEAN_FLOOR: f64 = 1e-3;
/// The same for shares by percentile.
const P99_FLOOR: f64 = 0.05;
/// Share of all that these floors may take from the series with traffic, however many the others are.
const FLOORS_MOST: f64 = 0.01;

/// Shares of each series, each summing up to one, in the order of [`Workload::series`].
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// By mean demand.
    pub by_mean: Vec<f64>,
    /// By the 99th percentile of the demand of a window.
    pub by_p99: Vec<f64>,
}

impl Fit {
    /// Reads the fit part of `workload`. Where there is none every node has the same share, and so have its series.
    pub fn new(workload: &Workload) -> Self {
        if workload.fit_windows == 0 {
            let even = even(workload);
            return Self { by_mean: even.clone(), by_p99: even };
        }
        let mut counts: Vec<Vec<u64>> = vec![vec![]; workload.series.len()];
        let mut last = vec![u32::MAX; workload.series.len()];
        for row in workload.fit_rows() {
            let (series, window) = (row.series as usize, row.second / WINDOW_S);
            if last[series] != window {
                last[series] = window;
                counts[series].push(0);
            }
            if let Some(count) = counts[series].last_mut() {
                *count += u64::from(row.requests);
            }
        }
        let windows = workload.fit_windows as usize;
        let mean = |c: &Vec<u64>| c.iter().sum::<u64>() as f64 / windows as f64;
        Self {
            by_mean: shares(counts.iter().map(mean).collect(), MEAN_FLOOR),
            by_p99: shares(counts.iter_mut().map(|c| quantile_99(c, windows)).collect(), P99_FLOOR),
        }
    }
}

fn even(workload: &Workload) -> Vec<f64> {
    let mut series = vec![0_u32; workload.nodes];
    workload.series.iter().for_each(|s| series[s.node] += 1);
    workload.series.iter().map(|s| 1.0 / (workload.nodes as f64 * f64::from(series[s.node]))).collect()
}

/// Parts of one by `weights`, each raised by `floor` or less; even parts when there is no weight at all.
fn shares(weights: Vec<f64>, floor: f64) -> Vec<f64> {
    let (total, count) = (weights.iter().sum::<f64>(), weights.len() as f64);
    let floor = if total > 0.0 { floor.min(FLOORS_MOST * total / count) } else { floor };
    let raised = total + floor * count;
    weights.into_iter().map(|w| (w + floor) / raised).collect()
}

/// 99th percentile, interpolated, of `counts` and as many zeros as make up `windows` values.
fn quantile_99(counts: &mut [u64], windows: usize) -> f64 {
    counts.sort_unstable();
    let zeros = windows - counts.len();
    let at = |i: usize| if i < zeros { 0.0 } else { counts[i - zeros] as f64 };
    let position = 0.99 * (windows - 1) as f64;
    let (below, part) = (position as usize, position.fract());
    at(below) + part * (at((below + 1).min(windows - 1)) - at(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_one_and_none_is_zero() {
        for weights in [vec![3.0, 0.0], vec![0.0; 3], vec![1.0; 1000]] {
            let shares = shares(weights, MEAN_FLOOR);
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(shares.iter().all(|&s| s > 0.0));
        }
    }

    #[test]
    fn many_idle_series_take_no_more_than_their_part() {
        let mut weights = vec![0.0; 100_000];
        weights[0] = 5.0;
        assert!(shares(weights, MEAN_FLOOR)[0] > 0.99);
    }

    #[test]
    fn a_percentile_counts_windows_without_requests() {
        assert_eq!(quantile_99(&mut [7, 5], 2), 6.98);
        assert_eq!(quantile_99(&mut [100], 101), 0.0);
        assert_eq!(quantile_99(&mut [100, 100], 101), 100.0);
        assert_eq!(quantile_99(&mut [4], 1), 4.0);
    }
}
