//! One token bucket.

use core::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire},
};

use crate::{
    line_cell::LineCell,
    refill::{Line, Mark, UNITS_PER_TOKEN, units},
};

/// How far `spent` may run ahead of the refill before the difference is read as a rest so long that the counters wrapped.
const LONGEST_DEBT: u64 = 1 << 62;

/// A token bucket: refills at a rate, holds at most its capacity, gives tokens to whoever takes first.
///
/// All methods take `&self` and never block a taker. Amounts are fixed point, one millionth of a token; refill below
/// that is carried along, so that no rate loses tokens to rounding. Rates are rounded to the nanotoken per second. Rates,
/// capacities and amounts that are NaN, infinite or negative count as 0, and none is above 1e9.
///
/// Counters wrap: a bucket that was left alone for more than 1e13 tokens of refill (two weeks at 1e7 per second, four years at
/// 1e5) can hold less than its capacity afterwards, never more.
#[derive(Debug)]
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
    pub fn take(&self, n: u64, now_ns: u64) -> bool {
        self.take_above(n, 0.0, now_ns)
    }

    /// Takes `n` tokens if at least `reserve` are left, or none.
    pub fn take_above(&self, n: u64, reserve: f64, now_ns: u64) -> bool {
        let (cost, reserve) = (cost_of(n), units(reserve));
        n == 0 || self.spend(now_ns, |held| (cost <= held.saturating_sub(reserve)).then_some(cost)).is_some()
    }

    /// Takes as many of `n` tokens as there are and returns their number.
    pub fn take_up_to(&self, n: u64, now_ns: u64) -> u64 {
        self.take_up_to_above_units(n, 0, now_ns)
    }

    /// Takes as many of `n` tokens as leave at least `reserve`, and returns their number.
    pub fn take_up_to_above(&self, n: u64, reserve: f64, now_ns: u64) -> u64 {
        self.take_up_to_above_units(n, units(reserve), now_ns)
    }

    pub(crate) fn take_up_to_above_units(&self, n: u64, reserve: i64, now_ns: u64) -> u64 {
        let cost = self.spend(now_ns, |held| {
            let whole = held.saturating_sub(reserve).max(0) / UNITS_PER_TOKEN;
            Some(whole.min(i64::try_from(n).unwrap_or(i64::MAX)) * UNITS_PER_TOKEN)
        });
        cost.map_or(0, |units| (units / UNITS_PER_TOKEN) as u64)
    }

    /// Takes `n` tokens whether they are there or not; refill pays off the debt before anything else can be taken.
    pub fn charge(&self, n: u64, now_ns: u64) {
        self.spend(now_ns, |_| Some(cost_of(n)));
    }

    /// Gives back `n` tokens that were taken; what does not fit below the capacity is lost.
    pub fn refund(&self, n: u64) {
        self.spent.fetch_sub(cost_of(n) as u64, AcqRel);
    }

    /// Changes rate and capacity at `now_ns`. The time until then is settled at the old rate; a smaller capacity clips what
    /// the bucket holds, a larger one adds nothing.
    ///
    /// A take that overlaps with the change is decided by the old rate or by the new one.
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

    /// Spends what `cost` asks for, seeing the balance in units; returns it, or `None` when nothing was spent.
    fn spend(&self, now_ns: u64, cost: impl Fn(i64) -> Option<i64>) -> Option<i64> {
        let mut spent = self.spent.load(Acquire);
        loop {
            let line = self.line.get();
            let refilled = line.at(now_ns);
            let held = balance(refilled, spent);
            let cost = cost(held.min(line.capacity)).filter(|&units| units != 0)?;
            let next = match held > line.capacity {
                true => refilled.rounded_up().wrapping_sub(line.capacity as u64).wrapping_add(cost as u64),
                false => spent.wrapping_add(cost as u64),
            };
            // AcqRel: a taker that sees this spending also sees everything that came before it, the rate included.
            match self.spent.compare_exchange_weak(spent, next, AcqRel, Acquire) {
                Ok(_) => return Some(cost),
                Err(seen) => spent = seen,
            }
        }
    }

    /// Writes off what exceeds `capacity` at `refilled`.
    fn clip(&self, refilled: Mark, capacity: i64) {
        let clipped = |spent| (balance(refilled, spent) > capacity).then(|| refilled.rounded_up().wrapping_sub(capacity as u64));
        // Err means that there was nothing to clip.
        let _ = self.spent.fetch_update(AcqRel, Acquire, clipped);
    }
}

/// Refilled minus spent, in units: negative for a debt, `i64::MAX` where it is above that.
fn balance(refilled: Mark, spent: u64) -> i64 {
    let difference = refilled.units.wrapping_sub(spent);
    if difference > u64::MAX - LONGEST_DEBT {
        return difference as i64;
    }
    i64::try_from(difference).unwrap_or(i64::MAX)
}

/// `n` tokens in units; more than any bucket can hold where `n` is beyond that.
fn cost_of(n: u64) -> i64 {
    const BEYOND: i64 = 1 << 60;
    i64::try_from(n).map_or(BEYOND, |n| n.saturating_mul(UNITS_PER_TOKEN).min(BEYOND))
}
