//! What a node is leased: `GET /v1/rates/{node}`, and the value under its key in a KV store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::time::Timestamp;

/// The version of [`RateTable`] that this crate reads and writes.
pub const TABLE_VERSION: u32 = 1;

/// A node's part of a plan: a lease on refill rates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RateTable {
    /// [`TABLE_VERSION`]; a reader refuses any other.
    pub version: u32,
    /// The node that these rates are for.
    pub node: String,
    /// The plan this table belongs to; only rises.
    pub epoch: u64,
    /// Start of step 0 of every schedule.
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: Timestamp,
    /// Length of a step of a schedule, in seconds.
    pub step_s: u32,
    /// End of the lease; after it a node decays to its safe rates.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Whether a refusal is enforced or only counted.
    pub mode: Mode,
    /// Instances of the node that share these rates evenly; at least 1.
    pub instances: u32,
    /// The node's own bucket.
    pub pool: PoolRates,
    /// What serves every bucket that `buckets` does not list.
    pub default: BucketRates,
    /// Buckets with rates of their own.
    pub buckets: BTreeMap<String, BucketRates>,
    /// Keys of the [`RateShard`]s that hold the buckets, where a store's values are too small for the whole table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<String>,
}

/// Some of the buckets of a table that is too large for one value of a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RateShard {
    /// [`TABLE_VERSION`]; a reader refuses any other.
    pub version: u32,
    /// The node of the table.
    pub node: String,
    /// The epoch of the table; a shard of any other epoch is not part of it.
    pub epoch: u64,
    /// Buckets with rates of their own.
    pub buckets: BTreeMap<String, BucketRates>,
}

/// What a node does with a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Refuse.
    #[default]
    Enforce,
    /// Count what would have been refused and admit it.
    Shadow,
}

/// The node's own bucket: every admitted request is charged to it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct PoolRates {
    /// Tokens per second from `issued_at + k * step_s`; the last holds to the end of the lease.
    pub refill_per_s: Vec<f64>,
    /// Tokens that buckets may borrow once the pool is full; guaranteed bursts come on top, as debt.
    pub capacity: f64,
    /// Tokens per second after the lease has ended.
    #[serde(default)]
    pub safe_per_s: f64,
}

/// Rates of one bucket at one node.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct BucketRates {
    /// Guaranteed tokens per second from `issued_at + k * step_s`; the last holds to the end of the lease.
    pub refill_per_s: Vec<f64>,
    /// Guaranteed burst, in tokens.
    pub capacity: f64,
    /// Most tokens per second that the bucket may reach when it borrows.
    pub ceiling_per_s: f64,
    /// Tokens of its ceiling that the bucket may save, over all instances; when left out what the ceiling brings in a step, and
    /// `capacity`. Each instance saves at least one where there is a ceiling: with less it could never admit a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_burst: Option<f64>,
    /// Guaranteed tokens per second after the lease has ended.
    pub safe_per_s: f64,
    /// Tokens of the pool that it must leave to others when it borrows; none when left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub must_leave: f64,
}

fn is_zero(tokens: &f64) -> bool {
    *tokens == 0.0
}

impl RateTable {
    /// The key of a node's table in a KV store.
    pub fn key(node: &str) -> String {
        format!("tidegate-v1-rates-{node}")
    }

    /// The key of a shard of a node's table in a KV store. It carries the epoch, so that a new table's shards do not
    /// overwrite those that a reader of the old table is about to fetch.
    pub fn shard_key(node: &str, epoch: u64, index: usize) -> String {
        format!("tidegate-v1-shard-{node}-{epoch}-{index}")
    }

    /// The step of the schedules that holds at `now`: 0 before `issued_at`, and growing without bound after it.
    pub fn step_at(&self, now: Timestamp) -> usize {
        let elapsed_ms = now.as_millis() - self.issued_at.as_millis();
        usize::try_from(elapsed_ms / (i64::from(self.step_s.max(1)) * 1000)).unwrap_or(0)
    }
}

/// The rate of `schedule` at `step`: its last entry once it has run out, 0 when it is empty.
pub fn rate_at(schedule: &[f64], step: usize) -> f64 {
    schedule.get(step).or(schedule.last()).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_be_left_is_written_where_there_is_any_and_none_where_nothing_is_written() {
        let none = BucketRates { capacity: 5.0, ..BucketRates::default() };
        let some = BucketRates { must_leave: 12.5, ..none.clone() };
        let written = [&none, &some].map(|rates| serde_json::to_string(rates).unwrap());
        assert_eq!(written.each_ref().map(|text| text.contains("must_leave")), [false, true], "{written:?}");
        assert_eq!(written.map(|text| serde_json::from_str::<BucketRates>(&text).unwrap()), [none, some]);
    }
}
