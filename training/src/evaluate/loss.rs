//! Losses of one forecast of one count.

use tidegate_planner::forecast::quantile::{GammaTable, logit};

/// Probabilities with which the quantiles that are scored are not exceeded.
pub const LEVELS: [f64; 3] = [0.5, 0.9, 0.99];

/// Twice the log likelihood lost by a Poisson forecast of mean `mu` when `y` requests came.
pub fn deviance(mu: f64, y: f64) -> f64 {
    let fit = if y > 0.0 { y * (y / mu).ln() } else { 0.0 };
    2.0 * (fit - (y - mu))
}

/// Loss of a quantile `q` of level `level` when `y` came; least on average for the true quantile.
pub fn pinball(q: f64, level: f64, y: f64) -> f64 {
    let short = y - q;
    if short > 0.0 { level * short } else { (level - 1.0) * short }
}

/// The quantiles at [`LEVELS`] of a count of mean `mu` and variance `mu + dispersion x mu²`, by the planner's own table.
pub fn quantiles(table: &GammaTable, mu: f64, dispersion: f64) -> [f64; 3] {
    LEVELS.map(|level| table.quantile(mu, mu + dispersion * mu * mu, logit(1.0 - level)))
}

/// Pinball losses at all [`LEVELS`] together, each brought to about one size.
pub fn quantile_loss(quantiles: [f64; 3], y: f64) -> f64 {
    let scaled = |(q, level): (f64, f64)| pinball(q, level, y) / (level * (1.0 - level));
    quantiles.into_iter().zip(LEVELS).map(scaled).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviance_is_zero_only_at_the_count() {
        assert_eq!(deviance(3.0, 3.0), 0.0);
        assert!(deviance(2.0, 3.0) > 0.0 && deviance(4.0, 3.0) > 0.0);
        assert!((deviance(0.5, 0.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_true_quantile_has_the_least_pinball_loss() {
        let counts: Vec<f64> = (0..1000).map(f64::from).collect();
        let loss = |q: f64| counts.iter().map(|&y| pinball(q, 0.9, y)).sum::<f64>();
        assert!(loss(900.0) < loss(850.0) && loss(900.0) < loss(950.0));
    }

    #[test]
    fn quantiles_rise_with_level_and_dispersion() {
        let table = GammaTable::default();
        let (narrow, wide) = (quantiles(&table, 100.0, 0.0), quantiles(&table, 100.0, 0.5));
        assert!(narrow[0] < narrow[1] && narrow[1] < narrow[2] && wide[2] > narrow[2]);
        assert!((narrow[2] - 124.0).abs() < 3.0, "Poisson(100) exceeds 124 with 1 %: {narrow:?}");
    }
}
