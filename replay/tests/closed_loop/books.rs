//! What holds for every contender on every trace.

use proptest::prelude::*;
use tidegate_replay::{Options, compare, contender::Kind, kv::Staleness, report::json, spread::Spread};

use crate::traffic;

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let bytes = |seed| {
        let options = Options { seed, spread: Spread::Request, capacities: vec![1.1, 2.0], ..traffic::options() };
        let cases = [traffic::case(&traffic::busy(), options)];
        json::write(&compare(&cases, None, &|| ()).unwrap()).unwrap()
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked, no contender that keeps books exceeds the origin, and none admits more than `central`.
    #[test]
    fn the_origin_is_never_sold_twice(
        rows in prop::collection::vec((0_u32..600, 0_u32..6, 1_u32..200), 1..120),
        capacity in 0.2_f64..4.0,
        burst_seconds in 1.0_f64..300.0,
        delay_s in 0_u32..120,
        jitter_s in 0_u32..90,
        poll_s in 0_u32..40,
    ) {
        let mut rows = rows;
        rows.push((599, 0, 1));
        rows.sort_unstable();
        rows.dedup_by_key(|r| (r.0, r.1));
        let options = Options {
            capacities: vec![capacity],
            burst_seconds,
            staleness: vec![Staleness { delay_s, jitter_s, poll_s }],
            ..traffic::options()
        };
        let cases = [traffic::case(&traffic::trace(&rows), options)];
        let result = compare(&cases, None, &|| ()).unwrap();
        prop_assert_eq!(&result[0].breaches, &Vec::<String>::new());
        for (score, kind) in result[0].contenders.iter().zip(Kind::ALL) {
            prop_assert!(score.refused_within_share <= score.throttled_share);
            if kind == Kind::Aimd {
                continue;
            }
            prop_assert_eq!(score.overload_share, 0.0, "{}", &score.name);
            prop_assert!(score.regret >= -1e-12, "{} admits more than one bucket that sees everything: {}", &score.name, score.regret);
        }
    }
}
