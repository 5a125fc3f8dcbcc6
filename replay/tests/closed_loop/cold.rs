//! The first windows of nodes and of a planner that know nothing.

use tidegate_replay::{
    Options,
    cold::{Course, Opening, cases, run},
    contender::Kind,
    kv::Staleness,
};

use crate::traffic;

const WINDOWS: u32 = 60;
const NODES: u32 = 4;
/// What is asked of one node in three windows out of sixteen, each time all in one second.
const BURST: [u32; 3] = [250, 80, 60];

/// One bucket per node, quiet but for a burst that comes to each in turn: an even split serves nearly all of it.
fn in_turn(delay_s: u32) -> Vec<Opening> {
    let of = |window: u32, bucket: u32| {
        let since = (window + 58 - 4 * bucket) % 16;
        match BURST.get(since as usize) {
            Some(requests) => vec![(window * 30 + 15, bucket, *requests)],
            None => (0..20).map(|second| (window * 30 + second, bucket, 1)).collect(),
        }
    };
    let mut rows: Vec<(u32, u32, u32)> = (0..WINDOWS).flat_map(|w| (0..NODES).flat_map(move |b| of(w, b))).collect();
    rows.sort_unstable();
    let options = Options {
        nodes: NODES as usize,
        staleness: vec![Staleness::fixed(delay_s)],
        contenders: vec![Kind::StaticPool, Kind::Adaptive, Kind::Central],
        ..traffic::options()
    };
    let course = Course { starts: 1, first: vec![10, 30, WINDOWS] };
    let cases = cases("in turn", &traffic::trace(&rows), &course, &options).unwrap();
    run(&cases, &course, None).unwrap()
}

#[test]
fn what_nobody_has_seen_yet_is_shared_evenly() {
    for delay_s in [0, 30] {
        for opening in in_turn(delay_s) {
            let [fixed, adaptive, central] = opening.throttled_share[..] else { panic!("three were asked for") };
            assert_eq!((central, opening.breaches.len()), (0.0, 0), "{opening:?}");
            assert!(adaptive < fixed + 0.08, "a burst at a node that was quiet so far: {opening:?}");
        }
    }
}

#[test]
fn fixed_shares_of_the_unknown_are_even_and_hold_from_the_start() {
    for opening in in_turn(0) {
        let fixed = opening.throttled_share[0];
        assert!(fixed > 0.0 && fixed < 0.05, "{opening:?}");
        assert_eq!((opening.nodes, opening.starts), (4, 1));
    }
}
