//! Answers to "why this rate?".

use std::collections::BTreeMap;

use tidegate_wire::Report;

use super::Planner;
use crate::{
    Explanation, Recommendation,
    features::{BLOCK, Block, NAMES},
    forecast::{Means, quantile::logit},
    settings::Limits,
    state::{Store, TOTAL},
};

impl Planner {
    /// Why `bucket` has its rate at `node`; `None` when the series is unknown.
    pub fn explain(&self, node: &str, bucket: &str) -> Option<Explanation> {
        let number = self.store.node_number(node)?;
        let row = self.store.row(number, bucket).filter(|_| bucket != TOTAL)?;
        let table = self.tables.get(node);
        let entry = table.and_then(|t| t.buckets.get(bucket));
        let served = entry.or(table.map(|t| &t.default));
        Some(Explanation {
            node: node.to_owned(),
            bucket: bucket.to_owned(),
            epoch: table.map_or(0, |t| t.epoch),
            refill_per_s: entry.and_then(|e| e.refill_per_s.first()).copied().unwrap_or(0.0),
            listed: entry.is_some(),
            ceiling_per_s: served.map_or(0.0, |s| s.ceiling_per_s),
            must_leave: served.map_or(0.0, |s| s.must_leave),
            newcomers_surge: self.surge(number as usize),
            forecast: self.recommendation(&self.store, &self.means, row, bucket),
            bound_by: if entry.is_some() { self.rule(row) } else { "default" }.to_owned(),
            policy: self.policy(bucket).name.clone(),
        })
    }

    /// Nodes at which `bucket` is known.
    pub fn nodes_of(&self, bucket: &str) -> Vec<String> {
        let known = self.store.nodes.iter().enumerate().filter(|(_, n)| n.known);
        known.filter(|(i, _)| self.store.row(*i as u32, bucket).is_some()).map(|(_, n)| n.name.clone()).collect()
    }

    /// Forecast and rate for a series given by its recent windows, oldest first, without touching state.
    ///
    /// The windows are reports of one node; the bucket is the first that the last report lists. `None` when there is none.
    pub fn recommend(&self, windows: &[Report]) -> Option<Recommendation> {
        let newest = windows.last()?;
        let bucket = &newest.buckets.first()?.bucket;
        let mut store = Store::new(self.settings.interval_s, Limits::default());
        windows.iter().for_each(|report| store.record(report));
        for window in store.to_close(store.window_of(newest.start.as_secs())) {
            store.close(window);
        }
        let mut means = Means::default();
        means.update(self.compiled.as_ref(), &mut store);
        let row = store.row(store.node_number(&newest.node)?, bucket)?;
        Some(self.recommendation(&store, &means, row, bucket))
    }

    fn recommendation(&self, store: &Store, means: &Means, row: usize, bucket: &str) -> Recommendation {
        let of = |step: &Vec<f32>| f64::from(step.get(row).copied().unwrap_or(0.0));
        let mean: Vec<f64> = means.steps.iter().map(of).collect();
        let over = f64::from(store.columns.overdispersion[row]);
        let policy = self.policy(bucket);
        let enough = self.gamma.quantile(mean[0], over * mean[0], logit((1.0 - policy.slo).clamp(1e-6, 0.5)));
        let ceiling = policy.most_per_s().unwrap_or(f64::INFINITY);
        let mut block = Block::default();
        block.fill(store, row - row % BLOCK);
        let features: BTreeMap<String, f32> = NAMES.iter().map(|n| (*n).to_owned()).zip(block.row(row)).collect();
        Recommendation {
            refill_per_s: (enough / store.interval_s() as f64).max(policy.floor_per_s).min(ceiling),
            quantiles: self.calibration.quantiles(self.gamma, 0, mean[0], over),
            expert: means.expert(store, row).to_owned(),
            mean,
            features,
        }
    }
}
