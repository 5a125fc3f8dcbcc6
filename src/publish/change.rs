//! Whether a node's new table is worth a write: a store has limits on writes and a price for each.

use tidegate_wire::{BucketRates, RateTable, rates::rate_at};

/// Why a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The store has no table of the node, or it is not known which.
    Unknown,
    /// Less than half of the lease that the store has is left.
    Renewal,
    /// Other buckets, another mode, or another form of schedule.
    Shape,
    /// A rate has moved beyond the dead-band, or to or from zero.
    Rate,
}

/// Says why `new` should replace `held`, the table that the store has; `None` when it need not.
///
/// Schedules are compared by what a node would enforce at the same time: step 0 of the new one with the step that the old one
/// has reached by then. `dead_band` is a relative change.
pub fn reason(held: Option<&RateTable>, new: &RateTable, dead_band: f64) -> Option<Reason> {
    let Some(held) = held else { return Some(Reason::Unknown) };
    let lease_s = held.expires_at.secs_since(held.issued_at);
    if held.expires_at.secs_since(new.issued_at) < lease_s / 2.0 {
        return Some(Reason::Renewal);
    }
    if !same_shape(held, new) {
        return Some(Reason::Shape);
    }
    moved(held, new, dead_band).then_some(Reason::Rate)
}

fn same_shape(held: &RateTable, new: &RateTable) -> bool {
    let frame = |t: &RateTable| (t.version, t.step_s, t.mode, t.instances);
    frame(held) == frame(new) && held.buckets.keys().eq(new.buckets.keys())
}

fn moved(held: &RateTable, new: &RateTable, dead_band: f64) -> bool {
    let differs = |old: f64, new: f64| beyond(old, new, dead_band);
    // Both tables hold still once their schedules have run out, so this many steps tell all.
    let offset = held.step_at(new.issued_at);
    let schedules = |old: &[f64], new: &[f64]| {
        let steps = new.len().max(old.len().saturating_sub(offset)).max(1);
        (0..steps).any(|k| differs(rate_at(old, k + offset), rate_at(new, k)))
    };
    let buckets = |old: &BucketRates, new: &BucketRates| {
        differs(old.capacity, new.capacity)
            || differs(old.ceiling_per_s, new.ceiling_per_s)
            || old.ceiling_burst.is_some() != new.ceiling_burst.is_some()
            || differs(old.ceiling_burst.unwrap_or_default(), new.ceiling_burst.unwrap_or_default())
            || differs(old.safe_per_s, new.safe_per_s)
            || differs(old.must_leave, new.must_leave)
            || schedules(&old.refill_per_s, &new.refill_per_s)
    };
    differs(held.pool.capacity, new.pool.capacity)
        || differs(held.pool.safe_per_s, new.pool.safe_per_s)
        || schedules(&held.pool.refill_per_s, &new.pool.refill_per_s)
        || buckets(&held.default, &new.default)
        || held.buckets.values().zip(new.buckets.values()).any(|(old, new)| buckets(old, new))
}

fn beyond(old: f64, new: f64, dead_band: f64) -> bool {
    (old == 0.0) != (new == 0.0) || (new - old).abs() > dead_band * old.abs()
}

#[cfg(test)]
mod tests {
    use tidegate_wire::Mode;

    use super::*;
    use crate::publish::testing::table;

    const BAND: f64 = 0.05;

    fn after(held: &RateTable, edit: impl FnOnce(&mut RateTable)) -> Option<Reason> {
        let mut new = RateTable { epoch: held.epoch + 1, ..held.clone() };
        edit(&mut new);
        reason(Some(held), &new, BAND)
    }

    #[test]
    fn a_table_is_written_for_each_kind_of_change_and_for_none_within_the_dead_band() {
        let held = table("n", 7, 3);
        let later = |t: &mut RateTable, s: i64| {
            t.issued_at = t.issued_at.plus_secs(s);
            t.expires_at = t.expires_at.plus_secs(s);
        };
        let bucket = |t: &mut RateTable, edit: fn(&mut BucketRates)| edit(t.buckets.get_mut("b1").unwrap());
        assert_eq!(reason(None, &held, BAND), Some(Reason::Unknown));
        assert_eq!(after(&held, |_| ()), None);
        assert_eq!(after(&held, |t| later(t, 150)), None, "half of the lease is left");
        assert_eq!(after(&held, |t| later(t, 151)), Some(Reason::Renewal));
        assert_eq!(after(&held, |t| t.mode = Mode::Shadow), Some(Reason::Shape));
        assert_eq!(after(&held, |t| t.instances = 2), Some(Reason::Shape));
        assert_eq!(after(&held, |t| drop(t.buckets.remove("b2"))), Some(Reason::Shape));
        assert_eq!(after(&held, |t| bucket(t, |b| b.refill_per_s = vec![10.4])), None);
        assert_eq!(after(&held, |t| bucket(t, |b| b.refill_per_s = vec![10.6])), Some(Reason::Rate));
        assert_eq!(after(&held, |t| bucket(t, |b| b.refill_per_s = vec![9.4])), Some(Reason::Rate));
        assert_eq!(after(&held, |t| bucket(t, |b| b.refill_per_s = vec![0.0])), Some(Reason::Rate));
        assert_eq!(after(&held, |t| bucket(t, |b| b.ceiling_per_s *= 1.1)), Some(Reason::Rate));
        assert_eq!(after(&held, |t| bucket(t, |b| b.safe_per_s *= 1.1)), Some(Reason::Rate));
        assert_eq!(after(&held, |t| bucket(t, |b| b.capacity *= 1.1)), Some(Reason::Rate));
        assert_eq!(after(&held, |t| bucket(t, |b| b.must_leave *= 1.1)), Some(Reason::Rate));
        assert_eq!(after(&held, |t| t.default.must_leave = 0.0), Some(Reason::Rate));
        assert_eq!(after(&held, |t| t.pool.capacity *= 0.9), Some(Reason::Rate));
        assert_eq!(after(&held, |t| t.default.ceiling_per_s *= 0.9), Some(Reason::Rate));
        assert_eq!(after(&held, |t| bucket(t, |b| b.ceiling_burst = Some(0.0))), Some(Reason::Rate));
    }

    #[test]
    fn to_or_from_zero_is_a_change_at_any_dead_band() {
        let held = table("n", 7, 1);
        let mut none = held.clone();
        none.pool.refill_per_s = vec![0.0];
        for (old, new) in [(&held, &none), (&none, &held)] {
            assert_eq!(reason(Some(old), new, 1.0), Some(Reason::Rate));
        }
    }

    #[test]
    fn schedules_are_compared_at_the_same_time() {
        let mut held = table("n", 7, 1);
        held.pool.refill_per_s = vec![10.0, 20.0, 40.0];
        let step_later = |schedule: Vec<f64>| {
            after(&held, |t| {
                t.issued_at = t.issued_at.plus_secs(i64::from(t.step_s));
                t.pool.refill_per_s = schedule;
            })
        };
        assert_eq!(step_later(vec![20.0, 40.0, 40.0]), None, "the store's table foresaw this");
        assert_eq!(step_later(vec![10.0, 20.0, 40.0]), Some(Reason::Rate), "the same numbers, a step late");
        assert_eq!(step_later(vec![20.0, 40.0, 50.0]), Some(Reason::Rate), "beyond the end of the old schedule");
        assert_eq!(step_later(vec![20.0]), Some(Reason::Rate), "a shorter one holds its last step");
    }

    #[test]
    fn drift_adds_up_against_the_table_that_the_store_has() {
        let held = table("n", 7, 1);
        let drifted = |factor: f64| after(&held, |t| t.pool.refill_per_s = vec![t.pool.refill_per_s[0] * factor]);
        assert_eq!(drifted(1.04), None);
        assert_eq!(drifted(1.04 * 1.04), Some(Reason::Rate));
    }
}
