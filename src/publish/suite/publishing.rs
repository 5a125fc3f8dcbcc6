//! What the publisher does with any store.

use std::{sync::Arc, time::Duration};

use tidegate_planner::Plan;
use tidegate_wire::RateTable;
use tokio::sync::watch;

use super::harness::{Harness, PATIENCE, entry};
use crate::publish::{
    feed::StoreStatus,
    publisher::{PublishSettings, Publisher},
    read::read_table,
    store::{Limits, RateStore},
    testing::{edit, plan, table},
};

pub(super) fn settings() -> PublishSettings {
    PublishSettings { deadline: PATIENCE, interval_s: 30, dead_band: 0.05, retain_s: 60, writes_per_s: None }
}

/// A publisher, and the hand that feeds it plans.
pub(super) struct Run {
    plans: watch::Sender<Option<Arc<Plan>>>,
    publisher: Publisher,
}

impl Run {
    pub(super) fn start(stores: &[&Arc<dyn RateStore>], settings: &PublishSettings) -> Self {
        let (plans, receiver) = watch::channel(None);
        let stores = stores.iter().map(|store| Arc::clone(store)).collect();
        Self { plans, publisher: Publisher::start(stores, &receiver, settings) }
    }

    pub(super) fn send(&self, plan: Plan) {
        self.plans.send_replace(Some(Arc::new(plan)));
    }

    /// Waits until store number `index` has dealt with the plan of `epoch`.
    pub(super) async fn status(&self, index: usize, epoch: u64) -> StoreStatus {
        let mut status = self.publisher.subscribe().swap_remove(index);
        let done = tokio::time::timeout(PATIENCE, status.wait_for(|s| s.epoch == epoch)).await;
        done.expect("the plan was not published").unwrap().clone()
    }

    /// Says that there are no more plans, and waits for the stores.
    pub(super) async fn end(self, longest: Duration) {
        drop(self.plans);
        self.publisher.drain(longest).await.unwrap();
    }

    async fn publish(&self, plan: Plan) -> StoreStatus {
        let epoch = plan.epoch;
        self.send(plan);
        self.status(0, epoch).await
    }
}

fn counts(status: &StoreStatus) -> [usize; 4] {
    [status.written, status.skipped, status.deferred, status.failed]
}

pub(super) async fn only_what_changed_is_written(harness: &impl Harness) {
    let store = harness.open();
    let run = Run::start(&[&store], &settings());
    assert_eq!(counts(&run.publish(plan(1, &["a", "b", "c"])).await), [3, 0, 0, 0]);
    assert_eq!(counts(&run.publish(plan(2, &["a", "b", "c"])).await), [0, 3, 0, 0]);
    let mut changed = plan(3, &["a", "b", "c"]);
    edit(&mut changed, "b").pool.refill_per_s = vec![50.0];
    let expected = RateTable::clone(&changed.tables["b"]);
    harness.pause();
    assert_eq!(counts(&run.publish(changed).await), [1, 2, 0, 0]);
    assert_eq!(read_table(&*store, "b").await.unwrap(), Some(expected));
    assert_eq!(read_table(&*store, "a").await.unwrap().unwrap().epoch, 1, "the store's older table is as good");
}

pub(super) async fn a_table_too_large_for_the_store_holds_back_no_other(harness: &impl Harness) {
    let plain = harness.open();
    let limits = Limits { value_bytes: 900, ..plain.limits() };
    drop(plain);
    let store = harness.open_with(limits);
    let run = Run::start(&[&store], &settings());
    let mut first = plan(1, &["a", "b", "c", "d"]);
    first.tables.insert("b".into(), table("b", 1, 40).into());
    let rates = edit(&mut first, "c").buckets.get_mut("b0").unwrap();
    rates.refill_per_s = (0..500).map(f64::from).collect();
    let sharded = RateTable::clone(&first.tables["b"]);
    let status = run.publish(first).await;
    assert_eq!(counts(&status), [3, 0, 0, 1]);
    assert!(status.error.as_ref().is_some_and(|e| e.contains("too large")), "{status:?}");
    assert_eq!(read_table(&*store, "b").await.unwrap(), Some(sharded), "in shards");
    assert!(read_table(&*store, "d").await.unwrap().is_some());
    assert!(read_table(&*store, "c").await.unwrap().is_none());
}

pub(super) async fn a_vanished_node_leaves_no_key(harness: &impl Harness) {
    let store = harness.open();
    let run = Run::start(&[&store], &settings());
    run.publish(plan(1, &["stays", "goes"])).await;
    assert!(store.get(&RateTable::key("goes")).await.unwrap().is_some());
    harness.pause();
    run.publish(plan(2, &["stays"])).await;
    assert!(store.get(&RateTable::key("goes")).await.unwrap().is_none());
    assert!(store.get(&RateTable::key("stays")).await.unwrap().is_some());
}

pub(super) async fn a_writer_that_is_behind_writes_nothing_until_it_is_ahead(harness: &impl Harness) {
    let store = harness.open();
    store.put_batch(&[entry("written-by-another", "v", 100)]).await;
    let run = Run::start(&[&store], &settings());
    let status = run.publish(plan(99, &["a"])).await;
    assert_eq!((counts(&status), status.fenced_by), ([0, 0, 0, 1], Some(100)));
    assert!(read_table(&*store, "a").await.unwrap().is_none());
    harness.pause();
    let status = run.publish(plan(101, &["a"])).await;
    assert_eq!((counts(&status), status.fenced_by, status.error), ([1, 0, 0, 0], None, None));
}

pub(super) async fn what_is_beyond_the_allowance_waits_for_the_next_plan(harness: &impl Harness) {
    let store = harness.open();
    // 30 s' worth may be saved up: three tables.
    let run = Run::start(&[&store], &PublishSettings { writes_per_s: Some(0.1), ..settings() });
    let nodes = ["a", "b", "c", "d", "e"];
    assert_eq!(counts(&run.publish(plan(1, &nodes)).await), [3, 0, 2, 0]);
    let mut next = plan(2, &nodes);
    next.issued_at = next.issued_at.plus_secs(20);
    harness.pause();
    assert_eq!(counts(&run.publish(next).await), [2, 3, 0, 0]);
}

pub(super) async fn the_last_plan_is_written_before_the_end(harness: &impl Harness) {
    let store = harness.open();
    let run = Run::start(&[&store], &settings());
    run.send(plan(1, &["a"]));
    run.end(PATIENCE).await;
    assert_eq!(read_table(&*store, "a").await.unwrap().unwrap().epoch, 1);
}

/// Where the store bounds no writes.
pub(super) async fn ten_thousand_nodes_go_in_one_plan(harness: &impl Harness) {
    let store = harness.open();
    let run = Run::start(&[&store], &settings());
    let nodes: Vec<String> = (0..10_000).map(|i| format!("node-{i}")).collect();
    let status = run.publish(plan(1, &nodes.iter().map(String::as_str).collect::<Vec<_>>())).await;
    assert_eq!(counts(&status), [10_000, 0, 0, 0], "{:?}", status.error);
}
