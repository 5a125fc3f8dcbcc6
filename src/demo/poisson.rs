//! Poisson-distributed counts.

use rand::Rng;

/// Mean from which the normal approximation is used.
const LARGE: f64 = 40.0;

/// A count whose expectation is `mean`; 0 where that is not positive.
pub(super) fn poisson(random: &mut impl Rng, mean: f64) -> u32 {
    if mean.is_nan() || mean <= 0.0 {
        return 0;
    }
    if mean > LARGE {
        return normal(random).mul_add(mean.sqrt(), mean).round().max(0.0) as u32;
    }
    // Knuth: uniforms are multiplied until they fall below e^-mean.
    let (floor, mut product, mut count) = ((-mean).exp(), random.random::<f64>(), 0);
    while product > floor {
        product *= random.random::<f64>();
        count += 1;
    }
    count
}

/// Box and Muller.
fn normal(random: &mut impl Rng) -> f64 {
    let (u, v): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn mean_and_variance_are_as_they_should_be() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        for mean in [0.05, 2.0, 30.0, 400.0] {
            let counts: Vec<f64> = (0..20_000).map(|_| f64::from(poisson(&mut random, mean))).collect();
            let average = counts.iter().sum::<f64>() / 20_000.0;
            let variance = counts.iter().map(|c| (c - average).powi(2)).sum::<f64>() / 20_000.0;
            assert!((average / mean - 1.0).abs() < 0.1, "{average} for {mean}");
            assert!((variance / mean - 1.0).abs() < 0.15, "{variance} for {mean}");
        }
        assert_eq!(poisson(&mut random, f64::NAN) + poisson(&mut random, -1.0) + poisson(&mut random, 0.0), 0);
    }
}
