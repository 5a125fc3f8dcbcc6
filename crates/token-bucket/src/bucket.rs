//! One token bucket.

use crate::{
    ask::{Ask, NO_RESERVE, PART, WHOLE, cost_of},
    atomic::{
        AtomicU64, BackOff,
        Ordering::{AcqRel, Acquire},
    },
    drought::Drought,
    line_cell::{LineCell, Reading},
    refill::{Line, Mark, Slope, UNITS_PER_TOKEN, units},
};

/// How far `spent` may run ahead of the refill before the difference is read as a rest so long that the counters wrapped.
const LONGEST_DEBT: i64 = 1 << 62;

/// A token bucket: refills at a rate, holds at most its capacity, gives tokens to whoever takes first.
///
/// ```
/// use tidegate_token_bucket::TokenBucket;
///
/// const SECOND: u64 = 1_000_000_000;
/// let bucket = TokenBucket::new(10.0, 100.0, 100.0, 0);
/// assert!(bucket.take(60, 0) && !bucket.take(60, 0), "40 are left");
/// assert!(bucket.take(60, 2 * SECOND), "and 20 more after two seconds");
/// bucket.refund(5);
/// bucket.set(1.0, 20.0, 2 * SECOND);
/// assert_eq!(bucket.tokens(2 * SECOND), 5.0, "a new rate neither adds tokens nor takes any that fit");
/// ```
///
/// All methods take `&self` and never block a taker. Amounts are fixed point, one millionth of a token; refill below
/// that is carried along, so that no rate loses tokens to rounding. Rates are rounded to the nanotoken per second. Rates,
/// capacities and amounts that are NaN, infinite or negative count as 0, and none is above 1e9.
///
/// Counters wrap: a bucket that was left alone for more than 1e13 tokens of refill (two weeks at 1e7 per second, four years at
/// 1e5) can hold less than its capacity afterwards, never more.
// Two cache lines: what takes write is in the first, what every take reads in the second. A read from the line that an atomic operation
// has just written waits for it.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct TokenBucket {
    /// Units taken or lost to overflow since the bucket was made, modulo 2^64; the balance is refilled minus spent.
    spent: AtomicU64,
    line: LineCell,
    drought: Drought,
}

impl TokenBucket {
    /// A bucket that holds `tokens`, or its `capacity` if that is less, at `now_ns`.
    pub fn new(refill_per_s: f64, capacity: f64, tokens: f64, now_ns: u64) -> Self {
        let full = units(capacity);
        let start = Mark { units: units(tokens).min(full) as u64, parts: 0 };
        let line = Line::new(now_ns, start, refill_per_s, capacity);
        Self { spent: AtomicU64::new(0), line: LineCell::new(line), drought: Drought::none() }
    }

    /// Takes `n` tokens, or none when there are fewer.
    #[inline]
    pub fn take(&self, n: u64, now_ns: u64) -> bool {
        n == 0 || self.spend::<WHOLE>(now_ns, Ask::of(n, 0)).is_some()
    }

    /// Takes `n` tokens if at least `reserve` are left, or none.
    #[inline]
    pub fn take_above(&self, n: u64, reserve: f64, now_ns: u64) -> bool {
        n == 0 || self.spend::<WHOLE>(now_ns, Ask::of(n, units(reserve))).is_some()
    }

    /// Takes as many of `n` tokens as there are and returns their number.
    #[inline]
    pub fn take_up_to(&self, n: u64, now_ns: u64) -> u64 {
        self.take_up_to_above_units(n, 0, now_ns)
    }

    /// Takes as many of `n` tokens as leave at least `reserve`, and returns their number.
    #[inline]
    pub fn take_up_to_above(&self, n: u64, reserve: f64, now_ns: u64) -> u64 {
        self.take_up_to_above_units(n, units(reserve), now_ns)
    }

    #[inline]
    pub(crate) fn take_up_to_above_units(&self, n: u64, reserve: i64, now_ns: u64) -> u64 {
        let cost = if n == 0 { None } else { self.spend::<PART>(now_ns, Ask::of(n, reserve)) };
        cost.map_or(0, |units| (units / UNITS_PER_TOKEN) as u64)
    }

    /// Takes `n` tokens whether they are there or not; refill pays off the debt before anything else can be taken.
    pub fn charge(&self, n: u64, now_ns: u64) {
        if n > 0 {
            self.spend::<WHOLE>(now_ns, Ask { reserve: NO_RESERVE, ..Ask::of(n, 0) });
        }
    }

    /// Gives back `n` tokens that were taken; what does not fit below the capacity is lost.
    pub fn refund(&self, n: u64) {
        if n > 0 {
            self.spent.fetch_sub(cost_of(n) as u64, AcqRel);
            self.drought.end();
        }
    }

    /// Changes rate and capacity at `now_ns`. The time until then is settled at the old rate; a smaller capacity clips what
    /// the bucket holds, a larger one adds nothing.
    ///
    /// A take that overlaps with the change is decided by the old rate or by the new one. Takers never wait for a change;
    /// changes wait for each other.
    pub fn set(&self, refill_per_s: f64, capacity: f64, now_ns: u64) {
        self.line.replace(|old| {
            let now_ns = now_ns.max(old.slope.since_ns);
            let start = old.at(now_ns);
            let next = Line::new(now_ns, start, refill_per_s, capacity);
            self.clip(start, old.slope.capacity.min(next.slope.capacity));
            next
        });
        self.spent_in_order();
        self.drought.end();
    }

    /// Tokens that the bucket holds at `now_ns`; negative when it is in debt.
    pub fn tokens(&self, now_ns: u64) -> f64 {
        let (held, _) = self.held(now_ns);
        held as f64 / UNITS_PER_TOKEN as f64
    }

    /// Whether the bucket holds its whole capacity at `now_ns`.
    pub fn is_full(&self, now_ns: u64) -> bool {
        let (held, capacity) = self.held(now_ns);
        held == capacity
    }

    /// Balance and capacity, in units.
    fn held(&self, now_ns: u64) -> (i64, i64) {
        let spent = self.spent.load(Acquire);
        let line = self.line.get();
        (balance(line.at(now_ns), spent).min(line.slope.capacity), line.slope.capacity)
    }

    /// Spends what `ask` gets of the balance; returns it in units, or `None` when nothing was spent.
    #[inline]
    fn spend<const WHOLE: bool>(&self, now_ns: u64, ask: Ask) -> Option<i64> {
        if ask.reserve >= 0 && self.drought.lasts_at(now_ns) {
            return None;
        }
        self.spend_soon::<WHOLE>(now_ns, ask).unwrap_or_else(|Undecided| self.spend_anyhow::<WHOLE>(now_ns, ask))
    }

    /// [`TokenBucket::spend`] where it is enough to know about how much there is.
    #[inline]
    fn spend_soon<const WHOLE: bool>(&self, now_ns: u64, ask: Ask) -> Result<Option<i64>, Undecided> {
        let Reading { version, of: slope } = self.line.glance();
        let refilled = slope.soon(now_ns).ok_or(Undecided)?;
        let spent = self.spent.load(Acquire);
        // There are this many or a few more, or else the counters wrapped.
        let held = refilled.units.wrapping_sub(spent) as i64;
        if held > slope.capacity {
            let full = self.line.rest().rounded_up(refilled).wrapping_sub(slope.capacity as u64);
            return if ask.is_covered_by(slope.capacity) { self.swap(version, spent, full, ask.most) } else { Err(Undecided) };
        }
        if ask.is_covered_by(held) {
            return if held + Slope::SHORT <= slope.capacity { self.swap(version, spent, spent, ask.most) } else { Err(Undecided) };
        }
        if held < -LONGEST_DEBT || ask.granted::<WHOLE>(held + Slope::SHORT).is_some() || !self.line.is_current(version) {
            return Err(Undecided);
        }
        Ok(self.refuse(Reading { version, of: slope }, refilled.units, held, now_ns))
    }

    /// [`TokenBucket::spend`] when that was not enough, others come between, or time is far from the last change of the rate.
    #[cold]
    fn spend_anyhow<const WHOLE: bool>(&self, now_ns: u64, ask: Ask) -> Option<i64> {
        let mut back_off = BackOff::new();
        loop {
            if let Ok(spent) = self.try_spend::<WHOLE>(now_ns, ask) {
                return spent;
            }
            back_off.wait();
        }
    }

    fn try_spend<const WHOLE: bool>(&self, now_ns: u64, ask: Ask) -> Result<Option<i64>, Undecided> {
        let Reading { version, of: line } = self.line.read();
        let refilled = line.at(now_ns);
        let spent = self.spent.load(Acquire);
        let held = balance(refilled, spent);
        let (before, held) = if held <= line.slope.capacity {
            (spent, held)
        } else {
            (refilled.rounded_up().wrapping_sub(line.slope.capacity as u64), line.slope.capacity)
        };
        match ask.granted::<WHOLE>(held) {
            Some(cost) => self.swap(version, spent, before, cost),
            None if self.line.is_current(version) => Ok(self.refuse(Reading { version, of: line.slope }, refilled.units, held, now_ns)),
            None => Err(Undecided),
        }
    }

    /// Nothing is spent, and none of the `held` units is a token's worth: so others need not look, if it will be so for long.
    #[inline]
    fn refuse(&self, at: Reading<Slope>, refilled: u64, held: i64, now_ns: u64) -> Option<i64> {
        if at.of.is_long_for(UNITS_PER_TOKEN - held) {
            self.remember(at, refilled, now_ns);
        }
        None
    }

    /// Remembers until when there will be no token, where about `refilled` units are refilled at `now_ns`.
    #[cold]
    fn remember(&self, Reading { version, of: slope }: Reading<Slope>, refilled: u64, now_ns: u64) {
        self.drought.begin(|| {
            let held = refilled.wrapping_sub(self.spent_in_order()) as i64;
            let missing = UNITS_PER_TOKEN - held.max(-LONGEST_DEBT);
            let is_sure = held >= -LONGEST_DEBT && slope.is_long_for(missing) && self.line.is_current(version);
            is_sure.then(|| now_ns.max(slope.since_ns).saturating_add(slope.at_least_for(missing)))
        });
    }

    /// What was spent, in an order with all that was or will be refunded, and with changes of the line.
    fn spent_in_order(&self) -> u64 {
        self.spent.fetch_add(0, AcqRel)
    }

    /// Charges `cost` on top of `before`, if the line is still of `version` and `seen` has been spent still.
    #[inline]
    fn swap(&self, version: u64, seen: u64, before: u64, cost: i64) -> Result<Option<i64>, Undecided> {
        if !self.line.is_current(version) {
            return Err(Undecided);
        }
        // AcqRel: a taker that sees this spending also sees everything that came before it, the rate included.
        let swapped = self.spent.compare_exchange_weak(seen, before.wrapping_add(cost as u64), AcqRel, Acquire);
        swapped.map(|_| Some(cost)).map_err(|_| Undecided)
    }

    /// Writes off what exceeds `capacity` at `refilled`.
    fn clip(&self, refilled: Mark, capacity: i64) {
        let clipped = |spent| (balance(refilled, spent) > capacity).then(|| refilled.rounded_up().wrapping_sub(capacity as u64));
        // Err means that there was nothing to clip.
        let _ = self.spent.fetch_update(AcqRel, Acquire, clipped);
    }
}

/// A look did not tell enough, or another's spending or a change of the line came between it and what was to be made of it.
#[derive(Debug)]
struct Undecided;

/// Refilled minus spent, in units: negative for a debt, `i64::MAX` where it is above that.
fn balance(refilled: Mark, spent: u64) -> i64 {
    let difference = refilled.units.wrapping_sub(spent) as i64;
    if difference < -LONGEST_DEBT { i64::MAX } else { difference }
}
