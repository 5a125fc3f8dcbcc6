//! Time as a parameter: the system's, or one that a test or a demo sets.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tidegate_wire::Timestamp;
use tokio::{sync::watch, time};

/// A wait that ends when a clock has reached a time.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Longest uninterrupted wait of a [`SystemClock`], so that it notices when the system's time is set.
const NAP: Duration = Duration::from_secs(1);

/// A source of the current time.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Waits until the time is `at` or later.
    fn sleep_until(&self, at: Timestamp) -> Sleep<'_>;
}

/// The system's time, or one that left it at a start and runs faster.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start_ms: i64,
    speed: f64,
}

impl SystemClock {
    /// The system's time.
    pub fn new() -> Self {
        Self { start_ms: 0, speed: 1.0 }
    }

    /// A clock that shows the system's time now and runs `speed` times as fast from here on. `speed` is positive.
    pub fn faster(speed: f64) -> Self {
        Self { start_ms: system_ms(), speed }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let elapsed_ms = system_ms() - self.start_ms;
        let shown = if self.speed == 1.0 { elapsed_ms } else { (elapsed_ms as f64 * self.speed) as i64 };
        Timestamp::from_millis(self.start_ms + shown)
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep<'_> {
        Box::pin(async move {
            loop {
                let left_s = at.secs_since(self.now()) / self.speed;
                if left_s <= 0.0 {
                    return;
                }
                let nap = Duration::try_from_secs_f64(left_s).unwrap_or(NAP).min(NAP);
                time::sleep(nap.max(Duration::from_millis(1))).await;
            }
        })
    }
}

/// A clock that stands still until it is set.
#[derive(Debug)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { now: watch::Sender::new(now) }
    }

    /// Sets the time and wakes who waited for it.
    pub fn set(&self, now: Timestamp) {
        self.now.send_replace(now);
    }

    /// How many wait for a time of this clock.
    pub fn sleepers(&self) -> usize {
        self.now.receiver_count()
    }

    /// Moves the time on by `seconds`.
    pub fn advance(&self, seconds: i64) {
        self.now.send_modify(|t| *t = t.plus_secs(seconds));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep<'_> {
        let mut changes = self.now.subscribe();
        Box::pin(async move {
            // The sender lives in `self`, which this future borrows, so waiting cannot fail.
            let _ = changes.wait_for(|now| *now >= at).await;
        })
    }
}

fn system_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_reaches_its_time() {
        let clock = ManualClock::new(Timestamp::from_secs(100));
        let mut sleep = clock.sleep_until(Timestamp::from_secs(130));
        clock.advance(29);
        assert!(poll_once(&mut sleep).await.is_none(), "one second early");
        assert_eq!(clock.sleepers(), 1);
        clock.advance(1);
        sleep.await;
        assert_eq!(clock.now(), Timestamp::from_secs(130));
    }

    #[tokio::test]
    async fn the_past_is_reached_at_once() {
        let clock = SystemClock::faster(60.0);
        clock.sleep_until(clock.now().plus_secs(-1)).await;
        clock.sleep_until(Timestamp::default()).await;
    }

    async fn poll_once(sleep: &mut Sleep<'_>) -> Option<()> {
        tokio::select! {
            biased;
            () = sleep => Some(()),
            () = std::future::ready(()) => None,
        }
    }
}
