//! Priorities, and a limit over all nodes, in figures of fairness.

use tidegate_planner::{
    Planner, Settings,
    settings::{Origin, Policy},
};
use tidegate_replay::{
    Options,
    fair::{jain, shortfall, weighted_max_min},
    fairness::{Fairness, Terms, run},
    kv::Staleness,
    origin as replayed,
    spread::Spread,
};
use tidegate_wire::{BucketCounts, RateTable, Report, Timestamp};

use crate::traffic;

/// Demand of each bucket at the nodes `a` and `b`, requests per second.
const DEMAND: [(&str, [u64; 2]); 5] =
    [("gold:1", [8, 8]), ("plain:1", [30, 30]), ("plain:2", [30, 30]), ("plain:3", [30, 30]), ("capped", [9, 3])];

/// The tables of both nodes after forty windows at an origin that has a quarter of what is asked for.
fn tables() -> Vec<RateTable> {
    let gold = Policy { name: "gold".into(), buckets: "gold:*".into(), priority: 200, ..Policy::default() };
    let capped = Policy { name: "capped".into(), buckets: "capped".into(), limit_per_s: Some(4.0), ..Policy::default() };
    let origin = Origin { sustained_per_s: 52.0, burst: 3000.0, ..Origin::default() };
    let settings = Settings { origins: vec![origin], policies: vec![gold, capped], ..Settings::default() };
    let mut planner = Planner::new(settings, None).unwrap();
    let mut tables: Vec<RateTable> = vec![];
    for window in 0..40 {
        for (node, name) in ["a", "b"].into_iter().enumerate() {
            let counts = |(bucket, per_s): &(&str, [u64; 2])| BucketCounts {
                bucket: (*bucket).into(),
                requests: 30 * per_s[node],
                ..BucketCounts::default()
            };
            planner.observe(&Report {
                node: name.into(),
                instance: None,
                sequence: window as u64,
                epoch: tables.get(node).map(|t| t.epoch),
                staleness_ms: None,
                start: Timestamp::from_secs(window * 30),
                seconds: 30,
                cpu: None,
                memory: None,
                buckets: DEMAND.iter().map(counts).collect(),
            });
        }
        let plan = planner.tick(Timestamp::from_secs((window + 1) * 30));
        tables = plan.tables.values().map(|t| (**t).clone()).collect();
    }
    tables
}

fn guaranteed(table: &RateTable, bucket: &str) -> f64 {
    table.buckets.get(bucket).map_or(0.0, |b| b.refill_per_s[0])
}

#[test]
fn a_higher_priority_is_short_of_nothing_and_equals_share_the_rest() {
    for table in tables() {
        let gold = guaranteed(&table, "gold:1");
        assert!(shortfall(&[8.0], &[gold]) < 0.02, "{}: {gold}", table.node);
        let plain = ["plain:1", "plain:2", "plain:3"].map(|bucket| guaranteed(&table, bucket));
        let shares = weighted_max_min(&[30.0; 3], &[1.0; 3], plain.iter().sum());
        assert!(plain.iter().all(|p| *p < 8.0), "there is too little for all: {plain:?}");
        assert!(jain(&plain) > 0.99 && shortfall(&shares, &plain) < 0.05, "{}: {plain:?}", table.node);
    }
}

#[test]
fn a_limit_over_all_nodes_is_split_by_what_each_asks_for() {
    let ceilings: Vec<f64> = tables().iter().map(|t| t.buckets["capped"].ceiling_per_s).collect();
    assert!(ceilings.iter().sum::<f64>() <= 4.0 + 1e-9, "{ceilings:?}");
    assert!(shortfall(&[3.0, 1.0], &ceilings) < 0.05, "{ceilings:?}");
    assert!(jain(&[ceilings[0] / 9.0, ceilings[1] / 3.0]) > 0.99, "{ceilings:?}");
}

/// Ten buckets of forty requests a second over four nodes for an hour, at an origin with half of what is asked for.
fn closed_loop(governed: bool) -> Fairness {
    let rows: Vec<(u32, u32, u32)> = (0..3600).flat_map(|second| (0..10).map(move |bucket| (second, bucket, 40))).collect();
    let trace = traffic::trace(&rows);
    let workload = traffic::case(&trace, Options { spread: Spread::Request, nodes: 4, ..traffic::options() }).workload;
    let terms =
        Terms { origin: replayed::Origin { sustained_per_s: 200.0, burst: 200.0 * 120.0 }, staleness: Staleness::fixed(30), seed: 0 };
    run(&workload, terms, governed, None).unwrap()
}

#[test]
fn over_four_nodes_weights_and_priorities_count_and_the_limit_holds() {
    let [governed, alike] = [true, false].map(closed_loop);
    for got in [&governed, &alike] {
        assert!(!got.breached && got.overload == 0.0, "{got:?}");
    }
    let first = governed.classes[0];
    assert!(first.priority == 200 && first.admitted > 0.95 * first.demand, "{governed:?}");
    assert!(alike.classes[0].admitted < 0.8 * first.admitted, "without a policy it is one of many: {alike:?}");
    assert!(governed.of_share > 1.0 && governed.of_limit < 1.01, "{} {}", governed.of_share, governed.of_limit);
    assert!(alike.of_limit > 1.05, "without a policy there is no limit: {}", alike.of_limit);
    let jain = |got: &Fairness| got.jain.last().map_or(0.0, |(_, index)| *index);
    assert!(jain(&governed) > 0.98 && jain(&governed) > jain(&alike), "{:?} {:?}", governed.jain, alike.jain);
    assert!(governed.classes.iter().all(|c| (0.9..1.25).contains(&(c.admitted / c.entitled))), "weights count: {:?}", governed.classes);
}
