//! When a lease takes effect.

use std::sync::Arc;

use tidegate_replay::{
    Options,
    compare::{Case, compare},
    contender::{Brief, Contender, Kind, Leased},
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
    let leased = |delay_s, poll_s| leased_by_window(&case, Staleness { poll_s, ..Staleness::fixed(delay_s) });
    // Five windows are scored; 2 nodes at 2 tokens/s are 120 tokens a window.
    assert_eq!(leased(0, 0), [0.0, 120.0, 120.0, 120.0, 120.0]);
    assert_eq!(leased(30, 0), [0.0, 0.0, 120.0, 120.0, 120.0]);
    assert_eq!(leased(60, 0), [0.0, 0.0, 0.0, 120.0, 120.0]);
    // 45 s after the tick at the end of the first window.
    assert_eq!(leased(45, 0), [0.0, 0.0, 60.0, 120.0, 120.0]);
}

#[test]
fn tables_that_come_at_odd_moments_serve_as_well_as_ones_that_are_all_as_late() {
    let staleness = vec![Staleness::fixed(60), Staleness { jitter_s: 30, ..Staleness::fixed(30) }];
    let options =
        Options { staleness, nodes: 4, capacities: vec![1.2], burst_seconds: 30.0, contenders: vec![Kind::Adaptive], ..traffic::options() };
    let comparisons = compare(&[traffic::case(&traffic::busy(), options)], None, &|| ()).unwrap();
    let [late, odd] = [0, 1].map(|i| comparisons[i].contenders[0].throttled_share);
    assert!(odd <= late + 0.01, "{odd} of the demand is refused, and {late} where every table is as late as the latest");
}

#[test]
fn a_node_waits_for_its_poll() {
    let case = traffic::case(&traffic::trace(&[(0, 0, 1), (299, 1, 1)]), traffic::options());
    // The scored part begins at second 150, the first tick is at 180; node 0 polls at 180, node 1 at 181.
    assert_eq!(leased_by_window(&case, Staleness { poll_s: 20, ..Staleness::default() })[..2], [0.0, 118.0]);
}
