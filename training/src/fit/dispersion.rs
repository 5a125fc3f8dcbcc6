//! How much wider than Poisson the counts spread around their forecast.

/// Largest dispersion an artefact carries: beyond it the quantiles say nothing any more.
const MAX: f64 = 50.0;

/// Sums for the moment estimate of a negative binomial's dispersion `a`, where variance = mean + a x mean².
///
/// Each row is weighted by how precisely it tells `a`, given an earlier guess of `a`: otherwise the busiest series alone
/// would decide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dispersion {
    guess: f64,
    excess: f64,
    square: f64,
}

impl Dispersion {
    /// The empty sum, to be filled given an earlier `guess`.
    pub fn new(guess: f64) -> Self {
        Self { guess, excess: 0.0, square: 0.0 }
    }

    /// Adds a row: forecast `mu`, count `y`, weight `w`.
    pub fn add(&mut self, mu: f64, y: f64, w: f64) {
        let w = w / (1.0 + self.guess * mu).powi(2);
        self.excess += w * ((y - mu).powi(2) - mu);
        self.square += w * mu * mu;
    }

    /// The estimate: 0 for counts that are no wider than Poisson.
    pub fn estimate(&self) -> f64 {
        if self.square > 0.0 { (self.excess / self.square).clamp(0.0, MAX) } else { 0.0 }
    }

    /// Estimates from rows of (forecast, count, weight) that can be read again, refining the guess.
    pub fn of<I: Iterator<Item = (f64, f64, f64)>>(rows: impl Fn() -> I) -> f64 {
        let mut guess = 0.5;
        for _ in 0..4 {
            let mut sums = Self::new(guess);
            rows().for_each(|(mu, y, w)| sums.add(mu, y, w));
            guess = sums.estimate();
        }
        guess
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_of_two_levels_is_found() {
        // Counts of mean 10 that are 5 or 15: variance 25 = 10 + a x 100, so a = 0.15.
        let rows = [(10.0, 5.0, 1.0), (10.0, 15.0, 1.0)];
        assert!((Dispersion::of(|| rows.into_iter()) - 0.15).abs() < 1e-12);
    }

    #[test]
    fn counts_narrower_than_poisson_give_zero() {
        assert_eq!(Dispersion::of(|| [(10.0, 10.0, 1.0)].into_iter()), 0.0);
        assert_eq!(Dispersion::of(std::iter::empty), 0.0);
    }
}
