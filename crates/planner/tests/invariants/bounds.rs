//! Invariant 2: every value that leaves the planner is a finite number, not negative, and below its ceiling.

use proptest::prelude::*;
use tidegate_planner::{
    Plan, Settings,
    settings::{Policy, matches},
};
use tidegate_wire::{BucketRates, RateTable};

use crate::stream::{Watch, scenario, walk};

const ROUNDING: f64 = 1e-9;

struct Bounds<'a> {
    settings: &'a Settings,
}

impl Watch for Bounds<'_> {
    fn plan(&mut self, plan: &Plan) -> Result<(), TestCaseError> {
        let s = &plan.summary;
        numbers("summary", [s.demand, s.admitted, s.throttled, s.forecast])?;
        for o in &s.origins {
            numbers(&o.name, [o.sustained_per_s, o.burst, o.leased_per_s, o.leased_burst, o.price])?;
        }
        plan.tables.values().try_for_each(|table| self.table(table))
    }
}

impl Bounds<'_> {
    fn table(&self, table: &RateTable) -> Result<(), TestCaseError> {
        prop_assert!(!table.pool.refill_per_s.is_empty(), "{}: an empty schedule", table.node);
        prop_assert!(table.instances >= 1 && table.expires_at > table.issued_at);
        numbers(&table.node, table.pool.refill_per_s.iter().copied().chain([table.pool.capacity, table.pool.safe_per_s]))?;
        rates("default", &table.default)?;
        for (bucket, entry) in &table.buckets {
            rates(bucket, entry)?;
            let policy = self.settings.policies.iter().find(|p| matches(&p.buckets, bucket)).cloned().unwrap_or_default();
            below_ceiling(bucket, entry, &policy)?;
        }
        Ok(())
    }
}

fn rates(bucket: &str, entry: &BucketRates) -> Result<(), TestCaseError> {
    prop_assert!(!entry.refill_per_s.is_empty(), "{bucket}: an empty schedule");
    numbers(bucket, entry.refill_per_s.iter().copied().chain([entry.capacity, entry.ceiling_per_s, entry.safe_per_s, entry.must_leave]))?;
    let most = entry.refill_per_s.iter().copied().fold(entry.safe_per_s, f64::max);
    prop_assert!(entry.ceiling_per_s >= most, "{bucket}: the ceiling {} is below its rate {most}", entry.ceiling_per_s);
    Ok(())
}

fn below_ceiling(bucket: &str, entry: &BucketRates, policy: &Policy) -> Result<(), TestCaseError> {
    for bound in [policy.ceiling_per_s, policy.limit_per_s].into_iter().flatten() {
        prop_assert!(
            entry.ceiling_per_s <= bound * (1.0 + ROUNDING),
            "{bucket} may reach {}, its policy says {bound}",
            entry.ceiling_per_s
        );
    }
    Ok(())
}

fn numbers(of: &str, values: impl IntoIterator<Item = f64>) -> Result<(), TestCaseError> {
    for value in values {
        prop_assert!(value.is_finite() && value >= 0.0, "{of}: {value}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_but_numbers_in_range_comes_out(scenario in scenario(40)) {
        walk(&scenario, None, &mut Bounds { settings: &scenario.settings })?;
    }
}
