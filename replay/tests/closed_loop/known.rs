//! Small cases whose outcome can be worked out by hand.

use tidegate_replay::{Comparison, Options, compare, contender::Kind};

use crate::traffic;

/// One request of each of two buckets in every second of ten windows, and `extra` requests of bucket 0 in second 200. By
/// rank, bucket 0 is at node 0 and bucket 1 at node 1.
fn steady_with_burst(extra: u32, contenders: Vec<Kind>) -> Comparison {
    let mut rows: Vec<(u32, u32, u32)> = (0..300).flat_map(|second| [(second, 0, 1), (second, 1, 1)]).collect();
    rows[400].2 += extra;
    let options = Options { contenders, capacities: vec![1.0], burst_seconds: 60.0, ..traffic::options() };
    compare(&[traffic::case(&traffic::trace(&rows), options)], None, &|| ()).unwrap().remove(0)
}

#[test]
fn steady_demand_at_full_capacity_is_served_by_all() {
    let fixed = vec![Kind::StaticMean, Kind::StaticP99, Kind::StaticPool, Kind::Aimd, Kind::Central];
    for score in steady_with_burst(0, fixed).contenders {
        assert_eq!(score.throttled_share, 0.0, "{}", score.name);
        assert_eq!(score.leased_per_served, 1.0, "{}", score.name);
    }
}

#[test]
fn a_burst_is_served_from_what_a_contender_has_saved() {
    let result = steady_with_burst(90, vec![Kind::StaticMean, Kind::Central]);
    // 390 are asked of a sustained 2.6/s in 150 s: the origin saved 156 and gains 0.6/s, so the burst of 91 fits.
    assert_eq!(result.contenders[1].throttled_share, 0.0);
    // Its fixed half saved 78 and refills 1.3/s: 13 of 91 are refused, and nothing after that.
    let refused = (result.contenders[0].throttled_share * 390.0).round();
    assert_eq!(refused, 13.0, "{:?}", result.contenders[0]);
    assert_eq!(result.contenders[0].regret, result.contenders[0].throttled_share);
}

#[test]
fn gathered_requests_find_all_that_their_window_refilled() {
    // 30 requests in the first second of each window, at a capacity of one per second that saves 15.
    let rows: Vec<(u32, u32, u32)> = (0..20).map(|window| (window * 30, 0, 30)).chain([(599, 0, 0)]).collect();
    let central = |gather: bool| {
        let usual = traffic::options();
        let cut = tidegate_replay::workload::Cut { gather, ..usual.cut.clone() };
        let options = Options { cut, contenders: vec![Kind::Central], capacities: vec![1.0], burst_seconds: 30.0, ..usual };
        let case = traffic::case(&traffic::trace(&rows), options);
        assert_eq!(case.workload.rows.iter().all(|r| r.second % 30 == 29), gather);
        compare(&[case], None, &|| ()).unwrap()[0].contenders[0].throttled_share
    };
    assert_eq!(central(true), 0.0);
    let narrow = Options { contenders: vec![Kind::Central], capacities: vec![1.0], burst_seconds: 15.0, ..traffic::options() };
    let refused = compare(&[traffic::case(&traffic::trace(&rows), narrow)], None, &|| ()).unwrap()[0].contenders[0].throttled_share;
    assert!(refused > 0.4, "what refills after the requests comes too late for them: {refused}");
}

#[test]
fn regret_is_what_central_would_have_served() {
    let result = steady_with_burst(3000, vec![Kind::StaticMean, Kind::Central]);
    let [fixed, central] = &result.contenders[..] else { panic!("two were asked for") };
    assert!(central.throttled_share > 0.1 && central.regret == 0.0, "{central:?}");
    assert!(fixed.regret > 0.01, "{fixed:?}");
    assert_eq!(fixed.regret, fixed.throttled_share - central.throttled_share);
}
