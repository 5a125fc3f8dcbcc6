//! Invariant 1: what is leased, in every plan and every lease still in force, stays within the origin.

use proptest::prelude::*;
use tidegate_planner::{
    Plan, Settings,
    settings::{Origin, matches},
};
use tidegate_wire::{RateTable, Report, rates::rate_at};

use crate::{
    leases::Leases,
    stream::{Watch, scenario, walk},
};

/// Relative error of sums in floating point that is not held against the planner.
const ROUNDING: f64 = 1e-6;

struct Capacity<'a> {
    settings: &'a Settings,
    leases: Leases,
}

impl Watch for Capacity<'_> {
    fn report(&mut self, report: &Report) {
        self.leases.report(report);
    }

    fn plan(&mut self, plan: &Plan) -> Result<(), TestCaseError> {
        self.leases.plan(plan, i64::from(self.settings.lease.forget_after_s));
        self.settings.origins.iter().enumerate().try_for_each(|(i, origin)| self.origin(i, origin, plan))?;
        plan.tables.values().try_for_each(|table| within_pool(table))
    }
}

impl Capacity<'_> {
    fn origin(&self, index: usize, origin: &Origin, plan: &Plan) -> Result<(), TestCaseError> {
        let belongs = |node: &str| self.settings.origins.iter().position(|o| matches(&o.nodes, node)) == Some(index);
        for t in self.leases.changes() {
            let leased = self.leases.rate(t, belongs);
            let most = origin.sustained_per_s * (1.0 + ROUNDING);
            prop_assert!(leased <= most, "epoch {}: {leased} tokens/s leased of {} at {t}", plan.epoch, origin.sustained_per_s);
        }
        let burst = self.leases.burst(belongs);
        prop_assert!(burst <= origin.burst * (1.0 + ROUNDING), "epoch {}: {burst} tokens of burst leased of {}", plan.epoch, origin.burst);
        Ok(())
    }
}

fn within_pool(table: &RateTable) -> Result<(), TestCaseError> {
    let pool = &table.pool;
    for (step, refill) in pool.refill_per_s.iter().enumerate() {
        let guaranteed: f64 = table.buckets.values().map(|b| rate_at(&b.refill_per_s, step)).sum();
        prop_assert!(guaranteed <= refill * (1.0 + ROUNDING), "{}: {guaranteed} guaranteed of {refill} in step {step}", table.node);
    }
    prop_assert_eq!(pool.refill_per_s.last(), Some(&pool.safe_per_s));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn leases_in_force_fit_the_origin(scenario in scenario(70)) {
        walk(&scenario, None, &mut Capacity { settings: &scenario.settings, leases: Leases::default() })?;
    }
}
