//! What is learned from which reports: censoring, retries, silence, lateness.

use tidegate_planner::{
    Planner, Settings,
    settings::{Limits, Without},
};
use tidegate_wire::Report;

use crate::nodes::{forecast, report, tick};

/// Windows of steady demand before something happens.
const STEADY: i64 = 40;

fn steady(settings: Settings, requests: u64) -> Planner {
    let mut planner = Planner::new(settings, None).unwrap();
    for window in 0..STEADY {
        planner.observe(&report("n", window, &[("b", requests)]));
        tick(&mut planner, window);
    }
    planner
}

/// Forecast after ten more windows, each as `change` makes it.
fn after(mut planner: Planner, change: impl Fn(&mut Report)) -> f64 {
    for window in STEADY..STEADY + 10 {
        let mut report = report("n", window, &[("b", 0)]);
        change(&mut report);
        planner.observe(&report);
        tick(&mut planner, window);
    }
    forecast(&planner, "n", "b")
}

#[test]
fn a_throttled_window_is_not_learned_as_less_demand() {
    let offered = |throttled| {
        after(steady(Settings::default(), 300), move |report| {
            (report.buckets[0].requests, report.buckets[0].throttled) = (150, throttled);
        })
    };
    let (free, censored) = (offered(0), offered(135));
    assert!(free < 220.0, "clients who stay away of their own accord are believed: {free}");
    assert!(censored > 240.0, "clients who gave up are not: {censored}");
}

#[test]
fn a_measurement_can_leave_out_the_correction_and_the_forecast() {
    let without = |without| Settings { without, ..Settings::default() };
    let offered = |throttled| {
        after(steady(without(Without { censoring: true, ..Without::default() }), 300), move |report| {
            (report.buckets[0].requests, report.buckets[0].throttled) = (150, throttled);
        })
    };
    assert_eq!(offered(135), offered(0));
    let mut planner = steady(without(Without { forecast: true, ..Without::default() }), 300);
    planner.observe(&report("n", STEADY, &[("b", 77)]));
    tick(&mut planner, STEADY);
    assert_eq!(forecast(&planner, "n", "b"), 77.0);
}

#[test]
fn retries_are_not_learned_as_demand() {
    let got = after(steady(Settings::default(), 100), |report| {
        let b = &mut report.buckets[0];
        (b.requests, b.throttled, b.retries) = (300, 200, 200);
    });
    assert!((90.0..130.0).contains(&got), "{got}");
}

#[test]
fn a_missing_report_holds_the_forecast() {
    let mut planner = steady(Settings::default(), 300);
    let before = forecast(&planner, "n", "b");
    for window in STEADY..STEADY + 4 {
        tick(&mut planner, window);
    }
    let held = forecast(&planner, "n", "b");
    assert!((held / before - 1.0).abs() < 0.02, "{before} became {held}");
}

#[test]
fn a_report_lost_between_two_that_came_is_not_read_as_zero() {
    let mut planner = steady(Settings::default(), 300);
    let before = forecast(&planner, "n", "b");
    // The next tick is late, so the window after the lost one is known by the time both are closed.
    planner.observe(&report("n", STEADY + 1, &[("b", 300)]));
    tick(&mut planner, STEADY + 1);
    let held = forecast(&planner, "n", "b");
    assert!((held / before - 1.0).abs() < 0.02, "{before} became {held}");
}

#[test]
fn a_node_whose_reports_are_always_late_is_learned_like_any_other() {
    let mut planner = Planner::new(Settings::default(), None).unwrap();
    for window in 1..200 {
        tick(&mut planner, window);
        planner.observe(&report("n", window, &[("b", 300)]));
    }
    tick(&mut planner, 200);
    let got = forecast(&planner, "n", "b");
    assert!((270.0..330.0).contains(&got), "{got}");
}

#[test]
fn late_counts_of_a_second_instance_are_added() {
    let mut planner = Planner::new(Settings::default(), None).unwrap();
    let of = |instance: &str, window| Report { instance: Some(instance.into()), ..report("n", window, &[("b", 100)]) };
    for window in 0..200 {
        planner.observe(&of("prompt", window));
        tick(&mut planner, window);
        planner.observe(&of("late", window));
    }
    tick(&mut planner, 200);
    let got = forecast(&planner, "n", "b");
    assert!((150.0..230.0).contains(&got), "{got}");
}

#[test]
fn an_idle_series_goes_and_comes_back() {
    let limits = Limits { idle_after_s: 600, ..Limits::default() };
    let mut planner = steady(Settings { limits, ..Settings::default() }, 30);
    for window in STEADY..STEADY + 90 {
        planner.observe(&report("n", window, &[("other", 5)]));
        tick(&mut planner, window);
    }
    assert!(!planner.knows("n", "b") && planner.knows("n", "other"));
    assert_eq!(planner.series_of("n"), 1);
    for window in STEADY + 90..STEADY + 100 {
        planner.observe(&report("n", window, &[("b", 60), ("other", 5)]));
        tick(&mut planner, window);
    }
    let got = forecast(&planner, "n", "b");
    assert!((45.0..75.0).contains(&got), "it starts anew, not from what it once was: {got}");
}

#[test]
fn a_vanished_nodes_capacity_comes_back_when_it_is_forgotten() {
    let mut settings = Settings::default();
    settings.lease.forget_after_s = 1800;
    let burst = settings.origins[0].burst;
    let mut planner = Planner::new(settings, None).unwrap();
    let mut burst_of_rest = 0.0;
    for window in 0..180 {
        let nodes: &[&str] = if window < 20 { &["gone", "rest"] } else { &["rest"] };
        for node in nodes {
            planner.observe(&Report { epoch: Some(planner.epoch()), ..report(node, window, &[("b", 300)]) });
        }
        let plan = tick(&mut planner, window);
        let table = &plan.tables["rest"];
        burst_of_rest = table.pool.capacity + table.buckets.values().map(|b| b.capacity).sum::<f64>();
        if window == 60 {
            assert!(plan.tables.contains_key("gone"));
            assert!(burst_of_rest < 0.7 * burst, "the other may still hold its part: {burst_of_rest}");
        }
        if window == 179 {
            assert!(!plan.tables.contains_key("gone"));
        }
    }
    assert!(burst_of_rest > 0.9 * burst, "{burst_of_rest}");
}

#[test]
fn errors_that_are_normal_for_a_series_are_no_surge() {
    let mut store = tidegate_planner::state::Store::new(30, tidegate_planner::settings::Limits::default());
    for window in 0..20 {
        let counts = tidegate_wire::BucketCounts { bucket: "b".into(), requests: 100, errors: 64, ..Default::default() };
        store.record(&tidegate_wire::Report {
            node: "n".into(),
            instance: None,
            sequence: window as u64,
            epoch: None,
            staleness_ms: None,
            start: tidegate_wire::Timestamp::from_secs(window * 30),
            seconds: 30,
            cpu: None,
            memory: None,
            buckets: vec![counts],
        });
        store.close(window);
        let surge = store.columns.error_ratio[1] - store.columns.error_baseline[1];
        assert!(surge < 0.1, "window {window}: {surge}");
    }
    assert!(store.columns.error_baseline[1] > 0.6);
}
