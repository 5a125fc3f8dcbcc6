//! What a contender is judged by.

use serde::Serialize;

use crate::{
    fair::max_min_level,
    origin::{Origin, OriginMeter},
    workload::{Demand, WINDOW_S, Workload},
};

/// Scores of one contender over the scored part of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Name of the contender.
    pub name: String,
    /// Share of the demand that was refused.
    pub throttled_share: f64,
    /// Share of the seconds in which more had been admitted than the origin's sustained capacity and burst allow.
    pub overload_share: f64,
    /// Tokens leased to nodes for each request served.
    pub leased_per_served: f64,
    /// Share of the demand that was refused to buckets that stayed within their max-min fair share of the window.
    pub refused_within_share: f64,
    /// `throttled_share` less that of `central`, the bound.
    pub regret: f64,
}

/// One window of the scored part, for plots.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WindowTotals {
    /// Requests offered.
    pub demand: u64,
    /// Requests admitted.
    pub admitted: u64,
    /// Tokens leased to nodes.
    pub leased: f64,
}

/// What became of one series in the scored part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Served {
    /// Requests offered.
    pub demand: u64,
    /// Requests admitted.
    pub admitted: u64,
}

/// What one bucket got of its max-min fair shares of the windows of the scored part, in requests.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FairShare {
    /// Demand within its shares.
    pub entitled: f64,
    /// Of that, admitted.
    pub within: f64,
    /// Admitted beyond its shares.
    pub beyond: f64,
}

/// Adds up a scored part second by second.
pub struct Tally {
    origin: Origin,
    meter: OriginMeter,
    first_second: u32,
    demand: u64,
    throttled: u64,
    refused_within: u64,
    leased: f64,
    windows: Vec<WindowTotals>,
    open: WindowTotals,
    /// Of the open window, by bucket.
    demands: Vec<u64>,
    refused: Vec<u64>,
    asked: Vec<usize>,
    served: Vec<Served>,
    fair: Vec<FairShare>,
}

impl Tally {
    /// An empty tally of `workload`.
    pub fn new(workload: &Workload, origin: Origin) -> Self {
        let first_second = workload.fit_windows * WINDOW_S;
        Self {
            origin,
            meter: OriginMeter::new(origin, first_second),
            first_second,
            demand: 0,
            throttled: 0,
            refused_within: 0,
            leased: 0.0,
            windows: vec![],
            open: WindowTotals::default(),
            demands: vec![0; workload.buckets],
            refused: vec![0; workload.buckets],
            asked: vec![],
            served: vec![Served::default(); workload.series.len()],
            fair: vec![FairShare::default(); workload.buckets],
        }
    }

    /// What became of each series, and what each bucket got of its fair shares in the windows that were closed.
    pub fn by_series_and_bucket(&self) -> (Vec<Served>, Vec<FairShare>) {
        (self.served.clone(), self.fair.clone())
    }

    /// Counts what became of `row`, asked of `bucket`.
    pub fn decided(&mut self, row: &Demand, bucket: usize, admitted: u64) {
        let offered = u64::from(row.requests);
        if self.demands[bucket] == 0 {
            self.asked.push(bucket);
        }
        self.demands[bucket] += offered;
        self.refused[bucket] += offered - admitted;
        let served = &mut self.served[row.series as usize];
        served.demand += offered;
        served.admitted += admitted;
        self.open.demand += offered;
        self.open.admitted += admitted;
        self.meter.admit(admitted, row.second);
    }

    /// Counts `tokens` that were leased, used or not.
    pub fn leased(&mut self, tokens: f64) {
        self.open.leased += tokens;
    }

    /// Ends the window in which all was counted since the last one ended.
    pub fn close_window(&mut self) {
        let demands: Vec<u64> = self.asked.iter().map(|&b| self.demands[b]).collect();
        let level = max_min_level(&demands, self.origin.sustained_per_s * f64::from(WINDOW_S));
        for bucket in self.asked.drain(..) {
            let admitted = (self.demands[bucket] - self.refused[bucket]) as f64;
            let entitled = (self.demands[bucket] as f64).min(level);
            let fair = &mut self.fair[bucket];
            fair.entitled += entitled;
            fair.within += admitted.min(entitled);
            fair.beyond += (admitted - entitled).max(0.0);
            if self.demands[bucket] as f64 <= level {
                self.refused_within += self.refused[bucket];
            }
            (self.demands[bucket], self.refused[bucket]) = (0, 0);
        }
        self.demand += self.open.demand;
        self.throttled += self.open.demand - self.open.admitted;
        self.leased += self.open.leased;
        self.windows.push(std::mem::take(&mut self.open));
    }

    /// Scores all windows that were closed; `name` and `regret` are left empty.
    pub fn finish(mut self) -> (Score, Vec<WindowTotals>) {
        let seconds = self.windows.len() as u32 * WINDOW_S;
        let overloaded = self.meter.overloaded_seconds(self.first_second + seconds);
        let served = (self.demand - self.throttled).max(1) as f64;
        let demand = self.demand.max(1) as f64;
        let score = Score {
            name: String::new(),
            throttled_share: self.throttled as f64 / demand,
            overload_share: overloaded as f64 / f64::from(seconds.max(1)),
            leased_per_served: self.leased / served,
            refused_within_share: self.refused_within as f64 / demand,
            regret: 0.0,
        };
        (score, self.windows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Series;

    /// Two buckets at one node; the scored part is the second of two windows.
    fn workload() -> Workload {
        let series = (0..2).map(|bucket| Series { node: 0, bucket }).collect();
        Workload { start: 0, windows: 2, fit_windows: 1, nodes: 1, buckets: 2, series, rows: vec![] }
    }

    fn row(second: u32, series: u32, requests: u32) -> Demand {
        Demand { second, series, requests, errors: 0, bytes_mean: 0.0 }
    }

    #[test]
    fn shares_are_of_the_demand() {
        let mut tally = Tally::new(&workload(), Origin { sustained_per_s: 1.0, burst: 60.0 });
        tally.decided(&row(30, 0, 60), 0, 45);
        tally.decided(&row(31, 1, 10), 1, 5);
        tally.decided(&row(40, 1, 5), 1, 5);
        tally.leased(110.0);
        tally.close_window();
        let (score, windows) = tally.finish();
        assert_eq!(score.throttled_share, 20.0 / 75.0);
        // 30 tokens: 15 each, so bucket 1 with its 15 stayed within and bucket 0 with 60 did not.
        assert_eq!(score.refused_within_share, 5.0 / 75.0);
        assert_eq!(score.leased_per_served, 2.0);
        assert_eq!(score.overload_share, 0.0);
        assert_eq!(windows, [WindowTotals { demand: 75, admitted: 55, leased: 110.0 }]);
    }

    #[test]
    fn a_bucket_above_its_fair_share_is_not_within_it() {
        let mut tally = Tally::new(&workload(), Origin { sustained_per_s: 1.0, burst: 60.0 });
        tally.decided(&row(30, 0, 16), 0, 0);
        tally.decided(&row(30, 1, 16), 1, 16);
        tally.close_window();
        assert_eq!(tally.finish().0.refused_within_share, 0.0);
    }

    #[test]
    fn fair_shares_are_of_one_window() {
        let mut tally = Tally::new(&workload(), Origin { sustained_per_s: 1.0, burst: 60.0 });
        for second in [30, 60] {
            tally.decided(&row(second, 0, 20), 0, 10);
            tally.close_window();
        }
        assert_eq!(tally.finish().0.refused_within_share, 0.5, "20 of 30 twice, not 40 of 30");
    }

    #[test]
    fn overload_is_a_share_of_the_seconds() {
        let mut tally = Tally::new(&workload(), Origin { sustained_per_s: 1.0, burst: 5.0 });
        tally.decided(&row(57, 0, 100), 0, 100);
        tally.close_window();
        assert_eq!(tally.finish().0.overload_share, 3.0 / 30.0);
    }
}
