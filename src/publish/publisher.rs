//! One task per store, each at its own pace, all fed with the newest plan.

use std::{sync::Arc, time::Duration};

use tidegate_planner::Plan;
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time,
};

use super::{
    feed::{Feed, StoreStatus},
    store::RateStore,
};

/// How plans are published.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishSettings {
    /// Longest wait for one call to a store.
    pub deadline: Duration,
    /// Seconds from one plan to the next.
    pub interval_s: u32,
    /// Relative change of a rate below which it is not worth a write, 0 to 1.
    pub dead_band: f64,
    /// Seconds that a table stays in a store after its lease has ended, so that a worker which starts while the engine is down
    /// still finds its safe rates. Not longer than the planner reserves them (`lease.forget_after_s`).
    pub retain_s: u32,
    /// Most entries per second that a store is written, on average over a tick: a bound on what it costs. `None` leaves it to
    /// the store's own limit.
    pub writes_per_s: Option<f64>,
}

/// The running tasks.
#[derive(Debug)]
pub struct Publisher {
    tasks: JoinSet<()>,
    statuses: Vec<watch::Receiver<StoreStatus>>,
}

impl Publisher {
    /// Starts a task for each of `stores`. Each takes the newest of `plans` when it is done with the one before; a plan that
    /// it was too slow for is passed over.
    pub fn start(stores: Vec<Arc<dyn RateStore>>, plans: &watch::Receiver<Option<Arc<Plan>>>, settings: &PublishSettings) -> Self {
        let mut tasks = JoinSet::new();
        let mut statuses = vec![];
        for store in stores {
            let (sender, receiver) = watch::channel(StoreStatus { store: store.name().into(), ..Default::default() });
            tasks.spawn(run(Feed::new(store, settings.clone()), plans.clone(), sender));
            statuses.push(receiver);
        }
        Self { tasks, statuses }
    }

    /// Watches how far each store has come, in the order in which they were given.
    pub fn subscribe(&self) -> Vec<watch::Receiver<StoreStatus>> {
        self.statuses.clone()
    }

    /// Waits until each store has had the last plan, but not for more than `longest`; call it when the sender of plans is dropped. What
    /// a slow store misses is written after the next start.
    ///
    /// # Errors
    /// When a task panicked.
    pub async fn drain(mut self, longest: Duration) -> Result<(), JoinError> {
        let ended = time::timeout(longest, async {
            while let Some(ended) = self.tasks.join_next().await {
                ended?;
            }
            Ok(())
        });
        ended.await.unwrap_or_else(|_| {
            tracing::warn!(longest_s = longest.as_secs(), "stores are left in the midst of the last plan, as they take too long");
            Ok(())
        })
    }
}

/// Publishes until the sender of plans is gone and its last plan written.
async fn run(mut feed: Feed, mut plans: watch::Receiver<Option<Arc<Plan>>>, status: watch::Sender<StoreStatus>) {
    // The plan that is there at the start counts as new.
    plans.mark_changed();
    while plans.changed().await.is_ok() {
        let Some(plan) = plans.borrow_and_update().clone() else { continue };
        let done = feed.publish(&plan).await;
        log(&status.borrow(), &done);
        status.send_replace(done);
    }
}

/// Says once when a store begins to fail, and once when it is well again.
fn log(before: &StoreStatus, now: &StoreStatus) {
    match (&before.error, &now.error) {
        (None, Some(error)) => tracing::warn!(store = now.store, epoch = now.epoch, failed = now.failed, error, "publishing fails"),
        (Some(_), None) => tracing::info!(store = now.store, epoch = now.epoch, "publishing works again"),
        _ => tracing::debug!(store = now.store, epoch = now.epoch, written = now.written, skipped = now.skipped, "published"),
    }
}
