//! When a lease takes effect.

use std::sync::Arc;

use tidegate_replay::{
    compare::Case,
    contender::{Brief, Contender, Leased},
    kv::Staleness,
    lease,
    origin::Origin,
    simulate::simulate,
};
use tidegate_wire::{RateTable, Report, Timestamp};

use crate::traffic;

const ORIGIN: Origin = Origin { sustained_per_s: 100.0, burst: 1000.0 };

/// Leases nothing at first, and 2 tokens/s to each of two nodes at its first tick.
struct Once {
    epoch: u64,
}

impl Contender for Once {
    fn opening(&mut self) -> Vec<Leased> {
        (0..2).map(|node| (node, Arc::new(lease::fixed(node, 0, 0.0, 0.0)))).collect()
    }

    fn tick(&mut self, now: Timestamp, _reports: &[Report]) -> Vec<Leased> {
        self.epoch += 1;
        let table = |node| RateTable { epoch: self.epoch, ..lease::fixed(node, now.as_secs(), 2.0, 10.0) };
        (0..2).map(|node| (node, Arc::new(table(node)))).collect()
    }
}

fn leased_by_window(case: &Case, staleness: Staleness) -> Vec<f64> {
    let brief = Brief { workload: &case.workload, fit: &case.fit, origin: ORIGIN, model: None };
    let outcome = simulate(&brief, Box::new(Once { epoch: 1 }), staleness, 0, &|| ());
    outcome.windows.iter().map(|w| w.leased).collect()
}

#[test]
fn a_plan_holds_from_the_next_window_on_plus_the_delay() {
    let case = traffic::case(&traffic::trace(&[(0, 0, 1), (299, 1, 1)]), traffic::options());
    let leased = |delay_s, poll_s| leased_by_window(&case, Staleness { delay_s, poll_s });
    // Five windows are scored; 2 nodes at 2 tokens/s are 120 tokens a window.
    assert_eq!(leased(0, 0), [0.0, 120.0, 120.0, 120.0, 120.0]);
    assert_eq!(leased(30, 0), [0.0, 0.0, 120.0, 120.0, 120.0]);
    assert_eq!(leased(60, 0), [0.0, 0.0, 0.0, 120.0, 120.0]);
    // 45 s after the tick at the end of the first window.
    assert_eq!(leased(45, 0), [0.0, 0.0, 60.0, 120.0, 120.0]);
}

#[test]
fn a_node_waits_for_its_poll() {
    let case = traffic::case(&traffic::trace(&[(0, 0, 1), (299, 1, 1)]), traffic::options());
    // The scored part begins at second 150, the first tick is at 180; node 0 polls at 180, node 1 at 181.
    assert_eq!(leased_by_window(&case, Staleness { delay_s: 0, poll_s: 20 })[..2], [0.0, 118.0]);
}
