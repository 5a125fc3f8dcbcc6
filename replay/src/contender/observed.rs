//! What contenders read out of reports, node by node.

use tidegate_wire::Report;

use crate::workload::{WINDOW_S, Workload};

/// What a node did in one window.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Observed {
    /// Requests offered.
    pub offered: f64,
    /// Of them, refused.
    pub throttled: f64,
}

/// The nodes' windows out of `reports`, by node; a node that did not report did nothing.
pub fn by_node(reports: &[Report], nodes: usize) -> Vec<Observed> {
    let mut observed = vec![Observed::default(); nodes];
    for report in reports {
        let Some(node) = Workload::node_index(&report.node).and_then(|node| observed.get_mut(node)) else { continue };
        for counts in &report.buckets {
            node.offered += counts.requests as f64;
            node.throttled += counts.throttled as f64;
        }
    }
    observed
}

/// Requests by node and window in the part before the scored one.
pub fn before(workload: &Workload) -> Vec<Vec<f64>> {
    let mut counts = vec![vec![0.0; workload.fit_windows as usize]; workload.nodes];
    for row in workload.fit_rows() {
        let node = workload.series[row.series as usize].node;
        counts[node][(row.second / WINDOW_S) as usize] += f64::from(row.requests);
    }
    counts
}
