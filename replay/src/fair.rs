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

#[cfg(test)]
mod tests {
    use super::*;

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
