//! What to expect of a count that is known only to be at least so much.
//!
//! Where requests were throttled, clients that were refused may have held back others: what was offered is a lower bound
//! of the demand. Left out, such windows would bias the fit to the quiet ones; taken as they are, to the limit. So they
//! enter with their expectation under the current fit (the E-step of an EM for censored counts).

/// Terms after which the tail's series is given up; by then the mean is so far above the bound that the bound says nothing.
const TERMS: usize = 400;

/// Expected value of a Poisson count of mean `mu` that is at least `bound`.
pub fn expected_at_least(mu: f64, bound: f64) -> f64 {
    if bound <= 0.0 || mu > bound + 10.0 * mu.sqrt() {
        return mu;
    }
    // E[Y | Y >= b] = mu + b / S with S = P(Y >= b) / P(Y = b) = 1 + mu/(b+1) + mu²/((b+1)(b+2)) + ...
    let (mut sum, mut term) = (1.0, 1.0);
    for j in 1..TERMS {
        term *= mu / (bound + j as f64);
        sum += term;
        if term < 1e-12 * sum {
            break;
        }
    }
    mu + bound / sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_summation(mu: f64, bound: u32) -> f64 {
        let mut pmf = (-mu).exp();
        let (mut tail, mut mean) = (0.0, 0.0);
        for y in 0..2000_u32 {
            if y >= bound {
                tail += pmf;
                mean += pmf * f64::from(y);
            }
            pmf *= mu / f64::from(y + 1);
        }
        mean / tail
    }

    #[test]
    fn equals_the_sum_over_the_tail() {
        for mu in [0.01, 0.5, 3.0, 40.0] {
            for bound in [0, 1, 2, 5, 30, 60] {
                let (got, want) = (expected_at_least(mu, f64::from(bound)), by_summation(mu, bound));
                assert!((got / want - 1.0).abs() < 1e-6, "mu {mu}, at least {bound}: {got}, by summation {want}");
            }
        }
    }

    #[test]
    fn never_less_than_mean_or_bound() {
        for (mu, bound) in [(1e-6, 1000.0), (1e6, 1.0), (1e6, 1e6), (5.0, 5.0)] {
            let e = expected_at_least(mu, bound);
            assert!(e.is_finite() && e >= mu && e >= bound, "mu {mu}, at least {bound}: {e}");
        }
    }
}
