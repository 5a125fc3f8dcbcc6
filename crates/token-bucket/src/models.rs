//! Models that loom runs through every interleaving, and every value that the memory orders let a load see.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p tidegate-token-bucket --lib models` runs them; `cargo xtask test` does so too.

use std::fmt::Debug;

use loom::{model::Builder, sync::Arc, thread};

use crate::{
    Member, MemberRates, NodeBucket, Refusal, Split, TokenBucket,
    atomic::{AtomicU64, Ordering::AcqRel},
    drought::Drought,
    line_cell::{LineCell, Reading},
    refill::{Line, Mark},
};

const S: u64 = 1_000_000_000;

/// Runs `model` with at most `preemptions` switches away from a thread that could go on: what goes wrong at all goes wrong with few
/// (Musuvathi & Qadeer 2007, iterative context bounding).
fn check(preemptions: impl Into<Option<usize>>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = preemptions.into();
    builder.check(model);
}

/// Runs `other` and `own` at the same time; returns what they return. Who stores what he has loaded has to be `own`: it runs first, and
/// loom tries other orders only where a thread meets the last access of another, which its own load would hide.
fn both<T: 'static>(other: impl FnOnce() -> T + 'static, own: impl FnOnce() -> T) -> (T, T) {
    let other = thread::spawn(other);
    let own = own();
    (other.join().unwrap(), own)
}

/// One look, by `look`, while the line is replaced: whole, or known not to count.
fn look_while_set<T: PartialEq + Debug + 'static>(look: fn(&LineCell) -> Reading<T>, part: fn(Line) -> T) {
    let line = |k: u64| Line::new(k, Mark { units: k, parts: k }, k as f64, k as f64);
    check(1, move || {
        let cell = Arc::new(LineCell::new(line(1)));
        let reader = cell.clone();
        let read = move || {
            let reading = look(&reader);
            reader.is_current(reading.version).then_some(reading.of)
        };
        let set = || {
            cell.replace(|_| line(2));
            assert_eq!(cell.get(), line(2));
            None
        };
        let (seen, _) = both(read, set);
        assert!(seen.as_ref().is_none_or(|seen| *seen == part(line(1)) || *seen == part(line(2))), "{seen:?}");
    });
}

#[test]
fn a_glance_sees_one_line_and_never_parts_of_two() {
    look_while_set(LineCell::glance, |line| line.slope);
}

#[test]
fn the_rest_of_a_glance_is_of_the_same_line() {
    let whole = |cell: &LineCell| {
        let Reading { version, of: slope } = cell.glance();
        Reading { version, of: Line { slope, rest: cell.rest() } }
    };
    look_while_set(whole, |line| line);
}

#[test]
fn a_reader_sees_one_line_and_never_parts_of_two() {
    look_while_set(LineCell::read, |line| line);
}

#[test]
fn setters_take_turns() {
    check(None, || {
        let line = |k: u64| Line::new(k, Mark { units: 0, parts: 0 }, 0.0, 0.0);
        let cell = Arc::new(LineCell::new(line(0)));
        let other = cell.clone();
        both(move || other.replace(|old| line(old.slope.since_ns + 1)), || cell.replace(|old| line(old.slope.since_ns + 1)));
        assert_eq!(cell.get().slope.since_ns, 2, "no change is lost");
    });
}

#[test]
fn the_last_token_is_given_once() {
    check(4, || {
        let bucket = Arc::new(TokenBucket::new(0.0, 3.0, 3.0, 0));
        let other = bucket.clone();
        let (first, second) = both(move || other.take(2, 0), || bucket.take(2, 0));
        assert!(first != second);
        assert_eq!(bucket.tokens(0), 1.0);
    });
}

#[test]
fn what_overflowed_is_written_off_once() {
    check(4, || {
        // Both takers find it overflowing.
        let bucket = Arc::new(TokenBucket::new(3.0, 3.0, 3.0, 0));
        let other = bucket.clone();
        let (first, second) = both(move || other.take_up_to(3, S), || bucket.take_up_to(1, S));
        assert!((first, second) == (3, 0) || (first, second) == (2, 1), "{first} {second}");
        assert_eq!(bucket.tokens(S), 0.0);
    });
}

#[test]
fn a_smaller_capacity_clips_and_a_larger_one_adds_nothing() {
    check(1, || {
        let bucket = Arc::new(TokenBucket::new(0.0, 3.0, 3.0, 0));
        let taker = bucket.clone();
        let (taken, _) = both(move || taker.take(1, 0), || [bucket.set(0.0, 1.0, 0)].is_empty());
        let left = bucket.tokens(0);
        assert!(taken && (left == 0.0 || left == 1.0), "{left} left");
        bucket.set(0.0, 3.0, 0);
        assert_eq!(bucket.tokens(0), left);
    });
}

#[test]
fn a_refund_ends_what_a_refused_taker_foresees() {
    check(3, || {
        // A token an hour: whoever is refused foresees nothing for long.
        let bucket = Arc::new(TokenBucket::new(1.0 / 3600.0, 5.0, 0.0, 0));
        let taker = bucket.clone();
        let (taken, _) = both(move || taker.take(1, S), || [bucket.refund(2)].is_empty());
        let left = if taken { 1 } else { 2 };
        assert!(bucket.take(left, S), "{left} left");
        assert!(!bucket.take(1, S));
    });
}

#[test]
fn two_who_foresee_do_not_hide_a_refund_from_each_other() {
    check(4, || {
        let all = Arc::new((Drought::none(), AtomicU64::new(0)));
        let others = [all.clone(), all.clone()].map(|all| {
            thread::spawn(move || {
                let (drought, tokens) = (&all.0, &all.1);
                drought.begin(|| (tokens.fetch_add(0, AcqRel) == 0).then_some(S));
            })
        });
        let (drought, tokens) = (&all.0, &all.1);
        tokens.fetch_add(1, AcqRel);
        drought.end();
        assert!(!drought.lasts_at(0), "while they may still be at it");
        others.into_iter().for_each(|other| other.join().unwrap());
        assert!(!drought.lasts_at(0));
    });
}

#[test]
fn a_new_rate_ends_what_a_refused_taker_foresees() {
    check(1, || {
        let bucket = Arc::new(TokenBucket::new(1.0 / 3600.0, 5.0, 0.0, 0));
        let taker = bucket.clone();
        both(move || taker.take(1, S), || [bucket.set(2.0, 5.0, S)].is_empty());
        assert!(bucket.take(2, 2 * S), "a second at the new rate");
    });
}

fn member(capacity: f64, ceiling_burst: f64) -> Member {
    Member::new(MemberRates { refill_per_s: capacity, capacity, ceiling_burst, ..Default::default() }, 0)
}

/// What a borrower with a large enough ceiling may be lent.
fn leaving(must_leave: f64) -> MemberRates {
    MemberRates { ceiling_burst: 3.0, must_leave, ..Default::default() }
}

#[test]
fn a_token_is_lent_once_and_who_is_refused_has_lost_nothing() {
    check(2, || {
        let all = Arc::new((NodeBucket::new(0.0, 1.0, 0.0, true, 0), [member(0.0, 1.0), member(0.0, 1.0)]));
        let others = all.clone();
        let (first, second) = both(move || others.0.take_up_to(&others.1[0], 1, 0), || all.0.take_up_to(&all.1[1], 1, 0));
        assert_eq!(first.borrowed + second.borrowed, 1);
        assert_eq!(all.0.tokens(0), 0.0);
        assert_eq!(all.1.each_ref().map(|m| m.is_rested(0)), [first.borrowed == 0, second.borrowed == 0]);
    });
}

#[test]
fn a_guarantee_stays_its_owners_while_another_borrows() {
    check(2, || {
        // A second has brought the owner its token; the node holds that one and one to lend.
        let all = Arc::new((NodeBucket::new(0.0, 1.0, 1.0, true, 0), [member(1.0, 1.0), member(0.0, 2.0)]));
        let others = all.clone();
        let (lent, own) = both(move || others.0.take_up_to(&others.1[1], 2, S), || all.0.take_up_to(&all.1[0], 1, S));
        assert_eq!((lent.guaranteed, own.guaranteed, own.borrowed), (0, 1, 0));
        // Who comes second finds but the reserve, which it must leave whole.
        assert_eq!(lent.borrowed as f64 + all.0.tokens(S), 1.0);
    });
}

#[test]
fn what_a_borrower_must_leave_is_there_for_who_need_not() {
    check(2, || {
        let members = [leaving(1.0), leaving(0.0)].map(|rates| Member::new(rates, 0));
        let all = Arc::new((NodeBucket::new(0.0, 2.0, 0.0, true, 0), members));
        let others = all.clone();
        let (bound, free) = both(move || others.0.take_up_to(&others.1[0], 2, 0), || all.0.take_up_to(&all.1[1], 1, 0));
        assert_eq!(free.borrowed, 1, "whoever comes first");
        assert!(bound.borrowed <= 1 && bound.refusal == Some(Refusal::Pool), "{bound:?}");
        assert_eq!(all.0.tokens(0), 1.0 - bound.borrowed as f64);
    });
}

/// A take of 2 while the node's reserve and what the taker must leave change places: one token stays, whichever holds.
fn take_while(reserve: f64, must_leave: f64, change: fn(&NodeBucket, &Member)) {
    check(2, move || {
        let node = NodeBucket::new(0.0, 2.0 - reserve, reserve, true, 0);
        let all = Arc::new((node, Member::new(leaving(must_leave), 0)));
        let taker = all.clone();
        let change = || {
            change(&all.0, &all.1);
            Split::default()
        };
        let (split, _) = both(move || taker.0.take_up_to(&taker.1, 2, 0), change);
        assert!(split.borrowed <= 1, "{split:?}");
    });
}

#[test]
fn no_taker_sees_the_reserve_gone_before_it_must_leave_as_much() {
    take_while(1.0, 0.0, |node, member| {
        member.must_leave(1.0, || ());
        node.reserve(0.0, || ());
    });
}

#[test]
fn no_taker_sees_that_it_must_leave_nothing_before_as_much_is_reserved() {
    take_while(0.0, 1.0, |node, member| {
        node.reserve(1.0, || ());
        member.must_leave(0.0, || ());
    });
}
