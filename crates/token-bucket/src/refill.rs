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
    pub slope: Slope,
    pub rest: Rest,
}

/// What of a [`Line`] tells to within [`Slope::SHORT`] units where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slope {
    /// Moment from which the line holds, in nanoseconds.
    pub since_ns: u64,
    /// Whole units where it starts, modulo 2^64.
    pub start: u64,
    /// Units per nanosecond in parts of 2^44, rounded down.
    pub units_per_ns: u64,
    /// Capacity in units.
    pub capacity: i64,
}

/// What of a [`Line`] tells the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rest {
    /// Parts of a unit where it starts, below [`PARTS_PER_UNIT`].
    pub parts: u64,
    /// Slope, nanotokens per second.
    pub nanotokens_per_s: u64,
}

/// About where a [`Line`] is at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rough {
    /// Units refilled since the bucket was made, modulo 2^64: as many as there are or up to [`Slope::SHORT`] fewer.
    pub units: u64,
    /// Those since the line's start.
    gained: u64,
    elapsed_ns: u64,
}

impl Slope {
    /// Bits of the nanoseconds for which `units_per_ns` is exact to a unit: five hours.
    const SOON_BITS: u32 = 44;
    /// Bits of the nanoseconds that are a long time to a taker: four microseconds.
    const LONG_BITS: u32 = 12;
    /// Whole units that may be missing: one each for the slope, the product and the parts at the start make less than three.
    pub const SHORT: i64 = 2;
    /// More than may be missing, parts of a unit included.
    const UNSEEN: i64 = Self::SHORT + 1;

    /// About where the line is at `now_ns` when that is soon after the start; `None` before it and after hours.
    #[inline]
    pub fn soon(&self, now_ns: u64) -> Option<Rough> {
        // Time before the start wraps to a large number.
        let elapsed_ns = now_ns.wrapping_sub(self.since_ns);
        if elapsed_ns >> Self::SOON_BITS != 0 {
            return None;
        }
        // A product in place of a division: at most one too few for the slope and one for the product, never too many.
        let product = u128::from(self.units_per_ns) * u128::from(elapsed_ns << (u64::BITS - Self::SOON_BITS));
        let gained = (product >> u64::BITS) as u64;
        Some(Rough { units: self.start.wrapping_add(gained), gained, elapsed_ns })
    }

    /// Whether it takes long until `units` are refilled on top of where the line is about.
    #[inline]
    pub fn is_long_for(&self, units: i64) -> bool {
        units - Self::UNSEEN > (self.units_per_ns >> (Self::SOON_BITS - Self::LONG_BITS)) as i64
    }

    /// Nanoseconds for which surely fewer than `units`, which [`Slope::is_long_for`], are.
    pub fn at_least_for(&self, units: i64) -> u64 {
        const MOST: i64 = (1 << (u64::BITS - Slope::SOON_BITS)) - 1;
        let units = (units - Self::UNSEEN).clamp(0, MOST) as u64;
        (units << Self::SOON_BITS) / (self.units_per_ns + 1)
    }
}

impl Rest {
    /// The mark that `rough` is about.
    #[inline]
    pub fn mark(&self, rough: Rough) -> Mark {
        let parts = self.missing(rough);
        Mark { units: rough.units.wrapping_add(parts / PARTS_PER_UNIT), parts: parts % PARTS_PER_UNIT }
    }

    /// [`Mark::rounded_up`] of that mark, sooner: by one division and no remainder.
    #[inline]
    pub fn rounded_up(&self, rough: Rough) -> u64 {
        rough.units.wrapping_add(self.missing(rough).wrapping_add(PARTS_PER_UNIT - 1) / PARTS_PER_UNIT)
    }

    /// What `rough` is short of, in parts of a unit: below three units, so the lower halves of the products tell all.
    #[inline]
    fn missing(&self, rough: Rough) -> u64 {
        let parts = self.nanotokens_per_s.wrapping_mul(rough.elapsed_ns).wrapping_add(self.parts);
        parts.wrapping_sub(rough.gained.wrapping_mul(PARTS_PER_UNIT))
    }
}

impl Line {
    /// A line from `start` at `since_ns`. Numbers that are negative or not finite count as 0.
    pub fn new(since_ns: u64, start: Mark, refill_per_s: f64, capacity: f64) -> Self {
        let nanotokens_per_s = (sane(refill_per_s) * 1e9 + 0.5) as u64;
        // The fastest refill is a million units per nanosecond, which is below 2^20.
        let units_per_ns = ((u128::from(nanotokens_per_s) << Slope::SOON_BITS) / u128::from(PARTS_PER_UNIT)) as u64;
        Self {
            slope: Slope { since_ns, start: start.units, units_per_ns, capacity: units(capacity) },
            rest: Rest { parts: start.parts, nanotokens_per_s },
        }
    }

    /// The mark at `now_ns`; the start for any earlier time.
    pub fn at(&self, now_ns: u64) -> Mark {
        self.slope.soon(now_ns).map_or_else(|| self.ever(now_ns), |rough| self.rest.mark(rough))
    }

    fn ever(&self, now_ns: u64) -> Mark {
        let elapsed = now_ns.saturating_sub(self.slope.since_ns);
        // 2^64 ns at 1e18 nanotokens per second stay below 2^124.
        let parts = u128::from(self.rest.nanotokens_per_s) * u128::from(elapsed) + u128::from(self.rest.parts);
        let whole = (parts / u128::from(PARTS_PER_UNIT)) as u64;
        Mark { units: self.slope.start.wrapping_add(whole), parts: (parts % u128::from(PARTS_PER_UNIT)) as u64 }
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
            let rough = line.slope.soon(now);
            assert_eq!(rough.is_some(), elapsed < 1 << Slope::SOON_BITS);
            let exact = line.ever(now);
            assert_eq!(line.at(now), exact, "{rate}/s after {elapsed} ns from {start:?}");
            if let Some(rough) = rough {
                let short = exact.units.wrapping_sub(rough.units);
                assert!(short <= Slope::SHORT as u64, "{short} too few at {rate}/s after {elapsed} ns from {start:?}");
                assert_eq!(line.rest.rounded_up(rough), exact.rounded_up(), "{rate}/s after {elapsed} ns from {start:?}");
            }
        }
        assert_eq!(Line::new(5, starts[1], 1.0, 1.0).at(4), starts[1], "time that runs backwards");
    }

    #[test]
    fn nothing_is_refilled_too_soon() {
        let starts = [0, 1, PARTS_PER_UNIT - 1].map(|parts| Mark { units: u64::MAX, parts });
        let rates = [0.0, 1e-9, 0.001, 1.0 / 3.0, 12.5, 123_456.789, 1e7, MOST];
        let cases = rates.into_iter().flat_map(|rate| [1, 999, 1_000_000, 1 << 40].map(|units| (rate, units)));
        for (rate, units, start) in cases.flat_map(|(rate, units)| starts.map(|start| (rate, units, start))) {
            let slope = Line::new(5, start, rate, 1.0).slope;
            for now in [5, 6, 1_000_000_007] {
                let about = slope.soon(now).unwrap().units;
                let wait = slope.at_least_for(units);
                let gained = Line::new(5, start, rate, 1.0).at(now.saturating_add(wait)).units.wrapping_sub(about) as i64;
                assert!(gained < units || !slope.is_long_for(units), "{gained} of {units} at {rate}/s in {wait} ns from {start:?}");
                let is_close = gained > 990_000 || !(0.001..1000.0).contains(&rate) || units < 1_000_000;
                assert!(is_close, "but {gained} of {units} at {rate}/s in {wait} ns");
            }
        }
    }

    #[test]
    fn what_is_not_a_positive_number_is_zero() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -0.0] {
            assert_eq!(units(bad), 0, "{bad}");
        }
        assert_eq!(units(1e300), units(MOST));
    }
}
