//! Rate tables that nobody leases: the static limit, and what a node starts on before its first lease.

use std::collections::BTreeMap;

use tidegate_wire::{BucketRates, Mode, PoolRates, RateTable, TABLE_VERSION, Timestamp};

use super::traffic::{Traffic, WINDOW_S};

/// Longer than any run: a lease that does not end.
const ENDLESS_S: i64 = 100 * 366 * 86_400;
/// Part of a node's tokens that the static limit guarantees to its buckets; the rest is there for whoever comes.
const GUARANTEED: f64 = 0.6;

/// What all nodes together may take from the origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Origin {
    /// Requests per second that it serves for ever.
    pub sustained_per_s: f64,
    /// Requests that it serves at once on top, once rested.
    pub burst: f64,
    /// Most that any one bucket may borrow at a node, tokens per second.
    pub ceiling_per_s: f64,
}

/// Equal parts of the origin for all nodes, for the time before the first lease.
pub(super) fn opening(traffic: &Traffic, origin: Origin) -> Vec<RateTable> {
    let part = 1.0 / traffic.nodes.len() as f64;
    traffic.nodes.iter().map(|node| table(node, traffic.start, origin, part)).collect()
}

/// The static limit: every node and bucket its part of the origin by its demand over the whole run, known in advance. Nobody
/// who sets limits by hand knows as much, so it is a hard one to beat.
pub(super) fn in_hindsight(traffic: &Traffic, origin: Origin) -> Vec<RateTable> {
    let tables = traffic.nodes.iter().zip(traffic.shares()).map(|(node, shares)| {
        let part: f64 = shares.iter().sum();
        let mut table = table(node, traffic.start, origin, part);
        table.pool.capacity *= 1.0 - GUARANTEED;
        let guaranteed = traffic.buckets.iter().zip(&shares).filter(|(_, share)| **share > 0.0).map(|(bucket, share)| {
            let rates = guaranteed(origin, share * GUARANTEED);
            (bucket.clone(), rates)
        });
        table.buckets = guaranteed.collect();
        table
    });
    tables.collect()
}

fn guaranteed(origin: Origin, part: f64) -> BucketRates {
    let refill_per_s = part * origin.sustained_per_s;
    BucketRates {
        refill_per_s: vec![refill_per_s],
        capacity: part * origin.burst,
        ceiling_per_s: origin.ceiling_per_s.max(refill_per_s),
        safe_per_s: refill_per_s,
        ..BucketRates::default()
    }
}

fn table(node: &str, start: Timestamp, origin: Origin, part: f64) -> RateTable {
    let refill_per_s = part * origin.sustained_per_s;
    RateTable {
        version: TABLE_VERSION,
        node: node.to_owned(),
        epoch: 0,
        issued_at: start,
        step_s: WINDOW_S,
        expires_at: start.plus_secs(ENDLESS_S),
        mode: Mode::Enforce,
        instances: 1,
        pool: PoolRates { refill_per_s: vec![refill_per_s], capacity: part * origin.burst, safe_per_s: refill_per_s },
        default: BucketRates { ceiling_per_s: origin.ceiling_per_s, ..BucketRates::default() },
        buckets: BTreeMap::new(),
        shards: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::workload;

    #[test]
    fn the_static_limit_hands_out_the_whole_origin_and_no_more() {
        let traffic = workload::seeded(4, 1);
        let origin = Origin { sustained_per_s: 300.0, burst: 4000.0, ceiling_per_s: 100.0 };
        for tables in [opening(&traffic, origin), in_hindsight(&traffic, origin)] {
            let refill: f64 = tables.iter().map(|t| t.pool.refill_per_s[0]).sum();
            let bucket_bursts = tables.iter().flat_map(|t| t.buckets.values()).map(|b| b.capacity);
            let burst: f64 = tables.iter().map(|t| t.pool.capacity).chain(bucket_bursts).sum();
            assert!((refill - 300.0).abs() < 1e-6 && (burst - 4000.0).abs() < 1e-6, "{refill} and {burst}");
        }
    }
}
