//! How tokens accrue: fixed-point units and the line they follow between two changes of the rate.

/// Units in one token. A unit is what a balance is counted in; what accrues below a unit is carried, never dropped.
pub(crate) const UNITS_PER_TOKEN: i64 = 1_000_000;

/// Nanotokens per second times nanoseconds, in one unit.
const PARTS_PER_UNIT: u64 = 1_000_000_000_000;

/// Most tokens a bucket may hold, and most tokens per second it may gain.
const MOST: f64 = 1e9;

/// `tokens` in units, rounded to the nearest; 0 for what is negative or not finite, and at most 1e9 tokens.
pub(crate) fn units(tokens: f64) -> i64 {
    (sane(tokens) * UNITS_PER_TOKEN as f64 + 0.5) as i64
}

fn sane(amount: f64) -> f64 {
    if amount.is_finite() && amount > 0.0 { amount.min(MOST) } else { 0.0 }
}

/// Tokens refilled since the bucket was made, as a point on its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Whole units, modulo 2^64.
    pub units: u64,
    /// Parts of the unit that comes next, below [`PARTS_PER_UNIT`].
    pub parts: u64,
}

impl Mark {
    /// The first whole unit at or above this mark.
    #[inline]
    pub fn rounded_up(self) -> u64 {
        self.units.wrapping_add(u64::from(self.parts > 0))
    }
}

/// Refill at one rate from one moment on, under one capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// Moment from which this line holds, in nanoseconds.
    pub since_ns: u64,
    /// Where it starts.
    pub start: Mark,
    /// Slope, nanotokens per second.
    pub nanotokens_per_s: u64,
    /// The same in units per nanosecond and parts of 2^44, rounded down.
    pub units_per_ns: u64,
    /// Capacity in units.
    pub capacity: i64,
}

impl Line {
    /// Bits of the nanoseconds for which `units_per_ns` is exact to a unit: five hours.
    const SOON_BITS: u32 = 44;

    /// A line from `start` at `since_ns`. Numbers that are negative or not finite count as 0.
    pub fn new(since_ns: u64, start: Mark, refill_per_s: f64, capacity: f64) -> Self {
        let nanotokens_per_s = (sane(refill_per_s) * 1e9 + 0.5) as u64;
        let units_per_ns = (u128::from(nanotokens_per_s) << Self::SOON_BITS) / u128::from(PARTS_PER_UNIT);
        // The fastest refill is a million units per nanosecond, which is below 2^20.
        Self { since_ns, start, nanotokens_per_s, units_per_ns: units_per_ns as u64, capacity: units(capacity) }
    }

    /// The mark at `now_ns` when that is soon after the start; `None` before it and after hours.
    #[inline]
    pub fn soon(&self, now_ns: u64) -> Option<Mark> {
        let elapsed = now_ns.checked_sub(self.since_ns).filter(|ns| ns >> Self::SOON_BITS == 0)?;
        // A product in place of a division: at most one too few for the slope and one for the product, never too many. What it is
        // short of is in the rest, of which the lower halves of the numbers tell all.
        let product = u128::from(self.units_per_ns) * u128::from(elapsed << (u64::BITS - Self::SOON_BITS));
        let most = (product >> u64::BITS) as u64;
        let parts = self.nanotokens_per_s.wrapping_mul(elapsed).wrapping_add(self.start.parts);
        let rest = parts.wrapping_sub(most.wrapping_mul(PARTS_PER_UNIT));
        Some(Mark { units: self.start.units.wrapping_add(most).wrapping_add(rest / PARTS_PER_UNIT), parts: rest % PARTS_PER_UNIT })
    }

    /// The mark at `now_ns`; the start for any earlier time.
    pub fn at(&self, now_ns: u64) -> Mark {
        self.soon(now_ns).unwrap_or_else(|| self.ever(now_ns))
    }

    fn ever(&self, now_ns: u64) -> Mark {
        let elapsed = now_ns.saturating_sub(self.since_ns);
        // 2^64 ns at 1e18 nanotokens per second stay below 2^124.
        let parts = u128::from(self.nanotokens_per_s) * u128::from(elapsed) + u128::from(self.start.parts);
        let whole = (parts / u128::from(PARTS_PER_UNIT)) as u64;
        Mark { units: self.start.units.wrapping_add(whole), parts: (parts % u128::from(PARTS_PER_UNIT)) as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_refill_over_a_long_time_is_exact() {
        let start = Mark { units: 0, parts: 0 };
        let million_s = 1_000_000 * 1_000_000_000;
        for (rate, tokens) in [(0.01, 10_000), (0.001, 1_000), (0.3, 300_000), (1e7, 10_000_000_000_000)] {
            let mark = Line::new(0, start, rate, 1.0).at(million_s);
            assert_eq!(mark, Mark { units: tokens * 1_000_000, parts: 0 }, "{rate}/s");
        }
    }

    #[test]
    fn the_product_gives_what_the_division_gives() {
        let starts = [0, 1, PARTS_PER_UNIT / 2, PARTS_PER_UNIT - 1].map(|parts| Mark { units: 7, parts });
        let rates = [0.0, 1e-9, 0.001, 1.0 / 3.0, 1.0, 12.5, 999.999_999_999, 1e3, 123_456.789, 1e7, MOST];
        let soon = |k: u32| [(1u64 << k) - 1, 1 << k, (1 << k) + 1];
        let elapsed = (0..64).flat_map(soon).chain((0..1000).map(|i| i * 17_321_777_333)).chain([1_000_000_000, 125_000_000 * 3]);
        for (elapsed, rate, start) in elapsed.flat_map(|e| rates.iter().flat_map(move |r| starts.map(|s| (e, *r, s)))) {
            let line = Line::new(5, start, rate, 1.0);
            let Some(now) = elapsed.checked_add(5) else { continue };
            assert_eq!(line.soon(now).is_some(), elapsed < 1 << Line::SOON_BITS);
            assert_eq!(line.at(now), line.ever(now), "{rate}/s after {elapsed} ns from {start:?}");
        }
        assert_eq!(Line::new(5, starts[1], 1.0, 1.0).at(4), starts[1], "time that runs backwards");
    }

    #[test]
    fn what_is_not_a_positive_number_is_zero() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -0.0] {
            assert_eq!(units(bad), 0, "{bad}");
        }
        assert_eq!(units(1e300), units(MOST));
    }
}
