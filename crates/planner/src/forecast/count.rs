//! Quantiles of a count, as a continuous quantity.
//!
//! A count has no quantile at most probabilities: of a series with a request in one window of twenty, zero is exceeded with
//! probability 0.05 and less than zero never is, so no number covers 90 %. The count plus a uniform random number between 0 and 1
//! has one at each (Machado & Santos Silva 2005, "Quantiles for counts"), and from it the count's own follows: the smallest
//! whole number that is reached with at least that probability.

use super::quantile::{GammaTable, LOGITS, probability};

/// Mean from which a count is taken to be continuous.
const CONTINUOUS_FROM: f64 = 30.0;
/// Terms of the distribution that are summed up; a tail that reaches beyond falls off as the terms of a negative binomial do in
/// the end, by a constant factor.
const TERMS: usize = 200;
/// Overdispersion up to which a count is taken to be Poisson.
const POISSON_TO: f64 = 1.001;

/// A count: negative binomial, Poisson, or, where it varies less than that, in part as steady as it can be.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    mean: f64,
    overdispersion: f64,
}

impl Count {
    /// A count of this mean whose variance is `overdispersion * mean`.
    pub fn new(mean: f64, overdispersion: f64) -> Self {
        Self { mean: mean.max(0.0), overdispersion }
    }

    /// For each of `logits`, ascending, of a probability of not being exceeded: the quantile of the count plus a uniform number.
    ///
    /// Beyond the probabilities that the table tells apart it goes on rising (and falling to 0), so that some logit covers
    /// whatever may come.
    pub fn jittered<const N: usize>(&self, gamma: &GammaTable, logits: [f64; N]) -> [f64; N] {
        let (low, high) = (-LOGITS.1, -LOGITS.0);
        let within = logits.map(|l| l.clamp(low, high));
        let mut quantiles = if self.mean < CONTINUOUS_FROM { self.summed(within) } else { within.map(|l| self.smooth(gamma, l)) };
        for (quantile, logit) in quantiles.iter_mut().zip(logits) {
            *quantile *= if logit > high { 1.0 + logit - high } else { (logit - low).min(0.0).exp() };
        }
        quantiles
    }

    fn smooth(&self, gamma: &GammaTable, logit: f64) -> f64 {
        0.5 + gamma.quantile(self.mean, self.overdispersion * self.mean, -logit)
    }

    /// Adds up the terms of the distribution until each probability is reached.
    fn summed<const N: usize>(&self, logits: [f64; N]) -> [f64; N] {
        let spread = self.overdispersion;
        // Each term from the one before: the Panjer class (a, b, 0).
        let (mut next, a, b) = if spread <= POISSON_TO {
            ((-self.mean).exp(), 0.0, self.mean)
        } else {
            let size = self.mean / (spread - 1.0);
            let a = 1.0 - 1.0 / spread;
            (spread.powf(-size), a, (size - 1.0) * a)
        };
        let steady = Steady::new(self.mean, spread);
        let mut term = steady.at(0, next);
        let (mut below, mut k) = (0.0, 0);
        let mut quantiles = [0.0; N];
        for (quantile, logit) in quantiles.iter_mut().zip(logits) {
            let wanted = probability(logit);
            while below + term < wanted && k < TERMS {
                below += term;
                k += 1;
                next *= a + b / k as f64;
                term = steady.at(k, next);
            }
            let reached = k as f64 + ((wanted - below) / term.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
            *quantile = if k < TERMS { reached } else { k as f64 + ((1.0 - below) / (1.0 - wanted)).ln().max(0.0) / -a.ln() };
        }
        quantiles
    }
}

/// The part of a count that comes as evenly as a count of its mean can: the whole number below the mean or the one above it. What varies
/// less than a Poisson count, a poller or a health check, is both of them, in the parts that give its variance.
struct Steady {
    part: f64,
    below: usize,
    above: f64,
}

impl Steady {
    fn new(mean: f64, overdispersion: f64) -> Self {
        let above = mean.fract();
        let least = above * (1.0 - above);
        let part = if mean > 0.0 { ((1.0 - overdispersion) * mean / (mean - least)).clamp(0.0, 1.0) } else { 0.0 };
        Self { part, below: mean as usize, above }
    }

    /// The probability of `k`, whose Poisson probability is `poisson`.
    fn at(&self, k: usize, poisson: f64) -> f64 {
        let even = if k == self.below {
            1.0 - self.above
        } else if k == self.below + 1 {
            self.above
        } else {
            0.0
        };
        poisson + self.part * (even - poisson)
    }
}

/// The count that is reached or not exceeded, of the quantile of the count plus a uniform number.
pub fn whole(jittered: f64) -> f64 {
    (jittered.ceil() - 1.0).max(0.0)
}

/// Probability that a demand of `actual` requests plus a uniform number does not exceed `jittered`: 0, 1 or between.
pub fn covered(jittered: f64, actual: f64) -> f64 {
    (jittered - actual).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::quantile::logit;

    fn counts(mean: f64, overdispersion: f64, p: [f64; 3]) -> [f64; 3] {
        Count::new(mean, overdispersion).jittered(&GammaTable::default(), p.map(logit)).map(whole)
    }

    #[test]
    fn a_poisson_count_has_the_quantiles_of_the_books() {
        assert_eq!(counts(0.05, 1.0, [0.5, 0.9, 0.99]), [0.0, 0.0, 1.0]);
        assert_eq!(counts(2.0, 1.0, [0.5, 0.9, 0.99]), [2.0, 4.0, 6.0]);
        assert_eq!(counts(10.0, 1.0, [0.5, 0.9, 0.99]), [10.0, 14.0, 18.0]);
        assert_eq!(counts(1.0, 2.0, [0.6, 0.9, 0.99]), [1.0, 3.0, 6.0], "geometric: above k with probability 2^-(k+1)");
    }

    #[test]
    fn a_count_that_is_steadier_than_poisson_varies_no_more_than_it_shows() {
        assert_eq!(counts(1.0, 0.1, [0.5, 0.9, 0.99]), [1.0, 1.0, 2.0], "a poller: Poisson would say 4");
        assert_eq!(counts(5.9, 0.1, [0.05, 0.5, 0.9]), [5.0, 6.0, 6.0]);
        for (mean, overdispersion) in [(1.0, 0.1), (0.5, 0.6), (9.4, 0.3), (20.0, 0.99)] {
            let steady = Steady::new(mean, overdispersion);
            let mut poisson = (-mean).exp();
            let mut sums = [0.0; 3];
            for k in 0..200 {
                let p = steady.at(k, poisson);
                (0..3).for_each(|power| sums[power as usize] += p * (k as f64).powi(power));
                poisson *= mean / (k + 1) as f64;
            }
            let variance = sums[2] - sums[1] * sums[1];
            assert!((sums[0] - 1.0).abs() < 1e-9 && (sums[1] - mean).abs() < 1e-9, "{mean} {overdispersion}: {sums:?}");
            assert!((variance - overdispersion * mean).abs() < 1e-9, "{mean} {overdispersion}: {variance}");
        }
    }

    #[test]
    fn a_quantile_of_a_rare_count_covers_what_it_says() {
        let (mean, p) = (0.05f64, 0.9);
        let [q] = Count::new(mean, 1.0).jittered(&GammaTable::default(), [logit(p)]);
        let at = |k: i32| mean.powi(k) * (-mean).exp();
        let got = at(0) * covered(q, 0.0) + at(1) * covered(q, 1.0);
        assert!((got - p).abs() < 1e-6, "{got}");
    }

    #[test]
    fn quantiles_rise_with_their_probability_without_end() {
        let gamma = GammaTable::default();
        for (mean, overdispersion) in [(0.0, 1.0), (1.0, 0.1), (0.01, 90.0), (3.0, 1.0), (29.0, 500.0), (31.0, 1.0), (1e6, 30.0)] {
            let mut last = -1.0;
            for logit in -12..40 {
                let [q] = Count::new(mean, overdispersion).jittered(&gamma, [f64::from(logit) * 0.5]);
                assert!(q > last && q.is_finite(), "{mean} {overdispersion} {logit}: {q} after {last}");
                last = q;
            }
        }
    }
}
