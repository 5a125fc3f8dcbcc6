//! The two-level take: a node's bucket and the member buckets that share it.
//!
//! Every admitted request is charged to the node's bucket. A member with tokens of its own is *guaranteed*: its take goes
//! through although it eats into the node's reserve, which is as large as all the members' bursts together. A member without
//! *borrows*: it must leave the reserve whole, and stays below its ceiling. So an idle guarantee is lent out and is still
//! there when its owner comes back, and whatever the members do, the node admits no more than its own bucket holds.
//!
//! What may be lent is not the same for all: a member may have to leave some of it to the others, so that those who have to leave
//! less still find something when many who have to leave more have come first. Teletraffic theory calls it trunk reservation: the
//! last circuits of a link are kept for the calls that are worth most (Key 1990, "Optimal control and trunk reservation in loss
//! networks", Probability in the Engineering and Informational Sciences 4).

use crate::{
    TokenBucket,
    atomic::{
        AtomicI64,
        Ordering::{Acquire, Release},
    },
    refill::units,
};

/// A node's bucket: refill is all that the node is leased, capacity is what may be borrowed plus the reserve.
#[derive(Debug)]
pub struct NodeBucket {
    total: TokenBucket,
    /// Sum of the members' guaranteed bursts, in units: what only guaranteed takes may touch.
    reserve: AtomicI64,
}

/// Units that rounding can leave the node's bucket short of its members' tokens: one at its last overflow, one at this take.
const ROUNDING: i64 = 2;

/// What one member may do at its node.
#[derive(Debug)]
pub struct Member {
    /// Guaranteed tokens.
    own: TokenBucket,
    /// Counts all that is admitted against the ceiling.
    meter: TokenBucket,
    /// Units above the reserve that it leaves in the node's bucket when it borrows.
    must_leave: AtomicI64,
}

/// Guarantee and ceiling of a member, and what it leaves to others.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MemberRates {
    /// Guaranteed tokens per second.
    pub refill_per_s: f64,
    /// Guaranteed burst, in tokens.
    pub capacity: f64,
    /// Tokens per second from which it may not borrow more.
    pub ceiling_per_s: f64,
    /// Tokens that it may reach at once on top, once rested.
    pub ceiling_burst: f64,
    /// Tokens that it must leave to others when it borrows, on top of the reserve: trunk reservation, see the module.
    pub must_leave: f64,
}

/// How a take of several requests was split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Split {
    /// Requests admitted with tokens of the member's own.
    pub guaranteed: u64,
    /// Requests admitted with tokens that others left.
    pub borrowed: u64,
    /// What refused the rest; `None` when there is no rest.
    pub refusal: Option<Refusal>,
}

impl Split {
    /// Requests admitted.
    pub fn admitted(&self) -> u64 {
        self.guaranteed + self.borrowed
    }
}

/// What a request without guaranteed tokens ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The member's own ceiling.
    Ceiling,
    /// The node has nothing left to lend, or only what this member must leave to others.
    Pool,
}

impl NodeBucket {
    /// A node's bucket with `reserve` for guaranteed bursts and `lendable` tokens on top. It starts full, or empty when
    /// `full` is false.
    pub fn new(refill_per_s: f64, lendable: f64, reserve: f64, full: bool, now_ns: u64) -> Self {
        let capacity = lendable + reserve;
        let tokens = if full { capacity } else { 0.0 };
        Self { total: TokenBucket::new(refill_per_s, capacity, tokens, now_ns), reserve: AtomicI64::new(units(reserve)) }
    }

    /// Changes rate and capacity as [`TokenBucket::set`] does, and the reserve with them.
    pub fn set(&self, refill_per_s: f64, lendable: f64, reserve: f64, now_ns: u64) {
        self.reserve(reserve, || self.total.set(refill_per_s, lendable + reserve, now_ns));
    }

    pub(crate) fn reserve(&self, tokens: f64, change: impl FnOnce()) {
        set_with(&self.reserve, units(tokens), change);
    }

    /// Tokens in the node's bucket, reserve included.
    pub fn tokens(&self, now_ns: u64) -> f64 {
        self.total.tokens(now_ns)
    }

    /// Decides `n` requests of `member` as if they came one by one at `now_ns`.
    pub fn take_up_to(&self, member: &Member, n: u64, now_ns: u64) -> Split {
        let guaranteed = self.take_guaranteed(member, n, now_ns);
        let (borrowed, refusal) = self.borrow(member, n - guaranteed, now_ns);
        Split { guaranteed, borrowed, refusal }
    }

    /// Takes `n` tokens for one request of `member`, all guaranteed or all borrowed, or none.
    pub fn take(&self, member: &Member, n: u64, now_ns: u64) -> Split {
        let guaranteed = self.take_guaranteed(member, n, now_ns);
        if guaranteed == n {
            return Split { guaranteed, ..Split::default() };
        }
        self.give_back_guaranteed(member, guaranteed);
        let (borrowed, refusal) = self.borrow(member, n, now_ns);
        if borrowed == n {
            return Split { borrowed, ..Split::default() };
        }
        self.give_back_borrowed(member, borrowed);
        Split { guaranteed: 0, borrowed: 0, refusal }
    }

    fn take_guaranteed(&self, member: &Member, n: u64, now_ns: u64) -> u64 {
        let own = member.own.take_up_to(n, now_ns);
        if own == 0 {
            return 0;
        }
        let charged = self.total.take_up_to_above_units(own, -ROUNDING, now_ns);
        if charged < own {
            member.own.refund(own - charged);
        }
        // The ceiling refuses only what is borrowed, yet all that is admitted counts.
        member.meter.charge(charged, now_ns);
        charged
    }

    fn give_back_guaranteed(&self, member: &Member, n: u64) {
        member.meter.refund(n);
        self.total.refund(n);
        member.own.refund(n);
    }

    fn borrow(&self, member: &Member, n: u64, now_ns: u64) -> (u64, Option<Refusal>) {
        if n == 0 {
            return (0, None);
        }
        let must_leave = member.must_leave.load(Acquire);
        let allowed = member.meter.take_up_to(n, now_ns);
        if allowed == 0 {
            return (0, Some(Refusal::Ceiling));
        }
        let reserve = self.reserve.load(Acquire);
        // Before and after what is set together with it: whichever way it has moved meanwhile, one of the two is the larger.
        let must_leave = must_leave.max(member.must_leave.load(Acquire));
        let borrowed = self.total.take_up_to_above_units(allowed, reserve + must_leave, now_ns);
        if borrowed < allowed {
            member.meter.refund(allowed - borrowed);
            return (borrowed, Some(Refusal::Pool));
        }
        (borrowed, (allowed < n).then_some(Refusal::Ceiling))
    }

    fn give_back_borrowed(&self, member: &Member, n: u64) {
        self.total.refund(n);
        member.meter.refund(n);
    }
}

impl Member {
    /// A member that holds no guaranteed tokens yet and has its whole ceiling before it.
    pub fn new(rates: MemberRates, now_ns: u64) -> Self {
        let MemberRates { refill_per_s, capacity, ceiling_per_s, ceiling_burst, must_leave } = rates;
        Self {
            own: TokenBucket::new(refill_per_s, capacity, 0.0, now_ns),
            meter: TokenBucket::new(ceiling_per_s, ceiling_burst, ceiling_burst, now_ns),
            must_leave: AtomicI64::new(units(must_leave)),
        }
    }

    /// Changes guarantee and ceiling as [`TokenBucket::set`] does, and what it must leave with them.
    ///
    /// Where it shall leave more from now on, set it before its node, where less, after it: so no taker sees too much to borrow,
    /// whatever becomes of the node's reserve.
    pub fn set(&self, rates: MemberRates, now_ns: u64) {
        self.must_leave(rates.must_leave, || {
            self.own.set(rates.refill_per_s, rates.capacity, now_ns);
            self.meter.set(rates.ceiling_per_s, rates.ceiling_burst, now_ns);
        });
    }

    pub(crate) fn must_leave(&self, tokens: f64, change: impl FnOnce()) {
        set_with(&self.must_leave, units(tokens), change);
    }

    /// Whether it has its whole ceiling before it, as a new member has.
    pub fn is_rested(&self, now_ns: u64) -> bool {
        self.meter.is_full(now_ns)
    }

    /// Guaranteed tokens that it holds.
    pub fn tokens(&self, now_ns: u64) -> f64 {
        self.own.tokens(now_ns)
    }
}

/// Sets to `new` what has to be left, with `change`: what grows does so first and what shrinks last, so that no taker sees too much
/// to borrow.
fn set_with(left: &AtomicI64, new: i64, change: impl FnOnce()) {
    let old = left.load(Acquire);
    left.store(old.max(new), Release);
    change();
    left.store(new, Release);
}
