//! The max-min fair share: what each bucket of a window is entitled to when capacity is dealt out by water filling.

/// The level to which capacity fills: each demand is met up to it. Infinite when all demands fit into `capacity`.
pub fn max_min_level(demands: &[u64], capacity: f64) -> f64 {
    let mut sorted = demands.to_vec();
    sorted.sort_unstable();
    let mut left = capacity;
    for (met, &demand) in sorted.iter().enumerate() {
        let level = left / (sorted.len() - met) as f64;
        if demand as f64 > level {
            return level;
        }
        left -= demand as f64;
    }
    f64::INFINITY
}

/// Weighted max-min shares of `capacity`: none gets more than it demands, and what is left fills all others in proportion to
/// their weights (Bertsekas & Gallager, Data Networks, 1992, section 6.5.2). Weights are positive.
pub fn weighted_max_min(demands: &[f64], weights: &[f64], capacity: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..demands.len()).collect();
    order.sort_by(|&a, &b| (demands[a] / weights[a]).total_cmp(&(demands[b] / weights[b])));
    let (mut left, mut weight) = (capacity, weights.iter().sum::<f64>());
    let mut shares = vec![0.0; demands.len()];
    for i in order {
        shares[i] = demands[i].min(left * weights[i] / weight);
        left -= shares[i];
        weight -= weights[i];
    }
    shares
}

/// Jain's index of `parts` (Jain, Chiu & Hawe 1984): 1 when all are equal, 1/n when one has all; 1 when there is nothing.
pub fn jain(parts: &[f64]) -> f64 {
    let (sum, squares) = parts.iter().fold((0.0, 0.0), |(s, q), x| (s + x, q + x * x));
    if squares > 0.0 { sum * sum / (parts.len() as f64 * squares) } else { 1.0 }
}

/// Share of all fair `shares` that was not `got` by those they are for: 0 when each got its own or more.
pub fn shortfall(shares: &[f64], got: &[f64]) -> f64 {
    let missing: f64 = shares.iter().zip(got).map(|(share, got)| (share - got).max(0.0)).sum();
    missing / shares.iter().sum::<f64>().max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_count_among_those_who_want_more() {
        assert_eq!(weighted_max_min(&[90.0, 90.0, 5.0], &[2.0, 1.0, 1.0], 35.0), [20.0, 10.0, 5.0]);
        assert_eq!(weighted_max_min(&[1.0, 2.0], &[1.0, 9.0], 35.0), [1.0, 2.0]);
        assert_eq!(weighted_max_min(&[9.0, 9.0], &[1.0, 2.0], 0.0), [0.0, 0.0]);
    }

    #[test]
    fn jain_tells_equal_parts_from_one_that_has_all() {
        assert_eq!(jain(&[2.0; 4]), 1.0);
        assert_eq!(jain(&[8.0, 0.0, 0.0, 0.0]), 0.25);
        assert_eq!(jain(&[]), 1.0);
    }

    #[test]
    fn more_than_its_share_makes_up_for_no_one_elses_shortfall() {
        assert_eq!(shortfall(&[10.0, 10.0], &[15.0, 5.0]), 0.25);
        assert_eq!(shortfall(&[10.0, 10.0], &[15.0, 10.0]), 0.0);
    }

    #[test]
    fn all_is_fair_when_all_fits() {
        assert_eq!(max_min_level(&[3, 4, 5], 12.0), f64::INFINITY);
        assert_eq!(max_min_level(&[], 0.0), f64::INFINITY);
    }

    #[test]
    fn what_the_small_leave_goes_to_the_large() {
        // 1 and 3 are met, the 16 left over are shared by 10 and 90.
        assert_eq!(max_min_level(&[90, 1, 10, 3], 20.0), 8.0);
        assert_eq!(max_min_level(&[90, 1, 10, 3], 30.0), 16.0);
    }

    #[test]
    fn equals_share_equally() {
        assert_eq!(max_min_level(&[5, 5, 5], 9.0), 3.0);
    }
}
