//! Ticks on a clock that the test sets.

use std::sync::Arc;

use tidegate::{clock::ManualClock, tick};
use tokio::sync::{oneshot, watch};

use crate::reports::{START, WINDOW_S, options, start};

const SCHEDULE: tick::Schedule = tick::Schedule { interval_s: WINDOW_S as u32, grace_s: 3 };

#[tokio::test]
async fn every_window_has_its_plan_and_a_stop_is_heard() {
    let dir = tempfile::tempdir().unwrap();
    let engine = start(&options(dir.path())).engine;
    let clock = Arc::new(ManualClock::new(START));
    let (plans, mut newest) = watch::channel(None);
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(tick::run(engine.clone(), clock.clone(), SCHEDULE, plans, async {
        stopped.await.unwrap();
    }));
    // On this single-threaded runtime the task has seen the time and sleeps once the yield returns.
    tokio::task::yield_now().await;
    for epoch in 1..=3 {
        clock.set(START.plus_secs(WINDOW_S * (epoch - 1) + 3));
        newest.changed().await.unwrap();
        let plan = newest.borrow_and_update().clone().unwrap();
        assert_eq!(plan.epoch, epoch as u64);
        assert_eq!(plan.issued_at, START.plus_secs(WINDOW_S * (epoch - 1) + 3));
    }
    clock.set(START.plus_secs(WINDOW_S * 3 + 2));
    assert_eq!(engine.query(|p| p.epoch()).await.unwrap(), 3, "the grace is kept");
    stop.send(()).unwrap();
    task.await.unwrap();
}

#[tokio::test]
async fn windows_missed_while_the_clock_jumped_share_one_tick() {
    let dir = tempfile::tempdir().unwrap();
    let engine = start(&options(dir.path())).engine;
    let clock = Arc::new(ManualClock::new(START.plus_secs(10)));
    let (plans, mut newest) = watch::channel(None);
    tokio::spawn(tick::run(engine, clock.clone(), SCHEDULE, plans, std::future::pending()));
    // On this single-threaded runtime the task has seen the time and sleeps once the yield returns.
    tokio::task::yield_now().await;
    for (now, epoch) in [(1_000, 1), (1_025, 2)] {
        clock.set(START.plus_secs(now));
        newest.changed().await.unwrap();
        assert_eq!(newest.borrow_and_update().as_ref().unwrap().epoch, epoch, "at {now} s");
    }
}
