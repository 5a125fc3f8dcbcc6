//! Bytes that are no snapshot are refused, and the planner goes on as if nothing had happened.

use proptest::{collection::vec, prelude::*};
use tidegate_planner::{Planner, Settings};

use crate::nodes::{report, tick};

fn running() -> Planner {
    let mut planner = Planner::new(Settings::default(), None).unwrap();
    for window in 0..5 {
        planner.observe(&report("n", window, &[("a", 40), ("b", 3)]));
        tick(&mut planner, window);
    }
    planner
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_torn_snapshot_is_refused(cut in any::<prop::sample::Index>()) {
        let mut planner = running();
        let before = planner.snapshot();
        prop_assert!(planner.restore(&before[..cut.index(before.len())]).is_err());
        prop_assert!(planner.snapshot() == before, "the planner has changed");
    }

    #[test]
    fn garbage_is_refused(garbage in vec(any::<u8>(), 0..400), headed in any::<bool>()) {
        let mut planner = running();
        let before = planner.snapshot();
        let mut bytes = if headed { before[..4].to_vec() } else { vec![] };
        bytes.extend(garbage);
        prop_assert!(planner.restore(&bytes).is_err());
        prop_assert!(planner.snapshot() == before, "the planner has changed");
    }
}

#[test]
fn what_follows_a_snapshot_is_refused_too() {
    let mut planner = running();
    let mut bytes = planner.snapshot();
    bytes.push(0);
    assert!(planner.restore(&bytes).is_err());
}

#[test]
fn a_snapshot_of_another_interval_is_refused() {
    let bytes = running().snapshot();
    let mut other = Planner::new(Settings { interval_s: 60, ..Settings::default() }, None).unwrap();
    let error = other.restore(&bytes).unwrap_err().to_string();
    assert!(error.contains("30 s") && error.contains("60 s"), "{error}");
}
