//! Invariant 4: the same stream gives the same plans, byte for byte, wherever it is cut by a restart.

use proptest::prelude::*;
use tidegate_planner::Plan;

use crate::stream::{Scenario, Watch, scenario, walk};

#[derive(Default)]
struct Written(Vec<String>);

impl Watch for Written {
    fn plan(&mut self, plan: &Plan) -> Result<(), TestCaseError> {
        self.0.push(serde_json::to_string(plan).map_err(|e| TestCaseError::fail(e.to_string()))?);
        Ok(())
    }
}

fn plans(scenario: &Scenario, split: Option<usize>) -> Result<Vec<String>, TestCaseError> {
    let mut written = Written::default();
    walk(scenario, split, &mut written)?;
    Ok(written.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_changes_no_byte_of_any_later_plan(scenario in scenario(40), split in any::<prop::sample::Index>()) {
        let whole = plans(&scenario, None)?;
        prop_assert_eq!(&whole, &plans(&scenario, None)?);
        prop_assert_eq!(&whole, &plans(&scenario, Some(split.index(scenario.rounds.len())))?);
    }
}
