//! Distributions of a count given its linear predictor: what one row says of where the predictor should be.

use super::{censored::expected_at_least, irls::MU_FLOOR};

/// Linear predictors are kept within this of zero: e^30 requests a window is beyond any edge.
pub const ETA_MAX: f64 = 30.0;
/// Least curvature of a row, so that a step never divides by zero.
const CURVATURE_MIN: f64 = 1e-9;

/// What a row says at a linear predictor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Local {
    /// Negative log likelihood, or what stands for it, up to a constant of the row.
    pub loss: f64,
    /// Its expected second derivative by the predictor, above 0.
    pub curvature: f64,
    /// How far the row alone would move the predictor: minus the first derivative over the curvature.
    pub step: f64,
}

/// A distribution of the exponential dispersion kind with a link between its mean and a linear predictor (Nelder & Wedderburn
/// 1972). The loss is convex in the predictor, so that iteratively reweighted least squares with halved steps finds its least.
pub trait Family {
    /// Means that the family can have, without the ends.
    const MEANS: (f64, f64);

    /// Mean at the linear predictor `eta`.
    fn mean(&self, eta: f64) -> f64;

    /// Linear predictor of a mean within [`Family::MEANS`]; an approximation will do, since fits start from it.
    fn level(&self, mean: f64) -> f64;

    /// What a row of count `y`, or of at least `y`, says at `eta`.
    fn at(&self, eta: f64, y: f64, at_least: bool) -> Local;
}

/// A Poisson count, logarithmic link. A lower bound enters with its expectation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Poisson;

impl Family for Poisson {
    const MEANS: (f64, f64) = (0.0, f64::INFINITY);

    fn mean(&self, eta: f64) -> f64 {
        eta.exp()
    }

    fn level(&self, mean: f64) -> f64 {
        mean.ln()
    }

    #[inline]
    fn at(&self, eta: f64, y: f64, at_least: bool) -> Local {
        let eta = eta.clamp(-ETA_MAX, ETA_MAX);
        let mu = eta.exp().max(MU_FLOOR);
        let y = if at_least { expected_at_least(mu, y) } else { y };
        Local { loss: mu - y * eta, curvature: mu, step: (y - mu) / mu }
    }
}

/// A count whose variance grows as `mean ^ power`, logarithmic link: between 1 and 2 a sum of gamma sizes of a Poisson number
/// of arrivals, zeros included (Tweedie 1984; Jørgensen 1987). A lower bound is taken as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tweedie {
    /// Between 1 and 2, without the ends.
    pub power: f64,
}

impl Family for Tweedie {
    const MEANS: (f64, f64) = (0.0, f64::INFINITY);

    fn mean(&self, eta: f64) -> f64 {
        eta.exp()
    }

    fn level(&self, mean: f64) -> f64 {
        mean.ln()
    }

    fn at(&self, eta: f64, y: f64, _at_least: bool) -> Local {
        let mu = eta.clamp(-ETA_MAX, ETA_MAX).exp().max(MU_FLOOR);
        let (below, above) = (2.0 - self.power, self.power - 1.0);
        let curvature = mu.powf(below);
        Local { loss: curvature / below + y * mu.powf(-above) / above, curvature, step: (y - mu) / mu }
    }
}

/// Whether there is a request, 0 or 1, logistic link. A lower bound is taken as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bernoulli;

impl Family for Bernoulli {
    const MEANS: (f64, f64) = (0.0, 1.0);

    fn mean(&self, eta: f64) -> f64 {
        1.0 / (1.0 + (-eta).exp())
    }

    fn level(&self, mean: f64) -> f64 {
        (mean / (1.0 - mean)).ln()
    }

    fn at(&self, eta: f64, y: f64, _at_least: bool) -> Local {
        let eta = eta.clamp(-ETA_MAX, ETA_MAX);
        let p = self.mean(eta);
        let curvature = (p * (1.0 - p)).max(CURVATURE_MIN);
        let softplus = eta.max(0.0) + (-eta.abs()).exp().ln_1p();
        Local { loss: softplus - y * eta, curvature, step: (y - p) / curvature }
    }
}

/// A Poisson count of which zeros are not seen, logarithm of the mean before zeros were taken out as the predictor: the positive
/// part of a hurdle (Mullahy 1986). A lower bound is taken as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PositivePoisson;

impl Family for PositivePoisson {
    const MEANS: (f64, f64) = (1.0, f64::INFINITY);

    fn mean(&self, eta: f64) -> f64 {
        let lambda = eta.clamp(-ETA_MAX, ETA_MAX).exp();
        lambda / -(-lambda).exp_m1()
    }

    fn level(&self, mean: f64) -> f64 {
        // The mean is about 1 + lambda / 2 when small and lambda when large.
        (mean - 1.0).ln() + (2.0 / mean).max(1.0).ln()
    }

    fn at(&self, eta: f64, y: f64, _at_least: bool) -> Local {
        let eta = eta.clamp(-ETA_MAX, ETA_MAX);
        let (lambda, mean) = (eta.exp(), self.mean(eta));
        let seen = -(-lambda).exp_m1();
        // The difference drowns in rounding when lambda is small; its limit does not.
        let variance = if lambda < 1e-4 { 0.5 * lambda } else { mean * (1.0 + lambda - mean) };
        let curvature = variance.max(CURVATURE_MIN);
        Local { loss: lambda + seen.ln() - y * eta, curvature, step: (y - mean) / curvature }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The step must be the loss's own slope over the curvature, and the curvature the mean slope's change: both by differences.
    fn agrees_with_its_loss(family: &impl Family, counts: &[f64]) {
        let h = 1e-5;
        for eta in [-3.0, -0.7, 0.0, 1.3, 4.0] {
            for &y in counts {
                let at = |eta| family.at(eta, y, false);
                let slope = (at(eta + h).loss - at(eta - h).loss) / (2.0 * h);
                let here = at(eta);
                assert!((slope + here.step * here.curvature).abs() < 1e-4 * (1.0 + slope.abs()), "{eta} {y}: {slope} {here:?}");
            }
            // At a count equal to the mean the expected curvature is the second derivative itself.
            let at = |eta: f64, y| family.at(eta, y, false);
            let (y, wide) = (family.mean(eta), 1e-3);
            let second = (at(eta + wide, y).loss - 2.0 * at(eta, y).loss + at(eta - wide, y).loss) / (wide * wide);
            let curvature = at(eta, y).curvature;
            assert!((second / curvature - 1.0).abs() < 1e-3, "{eta}: {second} is not {curvature}");
        }
    }

    #[test]
    fn each_step_goes_down_its_loss() {
        agrees_with_its_loss(&Poisson, &[0.0, 1.0, 7.0]);
        agrees_with_its_loss(&Tweedie { power: 1.2 }, &[0.0, 1.0, 7.0]);
        agrees_with_its_loss(&Tweedie { power: 1.5 }, &[0.0, 1.0, 7.0]);
        agrees_with_its_loss(&Bernoulli, &[0.0, 1.0]);
        agrees_with_its_loss(&PositivePoisson, &[1.0, 2.0, 9.0]);
    }

    #[test]
    fn a_level_has_its_mean() {
        for mean in [0.01, 0.3, 0.9] {
            assert!((Bernoulli.mean(Bernoulli.level(mean)) - mean).abs() < 1e-12);
            assert!((Poisson.mean(Poisson.level(mean)) - mean).abs() < 1e-12);
        }
        for mean in [1.01, 1.5, 3.0, 50.0] {
            let got = PositivePoisson.mean(PositivePoisson.level(mean));
            assert!((got / mean - 1.0).abs() < 0.25, "{mean}: {got}");
        }
    }

    #[test]
    fn far_out_all_stays_finite() {
        for eta in [-1e3, -30.0, 30.0, 1e3] {
            for y in [1.0, 1e6] {
                for local in [Poisson.at(eta, y, true), Tweedie { power: 1.5 }.at(eta, y, false), PositivePoisson.at(eta, y, false)] {
                    assert!(local.loss.is_finite() && local.curvature > 0.0 && local.step.is_finite(), "{eta} {y}: {local:?}");
                }
            }
            let local = Bernoulli.at(eta, 1.0, false);
            assert!(local.loss.is_finite() && local.curvature > 0.0 && local.step.is_finite(), "{eta}: {local:?}");
        }
    }
}
