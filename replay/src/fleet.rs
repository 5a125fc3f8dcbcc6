//! The edge nodes of one run, each with the real bucket, and what they report.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_edge_node::{EdgeNode, Ladder, Options};
use tidegate_wire::{BucketCounts, RateTable, Report, Timestamp};

use crate::{
    lease,
    workload::{Demand, Series, WINDOW_S, Workload},
};

/// Long enough for any bucket worth having to fill up.
const REST_S: i64 = 30 * 86_400;

/// All nodes of one run.
pub struct Fleet<'a> {
    workload: &'a Workload,
    sees_all: bool,
    enforcing: bool,
    bucket_ids: Vec<String>,
    nodes: Vec<Node>,
}

struct Node {
    edge: EdgeNode,
    table: Option<Arc<RateTable>>,
    /// Second up to which its lease has been added up.
    counted_to: u32,
    sequence: u64,
    /// Errors and bytes of the open window, by bucket.
    outcomes: BTreeMap<String, (u64, f64)>,
}

impl<'a> Fleet<'a> {
    /// Nodes without tables that only watch: they admit everything and report nothing as throttled. With `sees_all` there is
    /// one node for all.
    pub fn watching(workload: &'a Workload, sees_all: bool, second: u32) -> Self {
        let count = if sees_all { 1 } else { workload.nodes };
        let node = |n| Node {
            edge: EdgeNode::new(Workload::node_id(n), None, Options::default()),
            table: None,
            counted_to: second,
            sequence: 0,
            outcomes: BTreeMap::new(),
        };
        let bucket_ids = (0..workload.buckets).map(Workload::bucket_id).collect();
        Self { workload, sees_all, enforcing: false, bucket_ids, nodes: (0..count).map(node).collect() }
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Enforces from `second` on. Every node is full then, at the rates that it has.
    pub fn enforce(&mut self, second: u32) {
        self.enforcing = true;
        for (n, node) in self.nodes.iter_mut().enumerate() {
            node.edge = EdgeNode::new(Workload::node_id(n), None, Options::default());
            node.counted_to = second;
            if let Some(table) = node.table.take() {
                node.open(table, self.workload.start + i64::from(second));
            }
        }
    }

    /// Gives `node` the table that holds when enforcement begins at `second`, and all the tokens that it can save.
    pub fn open(&mut self, node: usize, table: Arc<RateTable>, second: u32) {
        self.nodes[node].open(table, self.workload.start + i64::from(second));
    }

    /// Gives `node` a table that it has polled at `second`. Returns what its lease before that amounts to.
    pub fn adopt(&mut self, node: usize, table: Arc<RateTable>, second: u32) -> f64 {
        let now = self.time(second);
        let leased = self.leased_by(node, second);
        let node = &mut self.nodes[node];
        node.edge.adopt(&table, now);
        node.table = Some(table);
        leased
    }

    /// Decides `requests` of `row`. Returns how many are admitted.
    pub fn decide(&mut self, row: &Demand, requests: u32) -> u64 {
        let now = self.time(row.second);
        let Series { node, bucket } = self.place(row);
        let taken = self.nodes[node].edge.take(&self.bucket_ids[bucket], u64::from(requests), now);
        if self.enforcing { taken.admitted } else { u64::from(requests) }
    }

    /// Records how the `admitted` requests of `row` went.
    pub fn record(&mut self, row: &Demand, admitted: u64) {
        let Series { node, bucket } = self.place(row);
        let part = admitted as f64 / f64::from(row.requests);
        let errors = (f64::from(row.errors) * part).round() as u64;
        let bytes = f64::from(row.bytes_mean) * admitted as f64;
        if errors == 0 && bytes <= 0.0 {
            return;
        }
        let outcome = self.nodes[node].outcomes.entry(self.bucket_ids[bucket].clone()).or_default();
        outcome.0 += errors;
        outcome.1 += bytes;
    }

    /// Every node's report of `window`; a node without a request reports too.
    pub fn reports(&mut self, window: u32) -> Vec<Report> {
        let start = self.time(window * WINDOW_S);
        let enforcing = self.enforcing;
        self.nodes.iter_mut().map(|node| node.report(start, enforcing)).collect()
    }

    /// Tokens leased to all nodes since they were last added up, until `second`.
    pub fn leased(&mut self, second: u32) -> f64 {
        (0..self.nodes.len()).map(|node| self.leased_by(node, second)).sum()
    }

    fn leased_by(&mut self, node: usize, second: u32) -> f64 {
        let until = self.time(second);
        let mut at = self.time(self.nodes[node].counted_to);
        self.nodes[node].counted_to = second;
        let Some(table) = &self.nodes[node].table else { return 0.0 };
        let ladder = Ladder::new(table);
        let mut tokens = 0.0;
        while at < until {
            let end = ladder.next_change(at).map_or(until, |change| change.min(until));
            tokens += ladder.stage(at).rate(&table.pool.refill_per_s, table.pool.safe_per_s) * end.secs_since(at);
            at = end;
        }
        tokens
    }

    /// Where `row` arrives.
    pub fn place(&self, row: &Demand) -> Series {
        let series = self.workload.series[row.series as usize];
        if self.sees_all { Series { node: 0, ..series } } else { series }
    }

    fn time(&self, second: u32) -> Timestamp {
        Timestamp::from_secs(self.workload.start + i64::from(second))
    }
}

impl Node {
    fn open(&mut self, table: Arc<RateTable>, second: i64) {
        self.edge.adopt(&lease::long_held(&table, second, REST_S), Timestamp::from_secs(second - REST_S));
        self.edge.adopt(&table, Timestamp::from_secs(second));
        self.table = Some(table);
    }

    fn report(&mut self, start: Timestamp, enforcing: bool) -> Report {
        self.sequence += 1;
        let mut report = self.edge.report(start, WINDOW_S, self.sequence);
        for counts in &mut report.buckets {
            add_outcome(counts, &self.outcomes);
            if !enforcing {
                counts.throttled = 0;
            }
        }
        self.outcomes.clear();
        report
    }
}

fn add_outcome(counts: &mut BucketCounts, outcomes: &BTreeMap<String, (u64, f64)>) {
    let Some(&(errors, bytes)) = outcomes.get(&counts.bucket) else { return };
    counts.errors = errors;
    counts.bytes = bytes as u64;
}
