//! Many threads on one bucket: no token is lost or given twice.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tidegate_token_bucket::{Member, MemberRates, NodeBucket, TokenBucket};

const THREADS: u64 = 4;
const S: u64 = 1_000_000_000;

#[test]
fn a_full_bucket_without_refill_gives_exactly_what_it_holds() {
    for _ in 0..20 {
        let bucket = TokenBucket::new(0.0, 40_000.0, 40_000.0, 0);
        let take = |i: u64| if bucket.take(1 + i % 2, i) { 1 + i % 2 } else { 0 };
        let taken: u64 = thread::scope(|scope| {
            let takers: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| (0..20_000u64).map(take).sum::<u64>())).collect();
            takers.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(taken + bucket.take_up_to(u64::MAX, S), 40_000);
    }
}

#[test]
fn refill_is_shared_out_once() {
    let bucket = TokenBucket::new(1000.0, 50.0, 0.0, 0);
    let taken: u64 = thread::scope(|scope| {
        let takers: Vec<_> =
            (0..THREADS).map(|_| scope.spawn(|| (0..=100_000u64).map(|i| bucket.take_up_to(3, i * 100_000)).sum::<u64>())).collect();
        takers.into_iter().map(|t| t.join().unwrap()).sum()
    });
    // Ten seconds: whoever is late sees a bucket that others have emptied at a later time, but nothing refills twice.
    assert!(taken <= 10_000, "{taken} tokens of 10,000");
    assert!(taken >= 9_000, "{taken} tokens of 10,000");
}

#[test]
fn what_is_refunded_can_be_taken_again_however_many_were_refused() {
    for _ in 0..200 {
        // No refill: who is refused expects nothing ever.
        let bucket = TokenBucket::new(0.0, 2.0, 2.0, 0);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (0..500).filter(|&i| bucket.take(2, i)).for_each(|_| bucket.refund(2)));
            }
        });
        assert_eq!(bucket.take_up_to(3, S), 2);
    }
}

#[test]
fn rate_changes_under_load_keep_the_sum() {
    let bucket = TokenBucket::new(1000.0, 100.0, 0.0, 0);
    let done = AtomicBool::new(false);
    let taken: u64 = thread::scope(|scope| {
        let setter = scope.spawn(|| {
            let mut now = 0;
            while !done.load(Ordering::Acquire) {
                now = (now + 7_000_000) % (10 * S);
                bucket.set(if now % 2 == 0 { 500.0 } else { 1000.0 }, if now % 3 == 0 { 10.0 } else { 100.0 }, now);
            }
        });
        let takers: Vec<_> =
            (0..THREADS).map(|_| scope.spawn(|| (0..=100_000u64).map(|i| bucket.take_up_to(2, i * 100_000)).sum::<u64>())).collect();
        let taken = takers.into_iter().map(|t| t.join().unwrap()).sum();
        done.store(true, Ordering::Release);
        setter.join().unwrap();
        taken
    });
    assert!(taken <= 10_000, "{taken} tokens where the highest rate gives 10,000");
    assert!(bucket.tokens(10 * S) <= 100.0);
}

#[test]
fn the_node_admits_no_more_than_it_was_leased_whatever_its_members_do() {
    let rates =
        |ceiling: f64| MemberRates { refill_per_s: 100.0, capacity: 50.0, ceiling_per_s: ceiling, ceiling_burst: ceiling, must_leave: 0.0 };
    let node = NodeBucket::new(500.0, 100.0, 200.0, true, 0);
    let members: Vec<_> = (0..THREADS).map(|i| Member::new(rates(if i == 0 { 100.0 } else { 1e6 }), 0)).collect();
    let taken: u64 = thread::scope(|scope| {
        // Every thread drives all members, so that each balance is fought over.
        let takers: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let take = |i: u64| node.take_up_to(&members[(i % THREADS) as usize], 1 + i % 5, i * 100_000).admitted();
                    (0..=100_000u64).map(take).sum::<u64>()
                })
            })
            .collect();
        takers.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert!(taken <= 300 + 5_000, "{taken} requests");
    assert!(taken >= 4_800, "{taken} requests: a take that was undone gave its tokens back");
    let left = node.tokens(10 * S);
    assert!((0.0..=300.0).contains(&left));
    assert!((taken as f64 + left - 5_300.0) < 1e-3, "{taken} taken and {left} left of 5,300");
}

#[test]
fn what_must_be_left_is_left_however_many_borrow() {
    let rates = |must_leave: f64| MemberRates { ceiling_per_s: 1e6, ceiling_burst: 1e6, must_leave, ..Default::default() };
    let node = NodeBucket::new(0.0, 40_000.0, 0.0, true, 0);
    let members: Vec<_> = (1..=THREADS).map(|i| Member::new(rates(1_000.0 * i as f64), 0)).collect();
    let take = |member: &Member| (0..20_000u64).map(|i| node.take_up_to(member, 1 + i % 3, i).borrowed).sum::<u64>();
    let taken: u64 = thread::scope(|scope| {
        let takers: Vec<_> = members.iter().map(|member| scope.spawn(|| take(member))).collect();
        takers.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!(taken, 39_000, "all but what the one that must leave least has to");
    assert_eq!(node.take_up_to(&Member::new(rates(0.0), S), 2_000, S).borrowed, 1_000);
}
