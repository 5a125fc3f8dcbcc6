//! The closed loop of one contender on simulated time: nodes decide and report, the contender leases, the store delays.

use tidegate_wire::{Report, Timestamp};

use crate::{
    arrivals::{Arrival, deal},
    contender::{Brief, Contender},
    fleet::Fleet,
    kv::{Kv, Staleness},
    ledger::{Breach, Ledger},
    score::{FairShare, Score, Served, Tally, WindowTotals},
    workload::{Demand, WINDOW_S, Workload},
};

/// What came out of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its scores; name and regret are still empty.
    pub score: Score,
    /// Each window of the scored part.
    pub windows: Vec<WindowTotals>,
    /// Each series of the workload, in its order.
    pub served: Vec<Served>,
    /// Each bucket of the workload.
    pub fair: Vec<FairShare>,
    /// The first time that the contender leased more than the origin has, if it ever did.
    pub breach: Option<Breach>,
}

/// Runs `contender` over the workload of `brief`; `window_done` is called after every window.
pub fn simulate(brief: &Brief, contender: Box<dyn Contender>, staleness: Staleness, seed: u64, window_done: &dyn Fn()) -> Outcome {
    let workload = brief.workload;
    let first = if contender.learns() { 0 } else { workload.fit_windows };
    let fleet = Fleet::watching(workload, contender.sees_all(), first * WINDOW_S);
    let mut run = Run {
        workload,
        seed,
        ledger: contender.keeps_books().then(|| Ledger::new(brief.origin, fleet.node_count())),
        breach: None,
        kv: Kv::new(staleness, seed),
        tally: Tally::new(workload, brief.origin),
        contender,
        fleet,
        arrivals: vec![],
        scored: false,
    };
    let mut rows = if first == 0 { &workload.rows[..] } else { workload.scored_rows() };
    for window in first..workload.windows {
        let end = (window + 1) * WINDOW_S;
        let (now, later) = rows.split_at(rows.partition_point(|r| r.second < end));
        rows = later;
        run.window(window, now);
        window_done();
    }
    let (served, fair) = run.tally.by_series_and_bucket();
    let (score, windows) = run.tally.finish();
    Outcome { score, windows, served, fair, breach: run.breach }
}

struct Run<'a> {
    workload: &'a Workload,
    seed: u64,
    contender: Box<dyn Contender>,
    fleet: Fleet<'a>,
    kv: Kv,
    ledger: Option<Ledger>,
    breach: Option<Breach>,
    tally: Tally,
    arrivals: Vec<Arrival>,
    scored: bool,
}

impl Run<'_> {
    fn window(&mut self, window: u32, rows: &[Demand]) {
        if window == self.workload.fit_windows {
            self.begin_scored_part(window * WINDOW_S);
        }
        for rows in rows.chunk_by(|a, b| a.second == b.second) {
            self.deliver(rows[0].second);
            self.second(rows);
        }
        let end = (window + 1) * WINDOW_S;
        self.deliver(end - 1);
        let leased = self.fleet.leased(end);
        if self.scored {
            self.tally.leased(leased);
            self.tally.close_window();
        }
        let reports = self.fleet.reports(window);
        self.tick(end, &reports);
    }

    fn begin_scored_part(&mut self, second: u32) {
        self.deliver(second);
        self.scored = true;
        self.fleet.enforce(second);
        for (node, table) in self.contender.opening() {
            // Epoch 0 is what a node was set up with; nobody leased it.
            if let Some(ledger) = self.ledger.as_mut().filter(|_| table.epoch > 0) {
                ledger.issued(node, &table);
            }
            self.fleet.open(node, table, second);
        }
    }

    /// Hands over every table that has been polled by `second`.
    fn deliver(&mut self, second: u32) {
        while let Some((arrival, node, table)) = self.kv.polled_by(second) {
            let leased = self.fleet.adopt(node, table, arrival);
            if self.scored {
                self.tally.leased(leased);
            }
        }
    }

    fn second(&mut self, rows: &[Demand]) {
        let mut arrivals = std::mem::take(&mut self.arrivals);
        deal(rows, self.seed, &mut arrivals);
        let mut admitted = vec![0; rows.len()];
        for arrival in &arrivals {
            admitted[arrival.row] += self.fleet.decide(&rows[arrival.row], arrival.requests);
        }
        for (row, &admitted) in rows.iter().zip(&admitted) {
            self.fleet.record(row, admitted);
            if self.scored {
                self.tally.decided(row, self.fleet.place(row).bucket, admitted);
            }
        }
        self.arrivals = arrivals;
    }

    fn tick(&mut self, second: u32, reports: &[Report]) {
        let now = Timestamp::from_secs(self.workload.start + i64::from(second));
        let leased = self.contender.tick(now, reports);
        if let Some(ledger) = &mut self.ledger {
            for (node, report) in reports.iter().enumerate() {
                ledger.acknowledged(node, report.epoch.unwrap_or(0));
            }
            leased.iter().for_each(|(node, table)| ledger.issued(*node, table));
            let breach = ledger.check(now).err();
            self.breach = self.breach.take().or(breach);
        }
        for (node, table) in leased {
            self.kv.publish(node, table, second);
        }
    }
}
