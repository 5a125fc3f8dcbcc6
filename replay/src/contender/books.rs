//! Leases pools of nodes so that all that are out never add up to more than the origin has.

use std::{collections::VecDeque, sync::Arc};

use tidegate_planner::allocate::ledger::within;
use tidegate_wire::Report;

use super::{Brief, Leased, fixed};
use crate::{lease, origin::Origin, workload::Workload};

/// Least part of an even share that a node is given, so that a newcomer can show what it needs.
const FLOOR: f64 = 0.02;
/// Weight of the newest tick in a node's part of the burst. What a node has saved above a burst that shrinks is lost, so bursts
/// that jump with every forecast cost more than they bring.
const BURST_NEWEST: f64 = 0.1;

/// Pools without guarantees or end, one per node. A raise waits until others have given up, and are known to have given up,
/// what it needs: they acknowledge a table by reporting its epoch.
pub struct Books {
    origin: Origin,
    ceiling_per_s: f64,
    opening_second: i64,
    opening: Vec<f64>,
    epoch: u64,
    /// Part of the origin's burst that each node should have.
    burst_parts: Vec<f64>,
    /// By node, every pool that it may be enforcing, oldest first.
    out: Vec<VecDeque<Pool>>,
}

struct Pool {
    epoch: u64,
    per_s: f64,
    burst: f64,
}

impl Books {
    /// Empty books; the opening leases will go by the nodes' mean demand.
    pub fn new(brief: &Brief) -> Self {
        Self {
            origin: brief.origin,
            ceiling_per_s: brief.workload.peak_per_s(),
            opening_second: fixed::opening_second(brief),
            opening: fixed::by_node(brief, &brief.fit.by_mean),
            burst_parts: fixed::by_node(brief, &brief.fit.by_mean),
            epoch: 0,
            out: (0..brief.workload.nodes).map(|_| VecDeque::new()).collect(),
        }
    }

    /// The origin whose capacity is leased.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Part of the origin that each node opens with; they add up to one.
    pub fn opening_parts(&self) -> &[f64] {
        &self.opening
    }

    /// Leases that hold when the scored part begins.
    pub fn open(&mut self) -> Vec<Leased> {
        let rates: Vec<f64> = self.opening.iter().map(|part| part * self.origin.sustained_per_s).collect();
        self.lease(self.opening_second, &rates)
    }

    /// Crosses out what the nodes can no longer be enforcing.
    pub fn acknowledge(&mut self, reports: &[Report]) {
        for report in reports {
            let (Some(epoch), Some(node)) = (report.epoch, Workload::node_index(&report.node)) else { continue };
            let Some(out) = self.out.get_mut(node) else { continue };
            while out.front().is_some_and(|pool| pool.epoch < epoch) {
                out.pop_front();
            }
        }
    }

    /// Leases rates as near to `wanted`, tokens/s by node, as what others hold allows. A node's part of the origin's burst
    /// follows, slowly, its part of all that is wanted.
    pub fn lease(&mut self, second: i64, wanted: &[f64]) -> Vec<Leased> {
        let floor = FLOOR * self.origin.sustained_per_s / wanted.len().max(1) as f64;
        let wanted: Vec<f64> = wanted.iter().map(|w| w.max(floor)).collect();
        let total: f64 = wanted.iter().sum();
        let cut = (self.origin.sustained_per_s / total).min(1.0);
        let rates: Vec<f64> = wanted.iter().map(|w| w * cut).collect();
        for (part, wanted) in self.burst_parts.iter_mut().zip(&wanted) {
            *part += BURST_NEWEST * (wanted / total - *part);
        }
        let bursts: Vec<f64> = self.burst_parts.iter().map(|part| part * self.origin.burst).collect();
        let rates = within(self.origin.sustained_per_s, &self.held(|pool| pool.per_s), &rates);
        let bursts = within(self.origin.burst, &self.held(|pool| pool.burst), &bursts);
        self.issue(second, &rates, &bursts)
    }

    /// The most that each node may be enforcing.
    fn held(&self, amount: impl Fn(&Pool) -> f64) -> Vec<f64> {
        self.out.iter().map(|pools| pools.iter().map(&amount).fold(0.0, f64::max)).collect()
    }

    fn issue(&mut self, second: i64, rates: &[f64], bursts: &[f64]) -> Vec<Leased> {
        self.epoch += 1;
        let (epoch, ceiling_per_s) = (self.epoch, self.ceiling_per_s);
        let mut leased = Vec::with_capacity(rates.len());
        for (node, (&per_s, &burst)) in rates.iter().zip(bursts).enumerate() {
            self.out[node].push_back(Pool { epoch, per_s, burst });
            let mut table = lease::fixed(node, second, per_s, burst);
            lease::ceiling(&mut table, ceiling_per_s);
            table.epoch = epoch;
            leased.push((node, Arc::new(table)));
        }
        leased
    }
}
