//! Rate tables that are not made by the planner.

use std::collections::BTreeMap;

use tidegate_wire::{BucketRates, Mode, PoolRates, RateTable, TABLE_VERSION, Timestamp};

use crate::workload::{WINDOW_S, Workload};

/// Longer than any trace: a lease that does not end.
const ENDLESS_S: i64 = 100 * 366 * 86_400;

/// A lease without end for `node`, issued at `second` since the Unix epoch: `pool_per_s` and `pool_burst` to borrow from and no
/// guarantee for any bucket. Borrowing has no ceiling yet: [`ceiling`] sets one.
pub fn fixed(node: usize, second: i64, pool_per_s: f64, pool_burst: f64) -> RateTable {
    let issued_at = Timestamp::from_secs(second);
    RateTable {
        version: TABLE_VERSION,
        node: Workload::node_id(node),
        epoch: 1,
        issued_at,
        step_s: WINDOW_S,
        expires_at: issued_at.plus_secs(ENDLESS_S),
        mode: Mode::Enforce,
        instances: 1,
        pool: PoolRates { refill_per_s: vec![pool_per_s], capacity: pool_burst, safe_per_s: pool_per_s },
        default: BucketRates::default(),
        buckets: BTreeMap::new(),
        shards: vec![],
    }
}

/// `table` with a guarantee for `bucket`: the pool's burst stays what may be borrowed on top.
pub fn guarantee(table: &mut RateTable, bucket: usize, refill_per_s: f64, burst: f64) {
    let rates = BucketRates { refill_per_s: vec![refill_per_s], capacity: burst, safe_per_s: refill_per_s, ..BucketRates::default() };
    table.buckets.insert(Workload::bucket_id(bucket), rates);
}

/// `table` with the same ceiling for every bucket, listed or not.
pub fn ceiling(table: &mut RateTable, per_s: f64) {
    table.default.ceiling_per_s = per_s;
    for rates in table.buckets.values_mut() {
        rates.ceiling_per_s = per_s.max(rates.refill_per_s.iter().copied().fold(0.0, f64::max));
    }
}

/// Guaranteed bursts of a table, and what may be borrowed on top: all tokens that its node can save.
pub fn burst(table: &RateTable) -> f64 {
    table.pool.capacity + table.buckets.values().map(|b| b.capacity).sum::<f64>()
}

/// `table` as if it had held for ever: its first rates, from `rest_s` seconds before `second` on, under epoch 0. A node that
/// adopts it then is full at `second`.
pub fn long_held(table: &RateTable, second: i64, rest_s: i64) -> RateTable {
    let issued_at = Timestamp::from_secs(second - rest_s);
    let mut held = RateTable { epoch: 0, issued_at, expires_at: issued_at.plus_secs(ENDLESS_S), ..table.clone() };
    held.pool.refill_per_s.truncate(1);
    held.buckets.values_mut().for_each(|b| b.refill_per_s.truncate(1));
    held
}
