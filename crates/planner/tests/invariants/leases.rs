//! Which rate tables may be in force, told from the tables and the reports alone: the planner's own ledger is not asked.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_planner::Plan;
use tidegate_wire::{RateTable, Report, Timestamp, rates::rate_at};

use crate::stream::WINDOW_S;

/// Windows of silence after which an instance is taken to be gone, so that it no longer has to acknowledge anything.
const INSTANCE_GONE_AFTER: i64 = 4;

/// Every lease that some node may still be enforcing.
#[derive(Default)]
pub struct Leases {
    nodes: BTreeMap<String, Node>,
    epoch: u64,
    /// Highest time that was seen.
    latest: Timestamp,
}

#[derive(Default)]
struct Node {
    out: Vec<Lease>,
    /// Epoch of its newest table: a plan repeats tables that have not changed.
    newest: u64,
    /// Epoch and last window of each instance.
    instances: BTreeMap<String, (Option<u64>, i64)>,
    last: i64,
}

struct Lease {
    table: Arc<RateTable>,
    ended: bool,
}

impl Leases {
    /// Takes in what a node says that it enforces. An epoch that was never issued acknowledges nothing.
    pub fn report(&mut self, report: &Report) {
        let window = report.start.as_secs().div_euclid(WINDOW_S);
        let node = self.nodes.entry(report.node.clone()).or_insert_with(|| Node { last: window, ..Node::default() });
        if window > node.last {
            node.last = window;
            node.instances.retain(|_, (_, seen)| window - *seen <= INSTANCE_GONE_AFTER);
        }
        let epoch = report.epoch.filter(|e| *e <= self.epoch);
        let seen = node.instances.entry(report.instance.clone().unwrap_or_default()).or_insert((None, window));
        *seen = (seen.0.max(epoch), seen.1.max(window));
    }

    /// Takes in a plan's tables, strikes those that were superseded and forgets nodes that were silent for `forget_after_s`.
    pub fn plan(&mut self, plan: &Plan, forget_after_s: i64) {
        self.epoch = plan.epoch;
        self.latest = self.latest.max(plan.issued_at);
        for node in self.nodes.values_mut() {
            node.strike();
            node.out.iter_mut().for_each(|l| l.ended |= l.table.expires_at <= plan.issued_at);
            if plan.issued_at.as_secs() - (node.last + 1) * WINDOW_S > forget_after_s {
                node.out.retain(|l| !l.ended);
            }
        }
        for (name, table) in &plan.tables {
            let node = self.nodes.entry(name.clone()).or_default();
            if table.epoch > node.newest {
                node.newest = table.epoch;
                node.out.push(Lease { table: table.clone(), ended: false });
            }
        }
    }

    /// Times to come at which any node's rate may change. After the clock has gone back, time that it had already passed is not
    /// to come: what was leased for it can no longer be taken back.
    pub fn changes(&self) -> Vec<Timestamp> {
        let now = self.latest;
        let steps = |t: &RateTable| {
            let (issued, step_s) = (t.issued_at, i64::from(t.step_s));
            (0..t.pool.refill_per_s.len() as i64).map(move |k| issued.plus_secs(k * step_s))
        };
        let mut times: Vec<Timestamp> =
            self.nodes.values().flat_map(|n| &n.out).flat_map(|l| steps(&l.table)).filter(|t| *t > now).collect();
        times.push(now);
        times.sort_unstable();
        times.dedup();
        times
    }

    /// Most that the nodes of `belongs` can refill at `t`, tokens per second.
    pub fn rate(&self, t: Timestamp, belongs: impl Fn(&str) -> bool) -> f64 {
        self.sum(belongs, |lease| lease.rate(t))
    }

    /// Most that the nodes of `belongs` can have saved, tokens.
    pub fn burst(&self, belongs: impl Fn(&str) -> bool) -> f64 {
        self.sum(belongs, |lease| lease.table.pool.capacity + lease.table.buckets.values().map(|b| b.capacity).sum::<f64>())
    }

    fn sum(&self, belongs: impl Fn(&str) -> bool, of: impl Fn(&Lease) -> f64) -> f64 {
        let nodes = self.nodes.iter().filter(|(name, _)| belongs(name));
        nodes.map(|(_, node)| node.out.iter().map(&of).fold(0.0, f64::max)).sum()
    }
}

impl Node {
    fn strike(&mut self) {
        let Some(acknowledged) = self.instances.values().map(|(epoch, _)| *epoch).min().flatten() else { return };
        let newest = self.out.iter().map(|l| l.table.epoch).filter(|e| *e <= acknowledged).max().unwrap_or(0);
        self.out.retain(|l| l.table.epoch >= newest);
    }
}

impl Lease {
    fn rate(&self, t: Timestamp) -> f64 {
        if self.ended || t >= self.table.expires_at {
            return self.table.pool.safe_per_s;
        }
        rate_at(&self.table.pool.refill_per_s, self.table.step_at(t))
    }
}
