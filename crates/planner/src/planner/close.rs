//! Folding finished windows in, and looking ahead from there.

use tidegate_wire::Timestamp;

use super::Planner;
use crate::{allocate::supply::Outcome, forecast::STEPS, state::Window};

impl Planner {
    /// Closes every window up to `last`.
    pub(super) fn close(&mut self, last: Window) {
        for window in self.store.to_close(last) {
            self.store.close(window);
            if !self.settings.without.calibration {
                self.calibration.update(self.gamma, &self.store);
            }
            self.settle(window);
        }
    }

    fn settle(&mut self, window: Window) {
        let interval = self.store.interval_s();
        let start = Timestamp::from_secs(window * interval);
        let columns = &self.store.columns;
        for (node, supply) in self.store.nodes.iter().zip(&mut self.supplies).filter(|(n, _)| n.known) {
            let total = node.total as usize;
            let outcome = Outcome {
                demand: f64::from(self.store.demand(total, 0)),
                offered: f64::from(columns.offered[total]),
                throttled: f64::from(columns.throttled[total]),
                reported: !node.guessed.contains(&window),
            };
            supply.acknowledge(node, start.plus_secs(interval));
            supply.close(outcome, start, interval as f64);
        }
    }

    /// Notes each node's forecast and lets leases that have ended go.
    pub(super) fn foresee(&mut self, now: Timestamp) {
        for (node, supply) in self.store.nodes.iter().zip(&mut self.supplies).filter(|(n, _)| n.known) {
            let total = node.total as usize;
            supply.expect(std::array::from_fn::<_, STEPS, _>(|s| f64::from(self.means.steps[s][total])));
            supply.ledger.expire(now);
        }
    }
}
