//! A rate table as entries of a store: one value, or a head and its shards where the store's values are too small.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use tidegate_wire::{RateShard, RateTable};

use super::store::{Entry, Limits, StoreError};

/// A table as it is written: first the shards, then the head that names them.
#[derive(Debug, Clone, PartialEq)]
pub struct Packed {
    /// The entry under the node's key.
    pub head: Entry,
    /// Its shards; none when the table fits into one value.
    pub shards: Vec<Entry>,
}

impl Packed {
    /// All entries, in the order in which they are written.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.shards.iter().chain([&self.head])
    }
}

/// Packs `table` for a store with `limits`, to be kept for `retain_s` seconds beyond the lease: a worker that starts while the
/// engine is down still finds its safe rates.
///
/// # Errors
/// [`StoreError::Oversized`] when not even shards fit; [`StoreError::Refused`] when the table is not JSON.
pub fn pack(table: &RateTable, limits: &Limits, retain_s: u32) -> Result<Packed, StoreError> {
    let expires_at = table.expires_at.plus_secs(i64::from(retain_s));
    let entry = |key, value| admitted(Entry { key, value, epoch: table.epoch, expires_at }, limits);
    let whole = json(table)?;
    if whole.len() <= limits.value_bytes {
        return Ok(Packed { head: entry(RateTable::key(&table.node), whole)?, shards: vec![] });
    }
    let mut shards = vec![];
    for shard in divide(table, limits.value_bytes)? {
        shards.push(entry(RateTable::shard_key(&table.node, table.epoch, shards.len()), json(&shard)?)?);
    }
    let names = shards.iter().map(|shard: &Entry| shard.key.clone()).collect();
    let head = RateTable { shards: names, ..without_buckets(table) };
    Ok(Packed { head: entry(RateTable::key(&table.node), json(&head)?)?, shards })
}

/// Divides the buckets, in order, over as few shards of at most `max` bytes as that order allows.
fn divide(table: &RateTable, max: usize) -> Result<Vec<RateShard>, StoreError> {
    let empty = RateShard { version: table.version, node: table.node.clone(), epoch: table.epoch, buckets: BTreeMap::new() };
    let frame = json(&empty)?.len();
    let mut shards = vec![];
    let (mut open, mut bytes) = (empty.clone(), frame);
    for (id, rates) in &table.buckets {
        // "id":{...}, with its two quotes, colon and comma; ids need no escapes.
        let more = id.len() + json(rates)?.len() + 4;
        if bytes + more > max && !open.buckets.is_empty() {
            shards.push(std::mem::replace(&mut open, empty.clone()));
            bytes = frame;
        }
        open.buckets.insert(id.clone(), rates.clone());
        bytes += more;
    }
    shards.push(open);
    Ok(shards)
}

/// The table without its buckets, so that they are not copied only to be dropped.
fn without_buckets(table: &RateTable) -> RateTable {
    RateTable {
        node: table.node.clone(),
        pool: table.pool.clone(),
        default: table.default.clone(),
        buckets: BTreeMap::new(),
        shards: vec![],
        ..*table
    }
}

fn admitted(entry: Entry, limits: &Limits) -> Result<Entry, StoreError> {
    limits.admit(&entry)?;
    Ok(entry)
}

fn json(value: &impl Serialize) -> Result<Bytes, StoreError> {
    serde_json::to_vec(value).map(Bytes::from).map_err(|e| StoreError::Refused(format!("a table cannot be written as JSON: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::testing::table;

    fn limits(value_bytes: usize) -> Limits {
        Limits { batch_pairs: 10, batch_bytes: 1 << 20, key_bytes: 512, value_bytes, writes_per_s: None }
    }

    #[test]
    fn a_table_that_fits_is_one_value() {
        let table = table("n", 7, 3);
        let packed = pack(&table, &limits(10_000), 60).unwrap();
        assert_eq!(packed.shards, []);
        assert_eq!((packed.head.key.as_str(), packed.head.epoch), ("tidegate-v1-rates-n", 7));
        assert_eq!(packed.head.expires_at, table.expires_at.plus_secs(60));
        assert_eq!(serde_json::from_slice::<RateTable>(&packed.head.value).unwrap(), table);
    }

    #[test]
    fn no_shard_is_larger_than_a_value_and_none_is_wasted() {
        let table = table("n", 7, 100);
        let whole = json(&table).unwrap().len();
        for max in [2_000, 3_001, 4_096] {
            let packed = pack(&table, &limits(max), 0).unwrap();
            assert!(packed.shards.iter().all(|shard| shard.value.len() <= max));
            assert!(packed.shards.len() <= whole / max + 2, "{} shards of {max} bytes for {whole}", packed.shards.len());
            let head: RateTable = serde_json::from_slice(&packed.head.value).unwrap();
            assert_eq!(head.shards, packed.shards.iter().map(|s| s.key.clone()).collect::<Vec<_>>());
            assert!(head.buckets.is_empty());
        }
    }

    #[test]
    fn what_fits_into_no_shard_is_oversized() {
        for max in [10, 150, 300] {
            let error = pack(&table("n", 7, 3), &limits(max), 0).unwrap_err();
            assert_eq!(error.kind(), "oversized", "{max}");
        }
    }
}
