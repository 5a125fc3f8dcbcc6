//! From a mean and a variance to the demand that is not exceeded with a given probability.
//!
//! A count whose rate is itself uncertain is a Poisson-gamma mixture; its continuous part, the gamma distribution, has a
//! quantile that depends on shape and mean only, so one table serves every series.

use statrs::function::gamma::checked_gamma_lr;

const SHAPES: usize = 81;
const SHAPE_MIN_LN: f64 = -5.0;
const SHAPE_STEP_LN: f64 = 0.2;
const LEVELS: usize = 49;
const LOGIT_MAX: f64 = 4.0;
const LOGIT_STEP: f64 = 0.375;

/// Quantiles of gamma distributions of mean 1, by shape and by the logit of the probability of exceeding.
pub struct GammaTable {
    ratio: Vec<[f32; LEVELS]>,
}

impl Default for GammaTable {
    fn default() -> Self {
        let shape = |i: usize| (SHAPE_MIN_LN + i as f64 * SHAPE_STEP_LN).exp();
        Self { ratio: (0..SHAPES).map(|i| row(shape(i))).collect() }
    }
}

impl GammaTable {
    /// The demand exceeded with the probability whose logit is `logit`, for a demand of this mean and variance.
    pub fn quantile(&self, mean: f64, variance: f64, logit: f64) -> f64 {
        self.quantile_of(Demand::new(mean, variance), logit)
    }

    /// The same for a demand whose place in the table is known.
    pub fn quantile_of(&self, demand: Demand, logit: f64) -> f64 {
        if demand.mean <= 0.0 {
            return 0.0;
        }
        let (l, l_part) = place((LOGIT_MAX - logit) / LOGIT_STEP, LEVELS);
        let at = |i: usize| {
            let row = &self.ratio[i];
            f64::from(row[l]) * (1.0 - l_part) + f64::from(row[l + 1]) * l_part
        };
        demand.mean * (at(demand.shape) * (1.0 - demand.part) + at(demand.shape + 1) * demand.part)
    }
}

/// A demand and its place among the shapes of a [`GammaTable`]: finding it takes a logarithm, so who asks for several quantiles of
/// the same demand keeps it.
#[derive(Debug, Clone, Copy)]
pub struct Demand {
    mean: f64,
    shape: usize,
    part: f64,
}

impl Demand {
    /// A demand of this mean and variance.
    pub fn new(mean: f64, variance: f64) -> Self {
        let shape = (mean * mean / variance.max(1e-12)).ln();
        let (shape, part) = place((shape - SHAPE_MIN_LN) / SHAPE_STEP_LN, SHAPES);
        Self { mean, shape, part }
    }
}

/// Lowest and highest logit that the table tells apart.
pub const LOGITS: (f64, f64) = (LOGIT_MAX - (LEVELS - 1) as f64 * LOGIT_STEP, LOGIT_MAX);

/// The logit of a probability.
pub fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

/// The probability of a logit.
pub fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// Cell and part of it for a position on an axis of `n` points.
fn place(position: f64, n: usize) -> (usize, f64) {
    let p = position.clamp(0.0, (n - 1) as f64);
    let cell = (p as usize).min(n - 2);
    (cell, p - cell as f64)
}

fn row(shape: f64) -> [f32; LEVELS] {
    std::array::from_fn(|l| {
        let exceed = probability(LOGIT_MAX - l as f64 * LOGIT_STEP);
        (inverse(shape, 1.0 - exceed) / shape) as f32
    })
}

/// The x at which the regularised lower incomplete gamma function of `shape` is `p`, by bisection on ln x.
fn inverse(shape: f64, p: f64) -> f64 {
    let (mut low, mut high) = (-700.0f64, (shape + 60.0 + 12.0 * shape.sqrt()).ln());
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        // Both arguments are positive and finite; were they not, the table would hold the upper end.
        match checked_gamma_lr(shape, middle.exp().max(f64::MIN_POSITIVE)) {
            Ok(below) if below >= p => high = middle,
            _ => low = middle,
        }
    }
    high.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_is_a_gamma_of_shape_one() {
        let table = GammaTable::default();
        for p in [0.5, 0.1, 0.01, 0.001f64] {
            let expected = -p.ln() * 7.0;
            let got = table.quantile(7.0, 49.0, logit(p));
            assert!((got / expected - 1.0).abs() < 0.02, "{p}: {got} {expected}");
        }
    }

    #[test]
    fn rarer_is_never_less_and_wider_tails_reach_further() {
        let table = GammaTable::default();
        let mut last = -1.0;
        for i in 0..200 {
            let q = table.quantile(5.0, 20.0, 4.0 - i as f64 * 0.1);
            assert!(q >= last);
            last = q;
        }
        assert!(table.quantile(5.0, 100.0, -7.0) > table.quantile(5.0, 10.0, -7.0));
        assert_eq!(table.quantile(0.0, 1.0, -7.0), 0.0);
    }
}
