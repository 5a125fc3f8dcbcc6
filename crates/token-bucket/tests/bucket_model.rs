//! The bucket against exact integers: never a token more, and less than a few millionths short.

mod exact;

use exact::{ExactBucket, SHORT, TOKEN, amount};
use proptest::prelude::*;
use tidegate_token_bucket::TokenBucket;

#[derive(Debug, Clone)]
enum Op {
    Wait(u64),
    Take(u64),
    TakeAbove(u64, f64),
    TakeUpTo(u64),
    TakeUpToAbove(u64, f64),
    Charge(u64),
    RefundLast,
    Set(f64, f64),
}

fn rate() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), (-3.0..7.0f64).prop_map(|e| 10f64.powf(e)), (1u32..400).prop_map(f64::from)]
}

fn capacity() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.0..3.0f64, (1u32..5000).prop_map(f64::from), Just(1e6)]
}

fn op() -> impl Strategy<Value = Op> {
    let n = || prop_oneof![4 => 0u64..20, 1 => 0u64..100_000, 1 => Just(u64::MAX)];
    prop_oneof![
        3 => prop_oneof![0u64..2_000_000_000, 0u64..100_000_000_000_000].prop_map(Op::Wait),
        2 => n().prop_map(Op::Take),
        1 => (n(), 0.0..50f64).prop_map(|(n, reserve)| Op::TakeAbove(n, reserve)),
        3 => n().prop_map(Op::TakeUpTo),
        1 => (n(), 0.0..50f64).prop_map(|(n, reserve)| Op::TakeUpToAbove(n, reserve)),
        1 => (0u64..100).prop_map(Op::Charge),
        1 => Just(Op::RefundLast),
        1 => (rate(), capacity()).prop_map(|(r, c)| Op::Set(r, c)),
    ]
}

fn check_take(exact: &mut ExactBucket, n: u64, reserve: f64, taken: bool) -> Result<(), TestCaseError> {
    let above = exact.level - amount(reserve) - i128::from(n) * TOKEN;
    if n > 0 && taken {
        prop_assert!(above >= 0, "took {n} above {reserve} of {}", exact.level);
    } else if n > 0 {
        prop_assert!(above < SHORT, "refused {n} above {reserve} of {}", exact.level);
    }
    exact.give(if taken { n } else { 0 });
    Ok(())
}

fn check_take_up_to(exact: &mut ExactBucket, n: u64, reserve: f64, taken: u64) -> Result<(), TestCaseError> {
    let reserve = amount(reserve);
    prop_assert!(taken <= exact.whole_above(reserve).min(n), "took {taken} of {n} from {}", exact.level);
    prop_assert!(taken >= exact.whole_above(reserve + SHORT).min(n), "took only {taken} of {n} from {}", exact.level);
    exact.give(taken);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn decides_as_exact_arithmetic_does(
        (refill, capacity) in (rate(), capacity()),
        filled in 0.0..1.0f64,
        origin in prop_oneof![Just(0u64), 0..u64::MAX / 2],
        ops in prop::collection::vec(op(), 1..60),
    ) {
        let mut now = origin;
        let bucket = TokenBucket::new(refill, capacity, filled * capacity, now);
        let mut exact = ExactBucket::new(refill, capacity, filled * capacity, now);
        let mut last = 0;
        for op in ops {
            exact.settle(now);
            match op {
                Op::Wait(ns) => now += ns,
                Op::Take(n) => check_take(&mut exact, n, 0.0, bucket.take(n, now))?,
                Op::TakeAbove(n, reserve) => check_take(&mut exact, n, reserve, bucket.take_above(n, reserve, now))?,
                Op::TakeUpTo(n) => {
                    last = bucket.take_up_to(n, now);
                    check_take_up_to(&mut exact, n, 0.0, last)?;
                }
                Op::TakeUpToAbove(n, reserve) => {
                    last = bucket.take_up_to_above(n, reserve, now);
                    check_take_up_to(&mut exact, n, reserve, last)?;
                }
                Op::Charge(n) => {
                    bucket.charge(n, now);
                    exact.give(n);
                }
                Op::RefundLast => {
                    bucket.refund(last);
                    exact.refund(last);
                    last = 0;
                }
                Op::Set(refill, capacity) => {
                    let before = bucket.tokens(now);
                    bucket.set(refill, capacity, now);
                    exact.set(refill, capacity, now);
                    prop_assert!(bucket.tokens(now) <= before, "a change of rate adds nothing");
                }
            }
        }
        exact.settle(now);
        let off = exact.level as f64 / TOKEN as f64 - bucket.tokens(now);
        prop_assert!((-1e-9..3e-6).contains(&off) || off.abs() < exact.level as f64 * 1e-30, "{off} tokens off");
    }

    #[test]
    fn time_that_runs_backwards_admits_nothing_extra(
        refill in 0.0..1000f64,
        times in prop::collection::vec(0u64..10_000_000_000, 1..100),
    ) {
        let bucket = TokenBucket::new(refill, 50.0, 50.0, times[0]);
        let taken: u64 = times.iter().map(|&now| bucket.take_up_to(u64::MAX, now)).sum();
        let latest = times.iter().max().unwrap() - times[0];
        prop_assert!(taken as f64 <= 50.0 + refill * latest as f64 / 1e9 + 1e-6);
    }
}

#[test]
fn a_slow_bucket_loses_no_token_in_a_million_seconds() {
    const S: u64 = 1_000_000_000;
    for (rate, expected) in [(0.01, 10_000), (0.001, 1_000), (0.07, 70_000)] {
        let bucket = TokenBucket::new(rate, 5.0, 0.0, 0);
        let by_the_second: u64 = (1..=1_000_000).map(|s| bucket.take_up_to(10, s * S)).sum();
        assert_eq!(by_the_second, expected, "{rate}/s");

        let bucket = TokenBucket::new(rate, 5.0, 0.0, 0);
        let reset_all_the_time: u64 = (1..=1_000_000u64)
            .map(|s| {
                bucket.set(rate, 5.0, s * S - S / 3);
                bucket.take_up_to(10, s * S)
            })
            .sum();
        assert_eq!(reset_all_the_time, expected, "{rate}/s, set every second");
    }
}

#[test]
fn a_fast_bucket_gives_what_it_refills() {
    let bucket = TokenBucket::new(1e7, 1e6, 0.0, 0);
    let taken: u64 = (1..=1_000_000u64).map(|tick| bucket.take_up_to(u64::MAX, tick * 333)).sum();
    assert_eq!(taken, 3_330_000);
}

#[test]
fn a_change_of_rate_settles_the_past_and_adds_nothing() {
    const S: u64 = 1_000_000_000;
    let bucket = TokenBucket::new(1.0, 10.0, 0.0, 0);
    bucket.set(100.0, 1000.0, 4 * S);
    assert_eq!(bucket.tokens(4 * S), 4.0, "the first four seconds went by at the old rate");
    bucket.set(1.0, 1000.0, 100 * S);
    assert_eq!(bucket.tokens(100 * S), 1000.0);
    bucket.set(1.0, 10.0, 100 * S);
    bucket.set(1.0, 1000.0, 100 * S);
    assert_eq!(bucket.tokens(100 * S), 10.0, "what a smaller capacity clipped does not come back");
}

#[test]
fn a_long_rest_fills_the_bucket_and_no_more() {
    let bucket = TokenBucket::new(1e7, 100.0, 0.0, 0);
    let ten_days = 10 * 86_400 * 1_000_000_000;
    assert_eq!(bucket.take_up_to(1000, ten_days), 100);
    assert_eq!(bucket.take_up_to(1000, ten_days), 0);
}
