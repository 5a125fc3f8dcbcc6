//! Who is compared, and on what.

use std::{
    cell::Cell,
    num::NonZeroU32,
    ops::Add,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::AcqRel},
    },
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, Reference},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};
use tidegate_token_bucket::{Member, MemberRates, NodeBucket, TokenBucket};

thread_local! {
    /// The time that a thread takes at, nanoseconds.
    pub static TIME: Cell<u64> = const { Cell::new(0) };
}

/// How the bucket stands while tokens are taken from it.
pub struct Case {
    pub name: &'static str,
    pub refill_per_s: f64,
    pub capacity: f64,
    pub tokens: f64,
}

impl Case {
    pub const ALL: [Self; 4] = [
        // Between empty and full: every take is admitted and pays with what is there.
        Self { name: "draining", refill_per_s: 1e5, capacity: 1e9, tokens: 9e8 },
        // More is refilled between two takes than is taken: every take finds the bucket full. It is large enough that a thread whose time
        // is behind that of others is not refused for it.
        Self { name: "full", refill_per_s: 1e8, capacity: 1e9, tokens: 1e9 },
        // A token comes with every tenth take: nine in ten are refused, the commonest overload.
        Self { name: "scarce", refill_per_s: 1e5, capacity: 10.0, tokens: 0.0 },
        // Nothing is left, and one token an hour comes: every take is refused.
        Self { name: "empty", refill_per_s: 1.0 / 3600.0, capacity: 1.0, tokens: 0.0 },
    ];
}

/// All are inlined into the loop that times them: none pays for a call that another does not.
pub trait Limiter: Sync {
    fn take(&self) -> bool;
}

impl Limiter for TokenBucket {
    #[inline(always)]
    fn take(&self) -> bool {
        Self::take(self, 1, TIME.get())
    }
}

/// What no limiter that counts can be faster than.
#[derive(Default)]
pub struct Bare(AtomicU64);

impl Limiter for Bare {
    #[inline(always)]
    fn take(&self) -> bool {
        self.0.fetch_add(1, AcqRel) > 0
    }
}

/// The textbook bucket behind a lock.
pub struct Locked {
    refill_per_ns: f64,
    capacity: f64,
    state: Mutex<(f64, u64)>,
}

impl Locked {
    pub fn new(case: &Case) -> Self {
        Self { refill_per_ns: case.refill_per_s / 1e9, capacity: case.capacity, state: Mutex::new((case.tokens, 0)) }
    }
}

impl Limiter for Locked {
    #[inline(always)]
    fn take(&self) -> bool {
        let now = TIME.get();
        let Ok(mut state) = self.state.lock() else { return false };
        let (tokens, at) = *state;
        let tokens = (tokens + now.saturating_sub(at) as f64 * self.refill_per_ns).min(self.capacity);
        let taken = tokens >= 1.0;
        *state = (if taken { tokens - 1.0 } else { tokens }, at.max(now));
        taken
    }
}

/// The `governor` crate, at the same given time.
pub struct Governed(RateLimiter<NotKeyed, InMemoryState, GivenTime, NoOpMiddleware<Moment>>);

impl Governed {
    pub fn new(case: &Case) -> Self {
        let burst = NonZeroU32::new(case.capacity as u32).unwrap_or(NonZeroU32::MIN);
        let period = std::time::Duration::from_secs_f64(1.0 / case.refill_per_s);
        let quota = Quota::with_period(period).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        TIME.set(0);
        let governed = RateLimiter::direct_with_clock(quota, GivenTime);
        // It starts full; what the case has not is taken out.
        let _ = NonZeroU32::new((case.capacity - case.tokens) as u32).map(|n| governed.check_n(n));
        Self(governed)
    }
}

impl Limiter for Governed {
    #[inline(always)]
    fn take(&self) -> bool {
        self.0.check().is_ok()
    }
}

#[derive(Clone)]
struct GivenTime;

impl Clock for GivenTime {
    type Instant = Moment;

    fn now(&self) -> Moment {
        Moment(TIME.get())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Add<Nanos> for Moment {
    type Output = Self;

    fn add(self, other: Nanos) -> Self {
        Self(self.0 + other.as_u64())
    }
}

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_sub(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.saturating_sub(duration.as_u64()))
    }
}

/// A node whose only member borrows all that it takes: the longest way through the two-level take.
pub struct Node {
    node: NodeBucket,
    member: Member,
}

impl Node {
    pub fn new(case: &Case) -> Self {
        let node = NodeBucket::new(case.refill_per_s, case.capacity, 0.0, case.tokens > 0.0, 0);
        let ceiling = MemberRates { ceiling_per_s: 1e9, ceiling_burst: 1e9, ..MemberRates::default() };
        Self { node, member: Member::new(ceiling, 0) }
    }
}

impl Limiter for Node {
    #[inline(always)]
    fn take(&self) -> bool {
        self.node.take(&self.member, 1, TIME.get()).admitted() == 1
    }
}
