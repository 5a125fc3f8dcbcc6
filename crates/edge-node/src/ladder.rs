//! The lease ladder: what a rate table grants at a time, down to its safe rates.

use tidegate_wire::{RateTable, Timestamp, rates::rate_at};

/// Stairs in which rates decay from the last leased one to the safe one.
pub const DECAY_STAIRS: i64 = 60;

/// When the rates of one table change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ladder {
    issued_ms: i64,
    step_ms: i64,
    /// Last step that any schedule tells apart.
    last_step: usize,
    expires_ms: i64,
}

/// A rung of the ladder, on which all rates are constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// This step of the schedules holds.
    Step(usize),
    /// The lease has ended; rates have gone `stair` of [`DECAY_STAIRS`] from those of step `from` to the safe ones.
    Decay {
        /// Step that held when the lease ended.
        from: usize,
        /// 1 to [`DECAY_STAIRS`] - 1.
        stair: i64,
    },
    /// The safe rates hold until a newer table comes.
    Safe,
}

impl Ladder {
    /// The ladder of `table`.
    pub fn new(table: &RateTable) -> Self {
        let schedules = table.buckets.values().map(|b| b.refill_per_s.len());
        let longest = schedules.fold(table.pool.refill_per_s.len(), usize::max);
        Self {
            issued_ms: table.issued_at.as_millis(),
            step_ms: i64::from(table.step_s.max(1)) * 1000,
            last_step: longest.saturating_sub(1),
            expires_ms: table.expires_at.as_millis(),
        }
    }

    /// The rung at `now`.
    pub fn stage(&self, now: Timestamp) -> Stage {
        let now_ms = now.as_millis();
        if now_ms < self.expires_ms {
            return Stage::Step(self.step_at(now_ms));
        }
        let stair = match self.duration_ms() {
            0 => DECAY_STAIRS,
            // Each stair holds the rate of its end, so that a node never has more than the straight line would give it.
            duration => 1 + (now_ms - self.expires_ms).saturating_mul(DECAY_STAIRS) / duration,
        };
        if stair >= DECAY_STAIRS {
            return Stage::Safe;
        }
        Stage::Decay { from: self.step_at(self.expires_ms - 1), stair }
    }

    /// When the rung that holds at `now` ends; `None` on the last.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let ms = match self.stage(now) {
            Stage::Step(k) if k < self.last_step => self.expires_ms.min(self.issued_ms + (k as i64 + 1) * self.step_ms),
            Stage::Step(_) => self.expires_ms,
            Stage::Decay { stair, .. } => self.expires_ms + (self.duration_ms() * stair + DECAY_STAIRS - 1) / DECAY_STAIRS,
            Stage::Safe => return None,
        };
        Some(Timestamp::from_millis(ms))
    }

    fn duration_ms(&self) -> i64 {
        self.expires_ms.saturating_sub(self.issued_ms).max(0)
    }

    fn step_at(&self, ms: i64) -> usize {
        let step = (ms - self.issued_ms).max(0) / self.step_ms;
        usize::try_from(step).unwrap_or(usize::MAX).min(self.last_step)
    }
}

impl Stage {
    /// The rate on this rung, tokens per second.
    pub fn rate(self, schedule: &[f64], safe_per_s: f64) -> f64 {
        match self {
            Self::Step(k) => rate_at(schedule, k),
            Self::Decay { from, stair } => {
                let leased = rate_at(schedule, from);
                leased + (safe_per_s - leased) * stair as f64 / DECAY_STAIRS as f64
            }
            Self::Safe => safe_per_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_wire::{BucketRates, Mode, PoolRates};

    fn table(expires_s: i64) -> RateTable {
        RateTable {
            version: 1,
            node: "n".into(),
            epoch: 1,
            issued_at: Timestamp::from_secs(1000),
            step_s: 30,
            expires_at: Timestamp::from_secs(1000 + expires_s),
            mode: Mode::Enforce,
            instances: 1,
            pool: PoolRates { refill_per_s: vec![10.0, 20.0, 30.0], capacity: 1.0, safe_per_s: 6.0 },
            default: BucketRates::default(),
            buckets: Default::default(),
            shards: vec![],
        }
    }

    fn rate(table: &RateTable, at_s: i64) -> f64 {
        let stage = Ladder::new(table).stage(Timestamp::from_secs(at_s));
        stage.rate(&table.pool.refill_per_s, table.pool.safe_per_s)
    }

    #[test]
    fn steps_then_holds_then_decays_then_is_safe() {
        let t = table(300);
        let rates = [990, 1000, 1029, 1030, 1060, 1299].map(|at| rate(&t, at));
        assert_eq!(rates, [10.0, 10.0, 10.0, 20.0, 30.0, 30.0]);
        let decaying = [1300, 1449, 1450, 1594].map(|at| rate(&t, at));
        assert_eq!(decaying, [30.0 - 0.4, 30.0 - 12.0, 30.0 - 12.4, 30.0 - 23.6]);
        assert_eq!([1595, 1600, 9999].map(|at| rate(&t, at)), [6.0; 3]);
    }

    #[test]
    fn a_lease_that_ends_early_decays_from_the_step_in_force() {
        let t = table(45);
        assert_eq!(rate(&t, 1044), 20.0);
        assert!(rate(&t, 1045) < 20.0);
        assert_eq!(rate(&table(0), 1000), 6.0, "a lease of no length is never in force");
    }

    #[test]
    fn a_rung_holds_until_its_next_change_and_no_longer() {
        for expires_s in [0, 1, 45, 77, 300] {
            let ladder = Ladder::new(&table(expires_s));
            let mut now = Timestamp::from_secs(900);
            while let Some(change) = ladder.next_change(now) {
                assert!(change > now, "at {now} for {expires_s} s");
                assert_eq!(ladder.stage(Timestamp::from_millis(change.as_millis() - 1)), ladder.stage(now));
                assert_ne!(ladder.stage(change), ladder.stage(now));
                now = change;
            }
            assert_eq!(ladder.stage(now), Stage::Safe);
        }
    }
}
