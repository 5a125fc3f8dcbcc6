//! Invariant 2, the floor: while an origin has room for all floors, none is cut.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use tidegate_planner::{
    Planner, Settings,
    settings::{Origin, Policy},
};
use tidegate_wire::rates::rate_at;

use crate::nodes::{report, tick};

const ROUNDING: f64 = 1e-6;
const WINDOWS: i64 = 12;
const NODES: [&str; 3] = ["n0", "n1", "n2"];
const BUCKETS: [&str; 3] = ["b0", "b1", "b2"];

fn settings(floor_per_s: f64, safe_share: f64) -> Settings {
    let floor = Policy { name: "floor".into(), buckets: "b*".into(), floor_per_s, ..Policy::default() };
    let mut settings = Settings {
        origins: vec![Origin { sustained_per_s: 1000.0, burst: 10_000.0, ..Origin::default() }],
        policies: vec![floor],
        ..Settings::default()
    };
    settings.lease.safe_share = safe_share;
    settings
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_floor_holds_while_there_is_room(floor in 0.1..20.0f64, safe_share in 0.0..1.0f64, demand in vec(0u64..600, WINDOWS as usize * 9)) {
        let mut planner = Planner::new(settings(floor, safe_share), None).unwrap();
        let mut enforced: BTreeMap<&str, u64> = BTreeMap::new();
        for window in 0..WINDOWS {
            for (n, node) in NODES.iter().enumerate() {
                let of = |b: usize| demand[window as usize * 9 + n * 3 + b];
                let buckets: Vec<(&str, u64)> = BUCKETS.iter().enumerate().map(|(b, name)| (*name, of(b))).collect();
                let mut report = report(node, window, &buckets);
                report.epoch = enforced.get(node).copied();
                planner.observe(&report);
            }
            let plan = tick(&mut planner, window);
            for (node, table) in &plan.tables {
                let node = NODES.iter().find(|n| *n == node).unwrap();
                enforced.insert(node, table.epoch);
                for bucket in BUCKETS {
                    let rate = rate_at(&table.buckets[bucket].refill_per_s, table.step_at(plan.issued_at));
                    prop_assert!(rate >= floor * (1.0 - ROUNDING), "window {window}: {node}/{bucket} has {rate} of a floor of {floor}");
                }
            }
        }
    }
}

#[test]
fn a_floor_holds_while_a_node_that_was_quiet_waits_for_more() {
    let mut planner = Planner::new(settings(16.0, 0.0), None).unwrap();
    for window in 0..4 {
        let busy = if window == 3 { [500, 300, 500] } else { [0; 3] };
        for node in NODES {
            let asked = if node == "n2" { busy } else { [0; 3] };
            planner.observe(&report(node, window, &BUCKETS.iter().copied().zip(asked).collect::<Vec<_>>()));
        }
        let plan = tick(&mut planner, window);
        let table = &plan.tables["n2"];
        let rates = BUCKETS.map(|bucket| table.buckets[bucket].refill_per_s[0]);
        assert!(rates.iter().all(|rate| *rate >= 16.0 * (1.0 - ROUNDING)), "window {window}: {rates:?} of {:?}", table.pool.refill_per_s);
    }
}
