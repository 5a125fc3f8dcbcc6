//! What is kept of a node's pool, and for whom.

use std::sync::Arc;

use tidegate_planner::{
    Planner, Settings,
    settings::{Origin, Policy},
};
use tidegate_wire::RateTable;

use crate::nodes::{report, tick};

/// Windows in which the usual is learned.
const USUAL: i64 = 200;

fn planner(policies: Vec<Policy>) -> Planner {
    let origin = Origin { sustained_per_s: 10.0, burst: 1200.0, ..Origin::default() };
    Planner::new(Settings { origins: vec![origin], policies, ..Settings::default() }, None).unwrap()
}

/// One window of two busy buckets and, every fiftieth window, one that is seldom seen, together with `swarm` new keys.
fn window(planner: &mut Planner, number: i64, swarm: usize) -> Arc<RateTable> {
    let keys: Vec<String> = (0..swarm).map(|key| format!("stranger-{key}")).collect();
    let usual = [("gold", 60), ("plain", 60), ("seldom", (number % 50 == 0).into())];
    let buckets: Vec<(&str, u64)> = usual.into_iter().chain(keys.iter().map(|key| (key.as_str(), 2))).collect();
    planner.observe(&report("n", number, &buckets));
    tick(planner, number).tables["n"].clone()
}

#[test]
fn a_swarm_must_leave_the_pool_to_those_who_are_known() {
    let mut planner = planner(vec![]);
    let calm = (0..USUAL).map(|n| window(&mut planner, n, 0)).last().unwrap();
    assert!(calm.default.must_leave == 0.0 && !calm.buckets.contains_key("seldom"), "{calm:?}");
    let table = (USUAL..USUAL + 4).map(|n| window(&mut planner, n, 400)).last().unwrap();
    assert!(table.default.must_leave > 0.5 * table.pool.capacity, "{table:?}");
    assert!(["gold", "plain", "seldom"].iter().all(|known| table.buckets[*known].must_leave == 0.0), "{table:?}");
    assert!(table.buckets.keys().all(|id| !id.starts_with("stranger")), "{table:?}");
    let why = planner.explain("n", "stranger-1").unwrap();
    assert!(why.must_leave == table.default.must_leave && why.newcomers_surge > 0.5, "{why:?}");
    let after = (USUAL + 4..USUAL + 60).map(|n| window(&mut planner, n, 0)).last().unwrap();
    assert_eq!(after.default.must_leave, 0.0, "and nothing is kept when it has gone");
}

#[test]
fn keys_that_were_all_replaced_are_not_shut_out() {
    let mut planner = planner(vec![]);
    (0..USUAL).for_each(|n| drop(window(&mut planner, n, 0)));
    let new: Vec<String> = (0..20).map(|key| format!("renamed-{key}")).collect();
    let buckets: Vec<(&str, u64)> = new.iter().map(|key| (key.as_str(), 6)).collect();
    let mut replaced = |number: i64| {
        let mut report = report("n", number, &buckets);
        // While nothing is refused everybody claims all that it asks for.
        report.buckets.iter_mut().for_each(|counts| counts.throttled = 1);
        planner.observe(&report);
        tick(&mut planner, number).tables["n"].clone()
    };
    let table = (USUAL..USUAL + 100).map(&mut replaced).last().unwrap();
    assert!(table.default.must_leave < 0.05 * table.pool.capacity, "nobody is left to keep it for: {table:?}");
    assert!(table.pool.refill_per_s[0] * 30.0 > 100.0, "the node is leased what it always was: {table:?}");
}

#[test]
fn a_lower_priority_must_leave_what_a_higher_one_is_about_to_need() {
    let gold = Policy { name: "gold".into(), buckets: "gold".into(), priority: 200, ..Policy::default() };
    let mut planner = planner(vec![gold]);
    let table = (0..USUAL).map(|n| window(&mut planner, n, 0)).last().unwrap();
    assert_eq!(table.buckets["gold"].must_leave, 0.0);
    let plain = table.buckets["plain"].must_leave;
    assert!((100.0..300.0).contains(&plain) && table.default.must_leave == plain, "three windows of sixty requests: {table:?}");
}

#[test]
fn a_lighter_bucket_leaves_a_heavier_one_a_part_of_what_it_is_short_of() {
    let left = |weight: f64, throttled: [u64; 2]| {
        let gold = Policy { name: "gold".into(), buckets: "gold".into(), weight, ..Policy::default() };
        let mut planner = planner(vec![gold]);
        let table = (0..USUAL).map(|n| {
            let mut report = report("n", n, &[("gold", 60), ("plain", 60)]);
            report.buckets.iter_mut().zip(throttled).for_each(|(counts, throttled)| counts.throttled = throttled);
            planner.observe(&report);
            tick(&mut planner, n).tables["n"].clone()
        });
        let table = table.last().unwrap();
        assert_eq!(table.buckets["gold"].must_leave, 0.0, "{table:?}");
        assert_eq!(table.buckets.get("plain").map_or(0.0, |plain| plain.must_leave), table.default.must_leave, "{table:?}");
        table.default.must_leave
    };
    assert_eq!(left(1.0, [30, 30]), 0.0, "none weighs more");
    let [double, fourfold] = [2.0, 4.0].map(|weight| left(weight, [30, 30]));
    assert!((60.0..120.0).contains(&double), "half of six times thirty: {double}");
    assert!((1.4..1.6).contains(&(fourfold / double)), "three quarters for a half: {fourfold} and {double}");
    assert_eq!(left(4.0, [0, 30]), 0.0, "who has all it asks for is left nothing");
    assert_eq!(left(4.0, [0, 0]), 0.0, "nobody is refused");
}
