//! Random inputs: plausible ones most of the time, odd ones now and then.

/// Milliseconds in a nanosecond count.
pub const MS: u64 = 1_000_000;

/// A generator of its own, so that a seed means the same whatever crates come and go.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64, case: u64) -> Self {
        let mut dice = Self(seed ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        // Neighbouring seeds differ in few bits; a few rounds spread them.
        for _ in 0..4 {
            dice.next();
        }
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ (self.0 >> 29)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 20) % n
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// From 0 to `most`, with all the bits of a double.
    pub fn real(&mut self, most: f64) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64 * most
    }

    /// An amount of tokens: of any magnitude, sometimes nothing, sometimes beyond all bounds.
    pub fn amount(&mut self, most: f64) -> f64 {
        match self.below(24) {
            0 => 0.0,
            1 => -self.real(most),
            2 => self.below(most as u64 + 1) as f64,
            3 => self.real(1e-6),
            4 => 4e9,
            5 => self.real(2e6),
            _ => self.real(most),
        }
    }

    /// A refill: as [`Dice::amount`], but small enough that no case accrues a thousand million tokens. Beyond that doubles give out,
    /// and an implementation on them starts its line anew where this one still knows how far a clock was set back.
    pub fn refill(&mut self, most: f64) -> f64 {
        self.amount(most).min(500.0)
    }

    /// The next time after `at_ms`: often the same, sometimes earlier, sometimes days later.
    pub fn later(&mut self, at_ms: u64) -> u64 {
        match self.below(16) {
            0..4 => at_ms,
            4 => at_ms.saturating_sub(self.below(5_000)),
            5 => at_ms + self.below(300_000_000),
            6..9 => at_ms + self.below(100_000),
            _ => at_ms + self.below(2_000),
        }
    }
}
