//! The periodic task: a tick after the end of every window.

use std::{future::Future, pin::pin, sync::Arc};

use tidegate_planner::Plan;
use tidegate_wire::Timestamp;
use tokio::sync::watch;

use crate::{clock::Clock, engine::Engine};

/// When ticks are due.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// Length of a window in seconds.
    pub interval_s: u32,
    /// Seconds after a window's end that its reports have to arrive.
    pub grace_s: u32,
}

impl Schedule {
    /// The first end of a window whose tick is due after `now`.
    pub fn next_end(&self, now: Timestamp) -> Timestamp {
        let interval_s = i64::from(self.interval_s.max(1));
        let windows = now.plus_secs(-i64::from(self.grace_s)).as_secs().div_euclid(interval_s);
        Timestamp::from_secs((windows + 1) * interval_s)
    }

    /// When the tick of the window that ended at `end` is due.
    pub fn due(&self, end: Timestamp) -> Timestamp {
        end.plus_secs(i64::from(self.grace_s))
    }

    /// The last time at or before `now` at which a tick was due.
    ///
    /// Plans are of this time and not of the moment at which the thread woke: the steps of all leases then begin together. Were
    /// they off by the wake-up's milliseconds, each step of a new lease would reach into two of the older ones, and the planner
    /// would have to count both as lent.
    pub fn last_due(&self, now: Timestamp) -> Timestamp {
        self.due(self.next_end(now)).plus_secs(-i64::from(self.interval_s.max(1)))
    }
}

/// Ticks `engine` after every window until `stop` completes; a tick that has begun is finished. Each plan goes to `plans`,
/// whose readers (the publisher, the API) take the newest; a failed tick is logged and the next one makes up for it.
pub async fn run(
    engine: Engine,
    clock: Arc<dyn Clock>,
    schedule: Schedule,
    plans: watch::Sender<Option<Arc<Plan>>>,
    stop: impl Future<Output = ()>,
) {
    let mut stop = pin!(stop);
    let mut end = schedule.next_end(clock.now());
    loop {
        tokio::select! {
            biased;
            () = &mut stop => return,
            () = clock.sleep_until(schedule.due(end)) => {}
        }
        match engine.tick(schedule.last_due(clock.now().max(schedule.due(end)))).await {
            Ok(plan) => {
                plans.send_replace(Some(plan));
            }
            Err(error) => tracing::error!(%error, "no plan for this window"),
        }
        end = schedule.next_end(clock.now().max(schedule.due(end)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_due_a_grace_after_each_aligned_end() {
        let schedule = Schedule { interval_s: 30, grace_s: 3 };
        for (now, end) in [(0, 0), (2, 0), (3, 30), (32, 30), (33, 60), (62, 60)] {
            assert_eq!(schedule.next_end(Timestamp::from_secs(now)), Timestamp::from_secs(end), "at {now} s");
        }
        assert_eq!(schedule.due(Timestamp::from_secs(60)), Timestamp::from_secs(63));
    }

    #[test]
    fn plans_are_of_the_time_at_which_their_tick_was_due() {
        let schedule = Schedule { interval_s: 30, grace_s: 3 };
        for (now_ms, due_s) in [(33_000, 33), (33_017, 33), (62_999, 33), (63_000, 63), (200_500, 183)] {
            assert_eq!(schedule.last_due(Timestamp::from_millis(now_ms)), Timestamp::from_secs(due_s), "at {now_ms} ms");
        }
    }
}
