//! The origin: the capacity that all contenders share out, and the bucket that tells when it is exceeded.

/// What an origin can serve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Origin {
    /// Requests per second that it can serve for ever.
    pub sustained_per_s: f64,
    /// Requests that it can serve at once on top, once rested.
    pub burst: f64,
}

/// A token bucket of the origin's capacity, fed with what reaches the origin; below zero it is overloaded.
#[derive(Debug, Clone)]
pub struct OriginMeter {
    origin: Origin,
    tokens: f64,
    second: u32,
    overloaded: u64,
}

impl OriginMeter {
    /// A rested origin at `second`.
    pub fn new(origin: Origin, second: u32) -> Self {
        Self { origin, tokens: origin.burst, second, overloaded: 0 }
    }

    /// Lets `admitted` requests reach the origin at `second`, which never goes back.
    pub fn admit(&mut self, admitted: u64, second: u32) {
        self.advance(second);
        self.tokens -= admitted as f64;
    }

    /// Seconds up to `second` in which more had been admitted than sustained capacity and burst allow.
    pub fn overloaded_seconds(&mut self, second: u32) -> u64 {
        self.advance(second);
        self.overloaded
    }

    fn advance(&mut self, second: u32) {
        // Sums of leased rates are exact to about one part in 1e12 of the tokens.
        let tolerance = 1e-6 * (1.0 + self.origin.burst);
        while self.second < second {
            self.overloaded += u64::from(self.tokens < -tolerance);
            self.tokens = (self.tokens + self.origin.sustained_per_s).min(self.origin.burst);
            self.second += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin = Origin { sustained_per_s: 2.0, burst: 10.0 };

    #[test]
    fn burst_and_sustained_together_overload_nothing() {
        let mut meter = OriginMeter::new(ORIGIN, 100);
        meter.admit(10, 100);
        for second in 101..200 {
            meter.admit(2, second);
        }
        assert_eq!(meter.overloaded_seconds(300), 0);
    }

    #[test]
    fn an_excess_counts_until_it_is_worked_off() {
        let mut meter = OriginMeter::new(ORIGIN, 0);
        meter.admit(15, 0);
        // -5, -3, -1, then 1.
        assert_eq!(meter.overloaded_seconds(50), 3);
    }

    #[test]
    fn an_idle_origin_saves_no_more_than_its_burst() {
        let mut meter = OriginMeter::new(ORIGIN, 0);
        meter.admit(11, 1000);
        assert_eq!(meter.overloaded_seconds(2000), 1);
    }
}
