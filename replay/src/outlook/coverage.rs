//! How often demand stayed within what was said not to be exceeded.

use std::collections::VecDeque;

use tidegate_planner::{
    Outlook, Planner,
    forecast::{
        STEPS,
        calibration::LEVELS,
        count::{covered, whole},
    },
    state::Window,
};

/// Sums of coverage over series and windows, by step ahead and level.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Coverage {
    /// Forecasts that were compared, by step.
    pub seen: [u64; STEPS],
    /// Sum of the coverage of requests plus a uniform number, in expectation.
    pub sums: [[f64; LEVELS.len()]; STEPS],
    /// Forecasts whose whole number of requests was not exceeded.
    pub within: [[u64; LEVELS.len()]; STEPS],
    /// The same of forecasts of at least one request: how many, and the sum of their coverage, at the first step.
    pub busy: (u64, [f64; LEVELS.len()]),
    pending: VecDeque<(Window, Vec<Claim>)>,
}

#[derive(Debug, Clone, PartialEq)]
struct Claim {
    row: usize,
    born: Window,
    outlook: Outlook,
}

impl Coverage {
    /// Notes what the planner expects after its last window, of about `rows` series; returns of how many.
    pub fn expect(&mut self, planner: &Planner, rows: usize) -> usize {
        let store = planner.store();
        let Some(closed) = store.closed() else { return 0 };
        let every = store.rows().div_ceil(rows).max(1);
        let claim = |row: usize| Some(Claim { row, born: store.columns.born[row], outlook: planner.outlook(row)? });
        // Other rows than those that the planner calibrates by.
        let first = (7 * closed + 3).rem_euclid(every as i64) as usize;
        let claims: Vec<Claim> = (first..store.rows()).step_by(every).filter_map(claim).collect();
        let count = claims.len();
        self.pending.push_front((closed, claims));
        self.pending.truncate(STEPS);
        count
    }

    /// Compares the planner's last window with what was noted before.
    pub fn compare(&mut self, planner: &Planner) {
        let store = planner.store();
        let Some(closed) = store.closed() else { return };
        for (made, claims) in &self.pending {
            let Some(step) = (closed - made - 1).try_into().ok().filter(|step: &usize| *step < STEPS) else { continue };
            for claim in claims.iter().filter(|c| store.index.name(c.row).is_some() && store.columns.born[c.row] == c.born) {
                let actual = f64::from(store.demand(claim.row, 0));
                self.seen[step] += 1;
                let busy = step == 0 && claim.outlook.mean[step] >= 1.0;
                self.busy.0 += u64::from(busy);
                for (level, quantile) in claim.outlook.jittered[step].into_iter().enumerate() {
                    self.sums[step][level] += covered(quantile, actual);
                    self.busy.1[level] += if busy { covered(quantile, actual) } else { 0.0 };
                    self.within[step][level] += u64::from(actual <= whole(quantile));
                }
            }
        }
    }

    /// Share covered at `step` and `level`, of requests plus a uniform number.
    pub fn share(&self, step: usize, level: usize) -> f64 {
        self.sums[step][level] / self.seen[step].max(1) as f64
    }

    /// Share covered at the first step and `level`, of forecasts of at least one request.
    pub fn share_busy(&self, level: usize) -> f64 {
        self.busy.1[level] / self.busy.0.max(1) as f64
    }

    /// Share of the forecasts at `step` whose whole number of requests was not exceeded.
    pub fn share_within(&self, step: usize, level: usize) -> f64 {
        self.within[step][level] as f64 / self.seen[step].max(1) as f64
    }
}
