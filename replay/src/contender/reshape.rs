//! What a plan would be without its pools, or without its guarantees: the same tokens and the same burst for every node.

use tidegate_wire::RateTable;

/// What is done to the planner's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reshape {
    /// Nothing.
    Keep,
    /// Guarantees and their bursts go to the node's pool: whoever comes first is served, and need leave nothing to others.
    PoolOnly,
    /// All of a node's rate and burst is guaranteed to the buckets that its table lists, in proportion to what the planner
    /// guarantees them; nothing is left to borrow, and buckets that are not listed get nothing.
    NoPool,
}

impl Reshape {
    /// `table`, reshaped. Its pool's refill stays what it was, and so does the sum of all bursts.
    pub fn apply(self, table: &mut RateTable) {
        match self {
            Self::Keep => {}
            Self::PoolOnly => pool_only(table),
            Self::NoPool => no_pool(table),
        }
    }
}

fn pool_only(table: &mut RateTable) {
    table.pool.capacity += table.buckets.values().map(|b| b.capacity).sum::<f64>();
    table.buckets.clear();
    table.default.must_leave = 0.0;
}

fn no_pool(table: &mut RateTable) {
    let lendable = std::mem::take(&mut table.pool.capacity);
    let first = |rates: &[f64]| rates.first().copied().unwrap_or(0.0);
    let guaranteed: f64 = table.buckets.values().map(|b| first(&b.refill_per_s)).sum();
    if guaranteed <= 0.0 {
        return;
    }
    for rates in table.buckets.values_mut() {
        let part = first(&rates.refill_per_s) / guaranteed;
        rates.refill_per_s = table.pool.refill_per_s.iter().map(|pool| pool * part).collect();
        rates.safe_per_s = table.pool.safe_per_s * part;
        rates.capacity += lendable * part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease;

    fn table() -> RateTable {
        let mut table = lease::fixed(0, 0, 10.0, 80.0);
        lease::guarantee(&mut table, 0, 6.0, 15.0);
        lease::guarantee(&mut table, 1, 2.0, 5.0);
        table
    }

    #[test]
    fn bursts_add_up_to_the_same() {
        for reshape in [Reshape::Keep, Reshape::PoolOnly, Reshape::NoPool] {
            let mut reshaped = table();
            reshape.apply(&mut reshaped);
            assert!((lease::burst(&reshaped) - 100.0).abs() < 1e-9, "{reshape:?}");
            assert_eq!(reshaped.pool.refill_per_s, [10.0], "{reshape:?}");
        }
    }

    #[test]
    fn without_a_pool_all_is_guaranteed_and_without_guarantees_nothing() {
        let (mut guaranteed, mut pooled) = (table(), table());
        pooled.default.must_leave = 40.0;
        Reshape::NoPool.apply(&mut guaranteed);
        assert_eq!(guaranteed.pool.capacity, 0.0);
        let rates: Vec<f64> = guaranteed.buckets.values().map(|b| b.refill_per_s[0]).collect();
        assert_eq!(rates, [7.5, 2.5]);
        Reshape::PoolOnly.apply(&mut pooled);
        assert!(pooled.buckets.is_empty() && pooled.default.must_leave == 0.0);
    }
}
