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
