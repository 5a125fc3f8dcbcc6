//! Invariant 3: epochs only rise, also when an old snapshot is restored.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tidegate_planner::{Plan, Planner, Settings};

use crate::{
    nodes::{report, tick},
    stream::{Watch, scenario, walk},
};

#[derive(Default)]
struct Epochs {
    last: u64,
    tables: BTreeMap<String, u64>,
}

impl Watch for Epochs {
    fn plan(&mut self, plan: &Plan) -> Result<(), TestCaseError> {
        prop_assert!(plan.epoch > self.last, "epoch {} after {}", plan.epoch, self.last);
        self.last = plan.epoch;
        for (node, table) in &plan.tables {
            prop_assert!(table.epoch <= plan.epoch);
            let before = self.tables.insert(node.clone(), table.epoch).unwrap_or(0);
            prop_assert!(table.epoch >= before, "{node}: table of epoch {} after {before}", table.epoch);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn epochs_rise_with_each_tick(scenario in scenario(40)) {
        walk(&scenario, None, &mut Epochs::default())?;
    }
}

#[test]
fn an_old_snapshot_does_not_bring_old_tables_back() {
    let mut planner = Planner::new(Settings::default(), None).unwrap();
    let mut snapshots = vec![];
    for window in 0..20 {
        planner.observe(&report("n", window, &[("b", 30)]));
        tick(&mut planner, window);
        snapshots.push(planner.snapshot());
    }
    for old in &snapshots {
        let mut replica = Planner::new(Settings::default(), None).unwrap();
        replica.restore(old).unwrap();
        replica.raise_epoch(planner.epoch());
        let plan = tick(&mut replica, 20);
        let epoch = plan.tables.get("n").map(|table| table.epoch);
        assert!(epoch.is_none_or(|e| e > planner.epoch()), "the node refuses {epoch:?}: it may be on a table of epoch {}", planner.epoch());
    }
}
