//! Which rate tables a node accepts.

use tidegate_wire::{BucketRates, RateTable, TABLE_VERSION, check_bucket};

/// What became of a table that was offered to a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Adoption {
    /// Its rates hold from now on.
    Adopted,
    /// It is the table that the node already has.
    Current,
    /// The node keeps what it has.
    Refused(RefusedTable),
}

/// Why a node does not take a table.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RefusedTable {
    /// Written for another contract.
    #[error("the rate table has version {found}, this node reads version {TABLE_VERSION}")]
    Version {
        /// The table's version.
        found: u32,
    },
    /// Written for another node.
    #[error("the rate table is for node {found:?}")]
    Node {
        /// The table's node.
        found: String,
    },
    /// A newer one has been adopted before.
    #[error("the rate table has epoch {found}, this node has enforced epoch {current}")]
    Epoch {
        /// The table's epoch.
        found: u64,
        /// The epoch in force.
        current: u64,
    },
    /// Its buckets are elsewhere.
    #[error("the buckets of the rate table are in {shards} shards: merge them into the table and clear its shards")]
    Sharded {
        /// How many shards it names.
        shards: usize,
    },
    /// A number that cannot be a rate, a burst or a length of time.
    #[error("{key} of the rate table is not a number that can be enforced")]
    Number {
        /// Where it is.
        key: String,
    },
    /// A bucket id that cannot be reported back.
    #[error("{id:?} in the rate table is not a bucket id")]
    Bucket {
        /// The id.
        id: String,
    },
}

/// Checks that `table` can be enforced at `node`, whose epoch is `current`. `Ok(false)`: it is the one in force.
pub(crate) fn check(table: &RateTable, node: &str, current: Option<u64>) -> Result<bool, RefusedTable> {
    if table.version != TABLE_VERSION {
        return Err(RefusedTable::Version { found: table.version });
    }
    if table.node != node {
        return Err(RefusedTable::Node { found: table.node.clone() });
    }
    match current {
        Some(current) if table.epoch < current => return Err(RefusedTable::Epoch { found: table.epoch, current }),
        Some(current) if table.epoch == current => return Ok(false),
        _ => {}
    }
    if !table.shards.is_empty() {
        return Err(RefusedTable::Sharded { shards: table.shards.len() });
    }
    check_numbers(table)?;
    Ok(true)
}

fn check_numbers(table: &RateTable) -> Result<(), RefusedTable> {
    let refuse = |key: &str| Err(RefusedTable::Number { key: key.to_owned() });
    if table.instances == 0 {
        return refuse("instances");
    }
    if table.step_s == 0 {
        return refuse("step_s");
    }
    if table.expires_at < table.issued_at {
        return refuse("expires_at");
    }
    let pool = &table.pool;
    if !(usable(&pool.refill_per_s) && usable(&[pool.capacity, pool.safe_per_s])) {
        return refuse("pool");
    }
    if !usable_rates(&table.default) {
        return refuse("default");
    }
    for (id, rates) in &table.buckets {
        check_bucket(id).map_err(|_| RefusedTable::Bucket { id: id.clone() })?;
        if !usable_rates(rates) {
            return refuse(&format!("buckets.{id}"));
        }
    }
    Ok(())
}

fn usable_rates(rates: &BucketRates) -> bool {
    let ceiling_burst = rates.ceiling_burst.unwrap_or(0.0);
    usable(&rates.refill_per_s) && usable(&[rates.capacity, rates.ceiling_per_s, ceiling_burst, rates.safe_per_s, rates.must_leave])
}

fn usable(numbers: &[f64]) -> bool {
    numbers.iter().all(|n| n.is_finite() && *n >= 0.0)
}
