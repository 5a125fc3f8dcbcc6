//! Tables and plans for the tests of this folder.

use std::{collections::BTreeMap, fs, sync::Arc};

use tidegate_planner::{Plan, Summary};
use tidegate_wire::{BucketRates, Mode, PoolRates, RateTable, TABLE_VERSION, Timestamp};

use super::secret::{Secret, SecretSource};

/// When the tables of these tests are issued.
pub(crate) const ISSUED: Timestamp = Timestamp::from_secs(1_795_000_000);

/// A table with buckets `b0`, `b1`, and so on, at 10 tokens per second each, leased for 300 s.
pub(crate) fn table(node: &str, epoch: u64, buckets: usize) -> RateTable {
    let rates = BucketRates {
        refill_per_s: vec![10.0],
        capacity: 20.0,
        ceiling_per_s: 50.0,
        ceiling_burst: None,
        safe_per_s: 5.0,
        must_leave: 3.0,
    };
    RateTable {
        version: TABLE_VERSION,
        node: node.into(),
        epoch,
        issued_at: ISSUED,
        step_s: 30,
        expires_at: ISSUED.plus_secs(300),
        mode: Mode::Enforce,
        instances: 1,
        pool: PoolRates { refill_per_s: vec![100.0], capacity: 200.0, safe_per_s: 60.0 },
        default: rates.clone(),
        buckets: (0..buckets).map(|i| (format!("b{i}"), rates.clone())).collect(),
        shards: vec![],
    }
}

/// The table of `node`, to be changed.
pub(crate) fn edit<'p>(plan: &'p mut Plan, node: &str) -> &'p mut RateTable {
    Arc::make_mut(plan.tables.get_mut(node).unwrap())
}

/// A secret, by way of a file.
pub(crate) fn secret(text: &str) -> Secret {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    fs::write(&file, text).unwrap();
    Secret::read(&SecretSource::File(file)).unwrap()
}

/// A plan with one table of three buckets for each node.
pub(crate) fn plan(epoch: u64, nodes: &[&str]) -> Plan {
    let tables: BTreeMap<_, _> = nodes.iter().map(|node| ((*node).to_owned(), Arc::new(table(node, epoch, 3)))).collect();
    Plan { epoch, issued_at: ISSUED, tables, summary: Summary::default() }
}
