//! A bucket's limit over all nodes together holds in every plan, whatever was acknowledged.

use std::collections::BTreeMap;

use tidegate_planner::{
    Planner, Settings,
    settings::{Origin, Policy},
};
use tidegate_wire::{BucketCounts, Report, Timestamp};

const NODES: [&str; 3] = ["a", "b", "c"];

fn report(node: &str, window: i64, requests: u64, epoch: Option<u64>) -> Report {
    Report {
        node: node.into(),
        instance: None,
        sequence: window as u64,
        epoch,
        staleness_ms: None,
        start: Timestamp::from_secs(window * 30),
        seconds: 30,
        cpu: None,
        memory: None,
        buckets: vec![
            BucketCounts { bucket: "key:capped".into(), requests, ..BucketCounts::default() },
            BucketCounts { bucket: "key:other".into(), requests: 500, ..BucketCounts::default() },
        ],
    }
}

#[test]
fn a_global_limit_follows_demand_over_nodes_and_is_never_lent_twice() {
    let capped = Policy { name: "capped".into(), buckets: "key:capped".into(), limit_per_s: Some(10.0), ..Policy::default() };
    let origin = Origin { sustained_per_s: 500.0, burst: 5000.0, ..Origin::default() };
    let mut planner = Planner::new(Settings { origins: vec![origin], policies: vec![capped], ..Settings::default() }, None).unwrap();
    let mut held: BTreeMap<&str, Vec<(u64, f64)>> = BTreeMap::new();
    let mut acknowledged: BTreeMap<&str, u64> = BTreeMap::new();
    let mut last = BTreeMap::new();
    for window in 0..60 {
        // Demand moves from node to node; node c acknowledges only now and then.
        let busy = NODES[(window / 20) as usize];
        for node in NODES {
            let newest = held.get(node).and_then(|h| h.last()).map(|(epoch, _)| *epoch);
            if let Some(epoch) = newest.filter(|_| node != "c" || window % 3 == 0) {
                acknowledged.insert(node, epoch);
            }
            planner.observe(&report(node, window, if node == busy { 3000 } else { 1 }, acknowledged.get(node).copied()));
        }
        let plan = planner.tick(Timestamp::from_secs((window + 1) * 30));
        for node in NODES {
            let table = &plan.tables[node];
            let ceiling = table.buckets["key:capped"].ceiling_per_s;
            held.entry(node).or_default().push((table.epoch, ceiling));
            last.insert(node, ceiling);
        }
        let lent: f64 = NODES
            .iter()
            .map(|n| held[n].iter().filter(|(e, _)| acknowledged.get(n).is_none_or(|a| e >= a)).map(|(_, c)| *c).fold(0.0, f64::max))
            .sum();
        assert!(lent <= 10.0 + 1e-6, "window {window}: {lent}");
    }
    assert!(last["c"] > 8.0, "the node with the demand has most of it: {last:?}");
}

#[test]
fn a_node_lists_what_a_limit_names_before_anybody_asks_and_less_where_two_origins_share_it() {
    let capped = Policy { name: "capped".into(), buckets: "key:named".into(), limit_per_s: Some(10.0), ..Policy::default() };
    let origin = |nodes: &str| Origin { name: nodes.into(), nodes: nodes.into(), sustained_per_s: 500.0, burst: 5000.0 };
    let settings = Settings { origins: vec![origin("a"), origin("*")], policies: vec![capped], ..Settings::default() };
    let mut planner = Planner::new(settings, None).unwrap();
    NODES.iter().for_each(|node| planner.observe(&report(node, 0, 1, None)));
    let plan = planner.tick(Timestamp::from_secs(30));
    let rates: Vec<_> = NODES.iter().map(|node| &plan.tables[*node].buckets["key:named"]).collect();
    assert!((rates.iter().map(|r| r.ceiling_per_s).sum::<f64>() - 10.0).abs() < 1e-9, "{rates:?}");
    let saved: f64 = rates.iter().map(|r| r.ceiling_burst.unwrap()).sum();
    assert!((saved - (10.0 * 300.0 + 3.0)).abs() < 1e-6, "what it brings in a lease, and a token at each: {saved}");
}
