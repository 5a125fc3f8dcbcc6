//! What the state looks like from outside: nodes, and the series with the most demand.

use super::Planner;
use crate::{
    forecast::{STEPS, calibration::LEVELS, count::whole},
    state::TOTAL,
};

/// A node as of the last window.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeView {
    /// Its id.
    pub node: String,
    /// Whether it reported the last window that was closed.
    pub reporting: bool,
    /// The epoch that all its instances have acknowledged.
    pub acknowledged: Option<u64>,
    /// Requests offered in the last window.
    pub demand: f64,
    /// Requests throttled in the last window.
    pub throttled: f64,
    /// Requests expected in the next window.
    pub forecast: f64,
}

/// A series as of the last window.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesView {
    /// The node.
    pub node: String,
    /// The bucket.
    pub bucket: String,
    /// Requests offered in the last window.
    pub demand: f64,
    /// Requests throttled in the last window.
    pub throttled: f64,
    /// Requests expected in the next window.
    pub forecast: f64,
    /// Guaranteed rate, tokens per second; 0 when the bucket is served by the table's default.
    pub refill_per_s: f64,
    /// Most it may reach when it borrows, tokens per second.
    pub ceiling_per_s: f64,
    /// The rule that bound the rate, as in [`crate::Explanation::bound_by`].
    pub bound_by: &'static str,
}

/// What is expected of a series in each of the next windows.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// Mean, by step ahead, requests.
    pub mean: [f64; STEPS],
    /// Requests that are not exceeded with probability 0.5, 0.9 and 0.99, by step ahead.
    pub quantiles: [[f64; LEVELS.len()]; STEPS],
    /// The same of the requests plus a uniform number from 0 to 1, on which coverage can be measured whatever the mean: see
    /// [`crate::forecast::count::covered`].
    pub jittered: [[f64; LEVELS.len()]; STEPS],
}

impl Planner {
    /// What is expected of the series in `row` of the store, as of the last tick; `None` when the row is free or newer than that.
    pub fn outlook(&self, row: usize) -> Option<Outlook> {
        if row >= self.means.steps[0].len() || self.store.index.name(row).is_none() {
            return None;
        }
        let mean = std::array::from_fn(|step| f64::from(self.means.steps[step][row]));
        let over = f64::from(self.store.columns.overdispersion[row]);
        let jittered: [_; STEPS] = std::array::from_fn(|step| self.calibration.jittered(self.gamma, step, mean[step], over));
        Some(Outlook { mean, quantiles: jittered.map(|levels| levels.map(whole)), jittered })
    }

    /// Every node that is known, by number.
    pub fn nodes(&self) -> Vec<NodeView> {
        let columns = &self.store.columns;
        let view = |node: &crate::state::Node| NodeView {
            node: node.name.clone(),
            reporting: Some(node.last) >= self.store.closed(),
            acknowledged: node.acknowledged(),
            demand: columns.offered[node.total as usize].into(),
            throttled: columns.throttled[node.total as usize].into(),
            forecast: columns.forecast[node.total as usize].into(),
        };
        self.store.nodes.iter().filter(|n| n.known).map(view).collect()
    }

    /// The `most` series with the most requests in the last window, the busiest first. One pass over all series.
    pub fn busiest(&self, most: usize) -> Vec<SeriesView> {
        let index = &self.store.index;
        let is_series = |row: &usize| index.name(*row).is_some_and(|name| name != TOTAL);
        let busier = |a: &usize, b: &usize| self.store.columns.offered[*b].total_cmp(&self.store.columns.offered[*a]).then(a.cmp(b));
        let mut rows: Vec<usize> = (0..self.store.rows()).filter(|row| self.store.columns.offered[*row] > 0.0).filter(is_series).collect();
        if rows.len() > most && most > 0 {
            rows.select_nth_unstable_by(most - 1, busier);
        }
        rows.truncate(most);
        rows.sort_unstable_by(busier);
        rows.into_iter().filter_map(|row| self.series_view(row)).collect()
    }

    fn series_view(&self, row: usize) -> Option<SeriesView> {
        let columns = &self.store.columns;
        let bucket = self.store.index.name(row)?;
        let node = &self.store.nodes[columns.node[row] as usize].name;
        let table = self.tables.get(node);
        let entry = table.and_then(|t| t.buckets.get(bucket));
        Some(SeriesView {
            node: node.clone(),
            bucket: bucket.to_owned(),
            demand: columns.offered[row].into(),
            throttled: columns.throttled[row].into(),
            forecast: columns.forecast[row].into(),
            refill_per_s: entry.and_then(|e| e.refill_per_s.first()).copied().unwrap_or(0.0),
            ceiling_per_s: entry.or(table.map(|t| &t.default)).map_or(0.0, |served| served.ceiling_per_s),
            bound_by: if entry.is_some() { self.rule(row) } else { "default" },
        })
    }
}

#[cfg(test)]
mod tests {
    use tidegate_wire::{BucketCounts, Report, Timestamp};

    use crate::{Planner, Settings};

    #[test]
    fn the_busiest_series_come_first_and_totals_are_not_among_them() {
        let mut planner = Planner::new(Settings::default(), None).unwrap();
        planner.raise_epoch(7);
        let counts = |bucket: &str, requests| BucketCounts { bucket: bucket.into(), requests, throttled: 1, ..Default::default() };
        planner.observe(&Report {
            node: "n".into(),
            instance: None,
            sequence: 1,
            epoch: Some(7),
            staleness_ms: None,
            start: Timestamp::from_secs(0),
            seconds: 30,
            cpu: None,
            memory: None,
            buckets: vec![counts("low", 3), counts("high", 30), counts("middle", 10)],
        });
        let plan = planner.tick(Timestamp::from_secs(33));
        let pool = &plan.tables["n"].pool;
        assert!(pool.refill_per_s.iter().all(|r| r.is_finite() && *r > 0.0), "the first lease of a node: {pool:?}");
        let busiest = planner.busiest(2);
        let names: Vec<_> = busiest.iter().map(|s| (s.node.as_str(), s.bucket.as_str(), s.demand)).collect();
        assert_eq!(names, [("n", "high", 30.0), ("n", "middle", 10.0)]);
        assert_eq!(planner.busiest(9).len(), 3);
        assert_eq!(planner.busiest(0), []);
        let nodes = planner.nodes();
        assert_eq!((nodes.len(), nodes[0].demand, nodes[0].throttled), (1, 43.0, 3.0));
        assert_eq!((nodes[0].acknowledged, nodes[0].reporting), (Some(7), true));
    }
}
