//! Patterns of demand are told from the features that the planner makes of it.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tidegate_train::matrix::{Class, Options, Pattern};

use crate::{
    demand::{counts, poisson, report},
    matrix::rows,
};

/// Windows of a day.
const DAY: i64 = 2_880;

/// Shares of the patterns, in the order of [`Pattern::ALL`], among the windows after `from` of a series of such means.
fn shares(windows: i64, from: u32, mean: impl Fn(i64, &mut ChaCha8Rng) -> f64) -> [f64; 4] {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut reports = vec![];
    for window in 0..windows {
        let mean = mean(window, &mut rng);
        let requests = poisson(&mut rng, mean);
        reports.push(report(window, if requests > 0 { vec![counts("a", requests)] } else { vec![] }));
    }
    let samples = rows(&reports, Options { rows: 1_000_000, ..Options::default() });
    let mut seen = [0.0; 4];
    let (mut weight, mut of) = (0.0, |i: usize, w: f64| seen[i] += w);
    for i in (0..samples.len()).filter(|&i| samples.class[i] != Class::Total && samples.window[i] >= from) {
        let (x, w) = (samples.row(i), f64::from(samples.weight[i]));
        of(Pattern::of(|feature| f64::from(x[feature])).number(), w);
        weight += w;
    }
    seen.map(|s| s / weight)
}

fn mostly(pattern: Pattern, least: f64, shares: [f64; 4]) {
    assert!(shares[pattern.number()] >= least, "{pattern:?}: {shares:?}");
}

#[test]
fn an_even_series_is_steady_from_its_start_and_on_its_second_day() {
    mostly(Pattern::Steady, 0.95, shares(40, 1, |_, _| 12.0));
    mostly(Pattern::Steady, 0.9, shares(DAY + 600, DAY as u32, |_, _| 12.0));
}

#[test]
fn a_series_with_days_and_nights_is_seasonal_once_it_has_seen_one() {
    let swing = |window: i64, _: &mut ChaCha8Rng| 20.0 * (1.5 * (window as f64 / DAY as f64 * std::f64::consts::TAU).sin()).exp();
    mostly(Pattern::Steady, 0.9, shares(DAY, 1, swing));
    mostly(Pattern::Seasonal, 0.7, shares(2 * DAY, DAY as u32, swing));
}

#[test]
fn a_series_with_a_request_now_and_then_is_intermittent() {
    mostly(Pattern::Intermittent, 0.95, shares(2_000, 400, |_, _| 0.1));
}

#[test]
fn a_series_of_bursts_is_spiky_dense_or_not() {
    mostly(Pattern::Spiky, 0.8, shares(2_000, 400, |_, rng| if rng.random_bool(0.05) { 120.0 } else { 4.0 }));
    mostly(
        Pattern::Spiky,
        0.8,
        shares(4_000, 400, |_, rng| if rng.random_bool(0.1) { 1f64 + 40.0 * rng.random::<f64>().powi(4) } else { 0.0 }),
    );
}
