//! The engine's promises to those who send it something.

use std::sync::mpsc;

use tidegate::engine::EngineError;
use tidegate_journal::{Reader, Record};
use tidegate_planner::{
    Model, Planner, Settings,
    forecast::{Regression, STEPS},
};
use tidegate_wire::Accepted;

use crate::reports::{START, WINDOW_S, body, options, report, start};

fn accepted(accepted: usize, duplicates: usize) -> Accepted {
    Accepted { accepted, duplicates, rejected: vec![] }
}

/// A model that the planner takes.
fn model() -> Model {
    let step = Regression { intercept: 0.1, coefficients: vec![0.01; tidegate_planner::features::COUNT] };
    Model::new("m1", WINDOW_S as u32, vec![step; STEPS], 0.5)
}

#[tokio::test]
async fn a_report_counts_once_however_often_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let engine = start(&options(dir.path())).engine;
    let first = report("n", 7, START, &[("a", 1)]);
    let twice = body(vec![first.clone(), first.clone()]);
    assert_eq!(engine.ingest(twice).await.unwrap(), accepted(1, 1), "within one body");
    assert_eq!(engine.ingest(body(vec![first.clone()])).await.unwrap(), accepted(0, 1), "in another body");
    let other = report("n", 8, START, &[("a", 1)]);
    assert_eq!(engine.ingest(body(vec![other, first])).await.unwrap(), accepted(1, 1));
}

#[tokio::test]
async fn a_sequence_far_back_is_refused_with_its_place_and_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let engine = start(&options(dir.path())).engine;
    engine.ingest(body(vec![report("n", 5_000, START, &[])])).await.unwrap();
    let answer = engine.ingest(body(vec![report("n", 5_001, START, &[]), report("n", 1, START, &[])])).await.unwrap();
    assert_eq!((answer.accepted, answer.rejected.len(), answer.rejected[0].index), (1, 1, 1));
    assert!(answer.rejected[0].problem.detail.contains("new instance id"), "{answer:?}");
}

#[tokio::test]
async fn what_is_acknowledged_is_in_the_journal_and_a_group_shares_its_commit() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(dir.path());
    let engine = start(&options).engine;
    let (release, blocked) = mpsc::channel::<()>();
    let holding = tokio::spawn({
        let engine = engine.clone();
        async move { engine.query(move |_| blocked.recv()).await }
    });
    let senders: Vec<_> = (0..20)
        .map(|i| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.ingest(body(vec![report("n", i, START, &[("a", i)])])).await })
        })
        .collect();
    release.send(()).unwrap();
    holding.await.unwrap().unwrap().unwrap();
    for sender in senders {
        assert_eq!(sender.await.unwrap().unwrap(), accepted(1, 0));
    }
    let reader = Reader::open(tidegate::engine::Options::journal_dir(dir.path())).unwrap();
    let mut sequences: Vec<u64> = reader.flat_map(|e| e.unwrap().record.reports()).map(|r| r.sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_full_queue_sheds_and_a_tick_still_finds_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let engine = start(&tidegate::engine::Options { queue: 1, ..options(dir.path()) }).engine;
    let (release, blocked) = mpsc::channel::<()>();
    let (entered, inside) = tokio::sync::oneshot::channel();
    let holding = tokio::spawn({
        let engine = engine.clone();
        async move {
            engine
                .query(move |_| {
                    entered.send(()).unwrap();
                    blocked.recv()
                })
                .await
        }
    });
    inside.await.unwrap();
    let waiting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.ingest(body(vec![report("n", 1, START, &[])])).await }
    });
    // On this single-threaded runtime the spawned sender has run once the yield returns.
    tokio::task::yield_now().await;
    let shed = engine.ingest(body(vec![report("n", 2, START, &[])])).await;
    assert_eq!(shed, Err(EngineError::Overloaded));
    assert!(shed.unwrap_err().retry_after_s() > 0);
    let tick = tokio::spawn({
        let engine = engine.clone();
        async move { engine.tick(START.plus_secs(WINDOW_S)).await }
    });
    release.send(()).unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), accepted(1, 0));
    assert_eq!(tick.await.unwrap().unwrap().epoch, 1);
    holding.await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn buckets_beyond_the_bound_are_counted_together() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Settings::default();
    settings.limits.series_per_node = 2;
    let engine = tidegate::engine::start(&options(dir.path()), Planner::new(settings, None).unwrap()).unwrap().engine;
    let many = report("n", 1, START, &[("a", 1), ("b", 2), ("c", 4), ("d", 8)]);
    assert_eq!(engine.ingest(body(vec![many])).await.unwrap(), accepted(1, 0));
    let reader = Reader::open(tidegate::engine::Options::journal_dir(dir.path())).unwrap();
    let kept: Vec<_> = reader.flat_map(|e| e.unwrap().record.reports()).flat_map(|r| r.buckets).map(|b| (b.bucket, b.requests)).collect();
    assert_eq!(kept, [("a".into(), 1), ("b".into(), 2), (tidegate::ingest::fold::OVERFLOW.into(), 12)]);
}

#[tokio::test]
async fn plans_begin_above_the_stores_fence_and_a_stopped_engine_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(&tidegate::engine::Options { fence: 41, ..options(dir.path()) });
    assert_eq!(running.engine.tick(START).await.unwrap().epoch, 42);
    running.engine.stop().await.unwrap();
    running.thread.join().unwrap();
    assert!(!running.engine.is_running());
    assert_eq!(running.engine.tick(START).await, Err(EngineError::Stopped));
    let again = start(&options(dir.path()));
    assert_eq!(again.plan.unwrap().epoch, 42);
    assert_eq!(again.engine.tick(START).await.unwrap().epoch, 43, "without the fence too");
}

#[tokio::test]
async fn the_model_in_use_comes_back_with_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let engine = start(&options(dir.path())).engine;
    let model = model();
    engine.set_model(Some(model.clone())).await.unwrap();
    engine.set_model(Some(model.clone())).await.unwrap();
    let reader = Reader::open(tidegate::engine::Options::journal_dir(dir.path())).unwrap();
    let models = reader.filter(|e| matches!(e.as_ref().unwrap().record, Record::Model(_))).count();
    assert_eq!(models, 1, "the same model is no change");
    engine.stop().await.unwrap();
    let planner = Planner::new(Settings::default(), Some(model.clone())).unwrap();
    let again = tidegate::engine::start(&options(dir.path()), planner).unwrap();
    assert_eq!(again.engine.query(|p| p.model().cloned()).await.unwrap(), Some(model));
}

#[tokio::test]
async fn a_model_brought_to_the_first_start_is_in_the_journal_and_outlives_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let model = model();
    let planner = Planner::new(Settings::default(), Some(model.clone())).unwrap();
    let engine = tidegate::engine::start(&options(dir.path()), planner).unwrap().engine;
    let reader = Reader::open(tidegate::engine::Options::journal_dir(dir.path())).unwrap();
    let models = reader.filter(|e| matches!(e.as_ref().unwrap().record, Record::Model(_))).count();
    assert_eq!(models, 1, "or a replay would begin with whatever model the next start brings");
    engine.stop().await.unwrap();
    let without = start(&options(dir.path())).engine;
    assert_eq!(without.query(|p| p.model().cloned()).await.unwrap(), Some(model), "no model at a start leaves the last good one");
}
