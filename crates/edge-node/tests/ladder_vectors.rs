//! The lease ladder's test vectors in `contracts/vectors`, made from straight lines in exact sixtieths.
//!
//! `UPDATE_VECTORS=1 cargo test -p tidegate-edge-node --test ladder_vectors` writes them anew.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde::{Deserialize, Serialize};
use tidegate_edge_node::Ladder;
use tidegate_wire::{BucketRates, Mode, PoolRates, RateTable, Timestamp};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Case {
    name: String,
    table: RateTable,
    /// Rates that hold at a time, before they are shared among the table's instances.
    rates: Vec<Point>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    at: Timestamp,
    pool_per_s: f64,
    buckets: BTreeMap<String, f64>,
}

const ISSUED_S: i64 = 1_763_755_230;

fn table(pool: &[f64], bucket: &[f64], lease_s: i64) -> RateTable {
    let capacity = 120.0;
    let rates = |refill: &[f64], safe_per_s| BucketRates {
        refill_per_s: refill.to_vec(),
        capacity,
        ceiling_per_s: 240.0,
        safe_per_s,
        ..Default::default()
    };
    RateTable {
        version: 1,
        node: "cf-fra".into(),
        epoch: 48_213,
        issued_at: Timestamp::from_secs(ISSUED_S),
        step_s: 30,
        expires_at: Timestamp::from_secs(ISSUED_S + lease_s),
        mode: Mode::Enforce,
        instances: 1,
        pool: PoolRates { refill_per_s: pool.to_vec(), capacity: 300.0, safe_per_s: 36.0 },
        default: rates(&[0.0], 0.0),
        buckets: [("key:3f9a".to_owned(), rates(bucket, 12.0)), ("route:root".to_owned(), rates(&[], 6.0))].into(),
        shards: vec![],
    }
}

/// The rate at `at_ms` after issue, written down a second time: entry of the schedule, line, safe rate.
fn expected(schedule: &[f64], safe: f64, lease_ms: i64, at_ms: i64) -> f64 {
    let entry = |ms: i64| {
        let step = usize::try_from(ms.max(0) / 30_000).unwrap();
        schedule.get(step.min(schedule.len().saturating_sub(1))).copied().unwrap_or(0.0)
    };
    if at_ms < lease_ms {
        return entry(at_ms);
    }
    let past_ms = at_ms - lease_ms;
    if lease_ms == 0 || past_ms >= lease_ms {
        return safe;
    }
    let stairs_done = 1 + past_ms * 60 / lease_ms;
    let leased = entry(lease_ms - 1);
    leased + (safe - leased) * stairs_done as f64 / 60.0
}

fn case(name: &str, pool: &[f64], bucket: &[f64], lease_s: i64) -> Case {
    let table = table(pool, bucket, lease_s);
    let lease_ms = lease_s * 1000;
    let mut times = vec![-60_000, 0, 29_999, 30_000, 59_999, 60_000, 95_500];
    times.extend([lease_ms - 1, lease_ms, lease_ms + 1, lease_ms + lease_ms / 2, 2 * lease_ms - 1, 2 * lease_ms, 10 * lease_ms]);
    times.sort_unstable();
    times.dedup();
    let point = |&at_ms: &i64| Point {
        at: Timestamp::from_millis(ISSUED_S * 1000 + at_ms),
        pool_per_s: expected(pool, 36.0, lease_ms, at_ms),
        buckets: table.buckets.iter().map(|(id, b)| (id.clone(), expected(&b.refill_per_s, b.safe_per_s, lease_ms, at_ms))).collect(),
    };
    let rates = times.iter().map(point).collect();
    Case { name: name.to_owned(), table, rates }
}

fn made() -> Vec<Case> {
    vec![
        case("a schedule that runs out before the lease", &[90.0, 96.0, 102.0], &[42.0, 48.0], 300),
        case("a lease that ends before the schedule", &[90.0, 96.0, 102.0, 108.0], &[42.0, 48.0, 54.0], 45),
        case("one step and a safe rate above it", &[30.0], &[6.0], 120),
        case("a lease of no length", &[90.0], &[42.0], 0),
        case("empty schedules", &[], &[], 60),
    ]
}

#[test]
fn the_ladder_passes_its_vectors() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contracts/vectors/ladder.json");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        let lines: Vec<_> = made().iter().map(|case| serde_json::to_string(case).unwrap()).collect();
        fs::write(&path, format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
    }
    let kept: Vec<Case> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert!(kept == made(), "ladder.json is not what the formulas make: run with UPDATE_VECTORS=1 and look at the difference");
    for Case { name, table, rates } in kept {
        let ladder = Ladder::new(&table);
        for Point { at, pool_per_s, buckets } in rates {
            let stage = ladder.stage(at);
            assert_eq!(stage.rate(&table.pool.refill_per_s, table.pool.safe_per_s), pool_per_s, "{name}: pool at {at}");
            for (id, rate) in buckets {
                let entry = &table.buckets[&id];
                assert_eq!(stage.rate(&entry.refill_per_s, entry.safe_per_s), rate, "{name}: {id} at {at}");
            }
        }
    }
}
