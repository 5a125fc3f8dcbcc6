//! The suite over Redis, and what only a server can do: be away, hang, or refuse some keys.

use std::{net::TcpListener, sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusBuilder;

use super::{
    harness::{Harness, PATIENCE, entry, start_time, until},
    publishing::{Run, settings},
    redis_server::RedisServer,
    server::{Server, what_was_missed_is_written_later},
};
use crate::{
    clock::ManualClock,
    publish::{
        embedded::EmbeddedStore,
        publisher::PublishSettings,
        read::read_table,
        redis::{RedisAddress, RedisStore},
        store::{Limits, RateStore, StoreError},
        testing::{edit, plan, secret, table},
    },
};

impl Harness for RedisServer {
    fn start() -> Self {
        Self::start(&[])
    }

    fn open(&self) -> Arc<dyn RateStore> {
        Arc::new(connect(&address(&self.url())))
    }

    fn open_with(&self, limits: Limits) -> Arc<dyn RateStore> {
        Arc::new(connect(&address(&self.url())).with_limits(limits))
    }

    fn restart(&self) {
        self.kill();
        self.run_again();
    }
}

pub(super) fn address(url: &str) -> RedisAddress {
    RedisAddress { url: url.into(), username: None, password: None, deadline: PATIENCE }
}

pub(super) fn connect(address: &RedisAddress) -> RedisStore {
    RedisStore::connect(address, Arc::new(ManualClock::new(start_time()))).unwrap()
}

super::suite!(RedisServer);
super::behaviours!(RedisServer: publishing::ten_thousand_nodes_go_in_one_plan);

#[tokio::test]
async fn a_server_that_never_answers_costs_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let deadline = Duration::from_millis(50);
    let store = connect(&RedisAddress { deadline, ..address(&format!("redis://{}/0", silent.local_addr().unwrap())) });
    let late = StoreError::Deadline { after: deadline };
    assert_eq!(store.get("k").await, Err(late.clone()));
    assert_eq!(store.highest_epoch().await, Err(late.clone()));
    assert_eq!(store.put_batch(&[entry("k", "v", 1)]).await.failed, [("k".into(), late.clone())]);
    assert_eq!(store.delete(&["k".into()], 1).await.failed, [("k".into(), late)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_hangs_delays_no_other() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hanging: Arc<dyn RateStore> = Arc::new(connect(&address(&format!("redis://{}/0", silent.local_addr().unwrap()))));
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(start_time()));
    let healthy: Arc<dyn RateStore> = Arc::new(EmbeddedStore::open(&dir.path().join("rates.redb"), clock).unwrap());
    let run = Run::start(&[&hanging, &healthy], &PublishSettings { deadline: PATIENCE * 100, ..settings() });
    for epoch in 1..=3 {
        run.send(plan(epoch, &["a"]));
        assert_eq!(run.status(1, epoch).await.failed, 0, "while the other store's call is still under way");
    }
    assert_eq!(read_table(&*healthy, "a").await.unwrap().unwrap().epoch, 1);
}

#[test]
fn a_server_that_hangs_costs_one_call_of_the_deadline_per_plan() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let deadline = Duration::from_millis(50);
    let publish = async {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let patient = connect(&address(&format!("redis://{}/0", silent.local_addr().unwrap())));
        let limits = Limits { batch_pairs: 1, ..patient.limits() };
        let store: Arc<dyn RateStore> = Arc::new(patient.with_limits(limits));
        let run = Run::start(&[&store], &PublishSettings { deadline, ..settings() });
        run.send(plan(1, &["a", "b", "c"]));
        run.status(0, 1).await
    };
    let status = metrics::with_local_recorder(&recorder, || runtime.block_on(publish));
    assert_eq!((status.failed, status.error), (3, Some(StoreError::Deadline { after: deadline }.to_string())));
    let page = recorder.handle().render();
    assert!(page.contains("tidegate_publish_seconds_count{store=\"redis\"} 1"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_away_gets_at_the_next_plan_what_it_missed() {
    let server = RedisServer::start(&[]);
    let (run, mut moved) = what_was_missed_is_written_later(&server, &server.open()).await;
    server.kill();
    server.run_again();
    edit(&mut moved, "b").pool.capacity = 2.0;
    run.send(tidegate_planner::Plan { epoch: 4, ..moved });
    let status = run.status(0, 4).await;
    assert_eq!((status.written, status.failed), (1, 0), "a lost connection alone fails no write: {status:?}");
}

/// A server whose user `edge` may write these keys alone, and the store as that user.
fn restricted(keys: &str) -> (RedisServer, RedisStore) {
    let user = format!("--user edge on >secret +@all ~tidegate-v1-epoch {keys} --user default off");
    let server = RedisServer::start(&user.split(' ').collect::<Vec<_>>());
    let password = Some(secret("secret\n"));
    let store = connect(&RedisAddress { username: Some("edge".into()), password, ..address(&server.url()) });
    (server, store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_the_server_refuses_are_the_only_ones_tried_again() {
    let (_server, store) = restricted("~tidegate-v1-rates-a ~tidegate-v1-rates-c");
    let store: Arc<dyn RateStore> = Arc::new(store);
    let run = Run::start(&[&store], &settings());
    run.send(plan(1, &["a", "b", "c"]));
    let status = run.status(0, 1).await;
    assert_eq!((status.written, status.failed, status.fenced_by), (2, 1, None), "{status:?}");
    assert!(status.error.as_ref().is_some_and(|e| e.starts_with("refused")), "{status:?}");
    run.send(plan(2, &["a", "b", "c"]));
    let status = run.status(0, 2).await;
    assert_eq!((status.written, status.skipped, status.failed), (0, 2, 1), "{status:?}");
    assert!(read_table(&*store, "c").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_head_names_a_shard_that_was_not_written() {
    let (_server, store) = restricted("~tidegate-v1-rates-*");
    let limits = Limits { value_bytes: 900, ..store.limits() };
    let store: Arc<dyn RateStore> = Arc::new(store.with_limits(limits));
    let run = Run::start(&[&store], &settings());
    let mut sharded = plan(1, &["a", "b"]);
    sharded.tables.insert("b".into(), table("b", 1, 40).into());
    run.send(sharded);
    let status = run.status(0, 1).await;
    assert_eq!((status.written, status.failed), (1, 1), "{status:?}");
    assert!(read_table(&*store, "a").await.unwrap().is_some());
    assert!(read_table(&*store, "b").await.unwrap().is_none());
}

#[tokio::test]
async fn no_error_shows_the_password() {
    let server = RedisServer::start(&["--requirepass", "right"]);
    let password = Some(secret("hunter2"));
    let wrong = RedisAddress { password, ..address(&server.url()) };
    let error = connect(&wrong).get("k").await.unwrap_err();
    assert!(!format!("{error} {error:?} {wrong:?}").contains("hunter2"));
    let clock = Arc::new(ManualClock::new(start_time()));
    let inline = RedisStore::connect(&address("redis://:hunter2@127.0.0.1:1/0"), clock).err().unwrap().to_string();
    assert!(inline.contains("redis_password_file") && !inline.contains("hunter2"), "{inline}");
}

#[tokio::test]
async fn a_password_that_the_server_learns_later_is_accepted_then() {
    let server = RedisServer::start(&["--requirepass", "old"]);
    let password = Some(secret("new"));
    let store = connect(&RedisAddress { password, ..address(&server.url()) });
    assert_eq!(store.get("k").await.unwrap_err().kind(), "refused");
    let mut admin = ::redis::Client::open(server.url().replace("redis://", "redis://:old@")).unwrap().get_connection().unwrap();
    ::redis::cmd("CONFIG").arg(&["SET", "requirepass", "new"]).exec(&mut admin).unwrap();
    assert_eq!(store.get("k").await, Ok(None));
}

#[tokio::test]
async fn one_connection_serves_all_calls() {
    let server = RedisServer::start(&[]);
    let store = connect(&address(&server.url()));
    for epoch in 1..=5 {
        store.put_batch(&[entry("k", "v", epoch)]).await;
        store.get("k").await.unwrap();
    }
    let mut admin = ::redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let stats: String = ::redis::cmd("INFO").arg("stats").query(&mut admin).unwrap();
    assert!(stats.contains("total_connections_received:2\r\n"), "the store's and this one: {stats}");
}

#[tokio::test]
async fn a_dead_server_is_unreachable() {
    let server = RedisServer::start(&[]);
    let store = connect(&address(&server.url()));
    server.kill();
    until("a refused connection", || async { matches!(store.get("k").await, Err(StoreError::Unreachable(_))) }).await;
}
