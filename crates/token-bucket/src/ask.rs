//! What a taker wants of a balance, and what it gets.

use crate::refill::UNITS_PER_TOKEN;

/// A take of all or nothing, and one of as many whole tokens as there are.
pub(crate) const WHOLE: bool = true;
pub(crate) const PART: bool = false;

/// The reserve of a take that leaves nothing: room for the largest ask below the deepest debt, and for their sum in 64 bits.
pub(crate) const NO_RESERVE: i64 = -(3 << 61);

/// What a taker wants, in units.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    pub most: i64,
    /// What has to be left.
    pub reserve: i64,
}

impl Ask {
    #[inline]
    pub fn of(n: u64, reserve: i64) -> Self {
        Self { most: cost_of(n), reserve }
    }

    /// Whether it gets all of a balance of `held`.
    #[inline]
    pub fn is_covered_by(self, held: i64) -> bool {
        held >= self.reserve + self.most
    }

    /// Less than this is not taken.
    #[inline]
    fn least<const WHOLE: bool>(self) -> i64 {
        if WHOLE { self.most } else { UNITS_PER_TOKEN }
    }

    /// What it gets of a balance of `held`.
    #[inline]
    pub fn granted<const WHOLE: bool>(self, held: i64) -> Option<i64> {
        if self.is_covered_by(held) {
            return Some(self.most);
        }
        let free = held - self.reserve;
        (free >= self.least::<WHOLE>()).then(|| free / UNITS_PER_TOKEN * UNITS_PER_TOKEN)
    }
}

/// `n` tokens in units; more than any bucket can hold where `n` is beyond that.
#[inline]
pub(crate) fn cost_of(n: u64) -> i64 {
    const BEYOND: i64 = 1 << 60;
    i64::try_from(n).map_or(BEYOND, |n| n.saturating_mul(UNITS_PER_TOKEN).min(BEYOND))
}
