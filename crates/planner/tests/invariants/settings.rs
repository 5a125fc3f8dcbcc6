//! Arbitrary settings and models: odd, but such as the planner accepts.

use proptest::{collection::vec, option, prelude::*, sample::select};
use tidegate_planner::{
    Model, Settings, features,
    forecast::{Regression, STEPS},
    settings::{Guard, Lease, Limits, Origin, Policy, WhenStale},
};

/// From a thousandth to a thousand million, evenly on a log scale.
fn magnitude() -> impl Strategy<Value = f64> {
    (-3.0..9.0f64).prop_map(|exponent| 10f64.powf(exponent))
}

fn origins() -> impl Strategy<Value = Vec<Origin>> {
    let one = |name: &'static str, nodes: &'static str| {
        let burst = prop_oneof![1 => Just(0.0), 9 => magnitude()];
        (magnitude(), burst).prop_map(move |(sustained_per_s, burst)| Origin {
            name: name.into(),
            nodes: nodes.into(),
            sustained_per_s,
            burst,
        })
    };
    prop_oneof![one("all", "*").prop_map(|o| vec![o]), (one("west", "w*"), one("rest", "*")).prop_map(|(a, b)| vec![a, b])]
}

fn policy() -> impl Strategy<Value = Policy> {
    let bound = || option::of(0.5..500.0f64);
    let pattern = select(vec!["*", "b1", "b*", "vip:*", "none"]);
    let floor = prop_oneof![1 => Just(0.0), 1 => 0.01..50.0f64];
    (pattern, 0.0..0.9999f64, floor, bound(), bound(), magnitude(), any::<u8>(), any::<bool>()).prop_map(
        |(buckets, slo, floor_per_s, ceiling, limit, weight, priority, stale)| Policy {
            name: buckets.into(),
            buckets: buckets.into(),
            slo,
            floor_per_s,
            ceiling_per_s: ceiling.map(|c| floor_per_s + c),
            limit_per_s: limit.map(|l| floor_per_s + l),
            weight,
            priority,
            when_stale: if stale { WhenStale::Floor } else { WhenStale::Safe },
            shadow: false,
        },
    )
}

fn lease() -> impl Strategy<Value = Lease> {
    (2u32..20, 3u32..=16, 0.0..=1.0f64, select(vec![30u32, 300, 3600, 86_400])).prop_map(|(windows, steps, safe_share, forget_after_s)| {
        Lease { duration_s: 30 * windows.max(steps - 1), steps, safe_share, forget_after_s }
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    (1usize..60, 1usize..20, select(vec![30u32, 300, 86_400]), 0usize..12).prop_map(
        |(series, series_per_node, idle_after_s, listed_per_node)| Limits { series, series_per_node, idle_after_s, listed_per_node },
    )
}

/// Any settings that [`Settings::check`] lets pass, with an interval of 30 s.
pub fn settings() -> impl Strategy<Value = Settings> {
    let guard = (1.01..100.0f64, 1.01..100.0f64, 0.0..0.5f64).prop_map(|(step_up, step_down, dead_band)| Guard {
        step_up,
        step_down,
        dead_band,
        ..Guard::default()
    });
    (origins(), vec(policy(), 0..4), lease(), guard, prop_oneof![Just(Limits::default()), limits()]).prop_map(
        |(origins, policies, lease, guard, limits)| Settings {
            interval_s: 30,
            origins,
            policies,
            lease,
            guard,
            limits,
            ..Settings::default()
        },
    )
}

/// No model, one that follows the 5-minute average, or one of extreme but finite coefficients.
pub fn model() -> impl Strategy<Value = Option<Model>> {
    let extreme = select(vec![-1e300, -1e30, -50.0, 0.0, 3.0, 1e30, 1e300]);
    prop_oneof![
        Just(None),
        Just(Some(linear(-(64f64.ln()), 1.0))),
        (extreme.clone(), extreme).prop_map(|(intercept, coefficient)| Some(linear(intercept, coefficient))),
    ]
}

/// A model whose log mean is `intercept + coefficient * log_level`, with the coefficient on every other feature too if it is extreme.
pub fn linear(intercept: f64, coefficient: f64) -> Model {
    let of = |name: &&str| if *name == "log_level" || coefficient.abs() > 2.0 { coefficient } else { 0.0 };
    let coefficients: Vec<f64> = features::NAMES.iter().map(of).collect();
    let steps = vec![Regression { intercept, coefficients }; STEPS];
    Model::new("test", 30, steps, 0.1)
}
