//! How contenders take a change: demand that moves from one node to another, and a bucket that asks for all there is.

use tidegate_replay::{Comparison, Options, compare, contender::Kind};

use crate::traffic;

const HALF_S: u32 = 600;

/// Requests per second of each bucket, before and after the middle of the scored part; by rank, bucket `b` is at node `b % 2`.
fn stepped(before: &[u32], after: &[u32], contenders: Vec<Kind>, capacity: f64) -> Comparison {
    let rates = |second: u32| if second < 3 * HALF_S { before } else { after };
    let of_second = |second: u32| rates(second).iter().enumerate().map(move |(bucket, &requests)| (second, bucket as u32, requests));
    let rows: Vec<(u32, u32, u32)> = (0..4 * HALF_S).flat_map(of_second).filter(|r| r.2 > 0).collect();
    let options = Options { contenders, capacities: vec![capacity], burst_seconds: 30.0, ..traffic::options() };
    compare(&[traffic::case(&traffic::trace(&rows), options)], None, &|| ()).unwrap().remove(0)
}

/// Share of the demand of the last ten windows that was refused, by contender.
fn refused_in_the_end(result: &Comparison) -> Vec<f64> {
    let refused = |windows: &Vec<tidegate_replay::score::WindowTotals>| {
        let last = &windows[windows.len() - 10..];
        let demand: u64 = last.iter().map(|w| w.demand).sum();
        let admitted: u64 = last.iter().map(|w| w.admitted).sum();
        (demand - admitted) as f64 / demand as f64
    };
    result.windows.iter().map(refused).collect()
}

#[test]
fn what_learns_follows_demand_to_another_node() {
    let learning: Vec<Kind> =
        Kind::ALL.into_iter().filter(|k| k.feels_delay() && !matches!(k, Kind::NoPool | Kind::Holt | Kind::Gradient2)).collect();
    let result = stepped(&[30, 6], &[6, 30], learning.clone(), 1.5);
    for (refused, kind) in refused_in_the_end(&result).into_iter().zip(learning) {
        assert!(refused < 0.01, "{}: {refused}", kind.name());
    }
}

#[test]
fn fixed_shares_do_not_follow_and_the_cautious_lag() {
    let result = stepped(&[30, 6], &[6, 30], vec![Kind::StaticMean, Kind::Holt, Kind::Gradient2], 1.5);
    let [fixed, holt, gradient2] = refused_in_the_end(&result)[..] else { panic!("three were asked for") };
    assert!(fixed > 0.4, "a node that had a sixth needs five: {fixed}");
    assert!(holt < 0.6 * fixed, "on its way, with constants that fit what did not move: {holt}");
    assert!(gradient2 < 0.6 * fixed, "a limit grows by its root: {gradient2}");
}

#[test]
fn guarantees_protect_the_modest_from_a_hog_and_a_pool_alone_does_not() {
    // Nine buckets of 4/s at two nodes; then the first asks for a hundred times as much.
    let (modest, mut hogged) = ([4; 9], [4; 9]);
    hogged[0] = 400;
    let result = stepped(&modest, &hogged, vec![Kind::PoolOnly, Kind::Adaptive], 0.4);
    let [pool_only, adaptive] = &result.contenders[..] else { panic!("two were asked for") };
    assert!(adaptive.refused_within_share < 0.2 * pool_only.refused_within_share, "{pool_only:?} {adaptive:?}");
}

#[test]
fn without_pools_a_bucket_that_was_never_listed_gets_nothing() {
    let result = stepped(&[8, 8], &[8, 8, 8], vec![Kind::PoolOnly, Kind::NoPool], 3.0);
    let [pool_only, no_pool] = &result.contenders[..] else { panic!("two were asked for") };
    assert!(pool_only.throttled_share < 0.01, "{pool_only:?}");
    assert!(no_pool.throttled_share > pool_only.throttled_share, "{no_pool:?}");
}
