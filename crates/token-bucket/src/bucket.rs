//! One token bucket.

use crate::{
    atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire},
        spin_loop,
    },
    line_cell::{LineCell, Reading},
    refill::{Line, Mark, UNITS_PER_TOKEN, units},
};

/// How far `spent` may run ahead of the refill before the difference is read as a rest so long that the counters wrapped.
const LONGEST_DEBT: u64 = 1 << 62;

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
// In this order what every take reads, at the end, is more than a cache line away from what it writes: a read from the line that an
// atomic operation has just written waits for it.
#[derive(Debug)]
#[repr(C)]
pub struct TokenBucket {
    /// Units taken or lost to overflow since the bucket was made, modulo 2^64; the balance is refilled minus spent.
    spent: AtomicU64,
    line: LineCell,
}

impl TokenBucket {
    /// A bucket that holds `tokens`, or its `capacity` if that is less, at `now_ns`.
    pub fn new(refill_per_s: f64, capacity: f64, tokens: f64, now_ns: u64) -> Self {
        let full = units(capacity);
        let start = Mark { units: units(tokens).min(full) as u64, parts: 0 };
        Self { spent: AtomicU64::new(0), line: LineCell::new(Line::new(now_ns, start, refill_per_s, capacity)) }
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
        self.spent.fetch_sub(cost_of(n) as u64, AcqRel);
    }

    /// Changes rate and capacity at `now_ns`. The time until then is settled at the old rate; a smaller capacity clips what
    /// the bucket holds, a larger one adds nothing.
    ///
    /// A take that overlaps with the change is decided by the old rate or by the new one. Takers never wait for a change;
    /// changes wait for each other.
    pub fn set(&self, refill_per_s: f64, capacity: f64, now_ns: u64) {
        self.line.replace(|old| {
            let now_ns = now_ns.max(old.since_ns);
            let next = Line::new(now_ns, old.at(now_ns), refill_per_s, capacity);
            self.clip(next.start, old.capacity.min(next.capacity));
            next
        });
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
        (balance(line.at(now_ns), spent).min(line.capacity), line.capacity)
    }

    /// Spends what `ask` gets of the balance; returns it in units, or `None` when nothing was spent.
    #[inline]
    fn spend<const WHOLE: bool>(&self, now_ns: u64, ask: Ask) -> Option<i64> {
        let reading = self.line.glance();
        match reading.line.soon(now_ns).map(|refilled| self.try_spend::<WHOLE>(&reading, refilled, ask)) {
            Some(Ok(spent)) => spent,
            _ => self.spend_anyhow::<WHOLE>(now_ns, ask),
        }
    }

    /// [`TokenBucket::spend`] when others come between, or time is far from the last change of the rate.
    #[cold]
    fn spend_anyhow<const WHOLE: bool>(&self, now_ns: u64, ask: Ask) -> Option<i64> {
        loop {
            let reading = self.line.read();
            if let Ok(spent) = self.try_spend::<WHOLE>(&reading, reading.line.at(now_ns), ask) {
                return spent;
            }
            spin_loop();
        }
    }

    #[inline]
    fn try_spend<const WHOLE: bool>(&self, reading: &Reading, refilled: Mark, ask: Ask) -> Result<Option<i64>, Overtaken> {
        let spent = self.spent.load(Acquire);
        if !self.line.is_current(reading) {
            return Err(Overtaken);
        }
        let difference = refilled.units.wrapping_sub(spent);
        if difference <= reading.line.capacity as u64 || is_debt(difference) {
            return ask.granted::<WHOLE>(difference as i64).map_or(Ok(None), |cost| self.swap(spent, spent, cost));
        }
        let full = refilled.rounded_up().wrapping_sub(reading.line.capacity as u64);
        ask.granted::<WHOLE>(reading.line.capacity).map_or(Ok(None), |cost| self.swap(spent, full, cost))
    }

    /// Charges `cost` on top of `before`, if `seen` has been spent still.
    #[inline]
    fn swap(&self, seen: u64, before: u64, cost: i64) -> Result<Option<i64>, Overtaken> {
        // AcqRel: a taker that sees this spending also sees everything that came before it, the rate included.
        let swapped = self.spent.compare_exchange_weak(seen, before.wrapping_add(cost as u64), AcqRel, Acquire);
        swapped.map(|_| Some(cost)).map_err(|_| Overtaken)
    }

    /// Writes off what exceeds `capacity` at `refilled`.
    fn clip(&self, refilled: Mark, capacity: i64) {
        let clipped = |spent| (balance(refilled, spent) > capacity).then(|| refilled.rounded_up().wrapping_sub(capacity as u64));
        // Err means that there was nothing to clip.
        let _ = self.spent.fetch_update(AcqRel, Acquire, clipped);
    }
}

/// Another's spending or a change of the line came between a look and what was to be made of it.
#[derive(Debug)]
struct Overtaken;

/// A take of all or nothing, and one of as many whole tokens as there are.
const WHOLE: bool = true;
const PART: bool = false;

/// The reserve of a take that leaves nothing: room for the largest ask below the deepest debt, and for their sum in 64 bits.
const NO_RESERVE: i64 = -(3 << 61);

/// What a taker wants, in units.
#[derive(Debug, Clone, Copy)]
struct Ask {
    most: i64,
    /// What has to be left.
    reserve: i64,
}

impl Ask {
    #[inline]
    fn of(n: u64, reserve: i64) -> Self {
        Self { most: cost_of(n), reserve }
    }

    /// Less than this is not taken.
    #[inline]
    fn least<const WHOLE: bool>(self) -> i64 {
        if WHOLE { self.most } else { UNITS_PER_TOKEN }
    }

    /// What it gets of a balance of `held`.
    #[inline]
    fn granted<const WHOLE: bool>(self, held: i64) -> Option<i64> {
        let free = held - self.reserve;
        if free >= self.most {
            return Some(self.most);
        }
        (free >= self.least::<WHOLE>()).then(|| free / UNITS_PER_TOKEN * UNITS_PER_TOKEN)
    }
}

/// Refilled minus spent, in units: negative for a debt, `i64::MAX` where it is above that.
fn balance(refilled: Mark, spent: u64) -> i64 {
    let difference = refilled.units.wrapping_sub(spent);
    if is_debt(difference) {
        return difference as i64;
    }
    i64::try_from(difference).unwrap_or(i64::MAX)
}

/// Whether refilled minus spent, modulo 2^64, is below zero.
#[inline]
fn is_debt(difference: u64) -> bool {
    difference > u64::MAX - LONGEST_DEBT
}

/// `n` tokens in units; more than any bucket can hold where `n` is beyond that.
#[inline]
fn cost_of(n: u64) -> i64 {
    const BEYOND: i64 = 1 << 60;
    i64::try_from(n).map_or(BEYOND, |n| n.saturating_mul(UNITS_PER_TOKEN).min(BEYOND))
}
