//! How much is guaranteed and how much pooled follows from how sure demand is and from what the pool is worth.

use tidegate_planner::{Planner, Settings, settings::Origin};
use tidegate_wire::{BucketRates, RateTable};

use crate::nodes::{report, tick};

const WINDOWS: i64 = 300;

/// The last table of a node with room for all, after `of` has said what each bucket asks for in a window; of each, `throttled` requests
/// are refused.
fn table(throttled: u64, of: impl Fn(i64) -> Vec<(&'static str, u64)>) -> RateTable {
    let origin = Origin { sustained_per_s: 6.0, burst: 720.0, ..Origin::default() };
    let mut planner = Planner::new(Settings { origins: vec![origin], ..Settings::default() }, None).unwrap();
    let tables = (0..WINDOWS).map(|window| {
        let mut report = report("n", window, &of(window));
        report.buckets.iter_mut().for_each(|counts| counts.throttled = throttled.min(counts.requests));
        planner.observe(&report);
        tick(&mut planner, window).tables["n"].clone()
    });
    (*tables.last().unwrap()).clone()
}

fn guaranteed(table: &RateTable, bucket: &str) -> BucketRates {
    table.buckets.get(bucket).cloned().unwrap_or_default()
}

fn rate(table: &RateTable, bucket: &str) -> f64 {
    guaranteed(table, bucket).refill_per_s.first().copied().unwrap_or(0.0)
}

/// Two buckets of one a second in the mean: one comes evenly, the other all at once in every tenth window.
fn even_and_clumped(window: i64) -> Vec<(&'static str, u64)> {
    vec![("even", 30), ("clumped", if window % 10 == 0 { 300 } else { 0 })]
}

#[test]
fn who_comes_evenly_is_guaranteed_its_rate_and_who_comes_in_clumps_borrows() {
    let table = table(0, even_and_clumped);
    assert!((0.8..1.5).contains(&rate(&table, "even")), "{table:?}");
    assert!(rate(&table, "clumped") < 0.2, "{table:?}");
    assert!((5.0..20.0).contains(&guaranteed(&table, "even").capacity), "about half a window of it: {table:?}");
}

#[test]
fn where_the_pool_refuses_more_is_guaranteed() {
    let uneven = |window: i64| vec![("one", [4, 80, 16, 20][window as usize % 4]), ("other", [20, 16, 80, 4][window as usize % 4])];
    let of_pool = |throttled| {
        let table = table(throttled, uneven);
        (rate(&table, "one") + rate(&table, "other")) / table.pool.refill_per_s[0]
    };
    let [open, contested] = [0, 10].map(of_pool);
    assert!(open < 0.5 && contested > 0.85, "{open} {contested}");
}

#[test]
fn nothing_is_saved_for_who_is_alone_or_seldom_comes() {
    let alone = table(0, |_| vec![("only", 30)]);
    assert!(rate(&alone, "only") > 0.8 && guaranteed(&alone, "only").capacity == 1.0, "{alone:?}");
    let seldom = table(0, |_| vec![("even", 30), ("seldom", 1)]);
    assert_eq!(guaranteed(&seldom, "seldom").capacity, 0.0, "{seldom:?}");
}
