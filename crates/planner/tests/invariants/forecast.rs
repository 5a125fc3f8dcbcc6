//! A model that is wrong, worse than naive or missing: the rates go on, and the plan says so.

use tidegate_planner::{Model, Planner, Settings};

use crate::{
    nodes::{forecast, report, tick},
    settings::linear,
};

#[test]
fn a_model_worse_than_naive_is_mixed_out() {
    // It expects e^8, about 3000 requests, of whatever it is shown.
    let mut planner = Planner::new(Settings::default(), Some(linear(8.0, 0.0))).unwrap();
    let mut on_naive = vec![];
    for window in 0..60 {
        planner.observe(&report("n", window, &[("b", 50), ("c", 20)]));
        on_naive.push(tick(&mut planner, window).summary.series_on_naive);
    }
    assert_eq!(on_naive[0], 0, "it is trusted at first");
    assert!(on_naive[59] >= 2, "{on_naive:?}");
    let got = forecast(&planner, "n", "b");
    assert!((45.0..55.0).contains(&got), "{got}");
    assert_ne!(planner.explain("n", "b").unwrap().forecast.expert, "model");
}

#[test]
fn a_good_model_stays() {
    // Demand that alternates is foreseen by who expects it to swing back, and by no average.
    let mut model = linear(-(64f64.ln()), 1.0);
    model.steps.iter_mut().for_each(|step| step.coefficients[1] = -0.8);
    let mut planner = Planner::new(Settings::default(), Some(model)).unwrap();
    for window in 0..60 {
        planner.observe(&report("n", window, &[("b", if window % 2 == 0 { 80 } else { 20 })]));
        tick(&mut planner, window);
    }
    assert_eq!(planner.explain("n", "b").unwrap().forecast.expert, "model");
    assert_eq!(tick(&mut planner, 60).summary.degraded, None);
}

#[test]
fn a_model_that_does_not_fit_is_not_used_and_the_plan_says_why() {
    let good = || linear(0.0, 1.0);
    let mut not_a_number = good();
    not_a_number.steps[1].coefficients[3] = f64::NAN;
    let mut short = good();
    short.steps.pop();
    let unfit: [(Option<Model>, &str); 4] =
        [(Some(not_a_number), "finite"), (Some(short), "regressions"), (Some(Model { step_s: 60, ..good() }), "60 s"), (None, "no model")];
    for (model, reason) in unfit {
        let mut planner = Planner::new(Settings::default(), Some(good())).unwrap();
        planner.set_model(model);
        planner.observe(&report("n", 0, &[("b", 90)]));
        let plan = tick(&mut planner, 0);
        let degraded = plan.summary.degraded.unwrap_or_default();
        assert!(degraded.contains(reason), "{degraded:?} does not say {reason:?}");
        assert!(planner.model().is_none());
        assert!(plan.tables["n"].pool.refill_per_s[0] > 0.0);
        planner.set_model(Some(good()));
        assert_eq!(tick(&mut planner, 1).summary.degraded, None, "a model that fits mends it");
    }
}

/// Windows that the mixture has to find out: half an hour.
const SETTLED: i64 = 60;

/// Poisson deviance of a forecast of `mean` when `actual` came.
fn deviance(mean: f64, actual: f64) -> f64 {
    let mean = mean.max(0.02);
    2.0 * (if actual > 0.0 { actual * (actual / mean).ln() } else { 0.0 } - (actual - mean))
}

/// A number from 0 to 1 that looks random.
fn noise(window: i64) -> f64 {
    let mixed = (window as u64).wrapping_add(7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 11) as f64 / (1u64 << 53) as f64
}

#[test]
fn the_mixture_is_never_much_worse_than_its_best_expert() {
    let demands: [(&str, &dyn Fn(i64) -> u64); 5] = [
        ("steady", &|w| 40 + (20.0 * noise(w)) as u64),
        ("smooth swing", &|w| (900.0 + 600.0 * (w as f64 / 30.0).sin()) as u64),
        ("one in ten", &|w| u64::from(noise(w) < 0.1)),
        ("bursts", &|w| if noise(w / 9) < 0.2 { 60 } else { 2 }),
        ("steps", &|w| if (w / 150) % 2 == 0 { 20 } else { 90 } + (9.0 * noise(w)) as u64),
    ];
    for (name, demand) in demands {
        let mut planner = Planner::new(Settings::default(), None).unwrap();
        let (mut mixed, mut experts) = (0.0, [0.0; 5]);
        for window in 0..3000 {
            planner.observe(&report("n", window, &[("b", demand(window))]));
            tick(&mut planner, window);
            if window < SETTLED {
                continue;
            }
            let (store, actual) = (planner.store(), demand(window + 1) as f64);
            let (row, columns) = (store.row(0, "b").unwrap(), &store.columns);
            mixed += deviance(columns.forecast[row].into(), actual);
            let naive = std::iter::once(store.last()).chain(columns.ewma.iter().map(Vec::as_slice));
            experts.iter_mut().zip(naive).for_each(|(sum, means)| *sum += deviance(means[row].into(), actual));
        }
        let best = experts.into_iter().fold(f64::INFINITY, f64::min);
        assert!(mixed < 1.15 * best + 6f64.ln(), "{name}: {mixed} {experts:?}");
    }
}

#[test]
fn what_nobody_could_foresee_is_not_taken_for_how_far_forecasts_stray() {
    let mut planner = Planner::new(Settings::default(), None).unwrap();
    let mut spread_at = |window: i64, requests: u64| {
        planner.observe(&report("n", window, &[("b", requests)]));
        tick(&mut planner, window);
        let store = planner.store();
        store.columns.overdispersion[store.row(0, "b").unwrap()]
    };
    assert_eq!(spread_at(0, 600), 2.0, "the first window of a series tells nothing of how far forecasts stray");
    for window in 1..400 {
        spread_at(window, 600 + (noise(window) * 40.0) as u64);
    }
    assert!(spread_at(400, 610) < 2.0);
    for window in 401..900 {
        spread_at(window, 0);
    }
    let back = spread_at(900, 600);
    assert!(back < 700.0, "the end of an outage counts as the burst that it is: {back}");
}
