//! The suite over Fastly's KV Store API, and what only a provider does: refuse some keys, limit calls, ask for a token.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;

use super::{
    fastly_api::{FastlyApi, TOKEN},
    harness::{Harness, PATIENCE, entry},
    publishing::{Run, settings},
};
use crate::{
    config,
    publish::{
        fastly::{Fastly, FastlyAddress, fenced},
        fenced::Fenced,
        read::read_table,
        store::{FENCE, Limits, RateStore, StoreError},
        testing::{plan, secret},
    },
};

impl Harness for FastlyApi {
    fn start() -> Self {
        Self::start()
    }

    fn open(&self) -> Arc<dyn RateStore> {
        Arc::new(connect(self, TOKEN))
    }

    fn open_with(&self, limits: Limits) -> Arc<dyn RateStore> {
        Arc::new(connect(self, TOKEN).with_limits(limits))
    }

    fn pass_ms(&self, ms: i64) {
        self.pass(ms);
    }

    fn shortest_life_ms(&self) -> i64 {
        1_000
    }
}

fn address(api: &FastlyApi, token: &str) -> FastlyAddress {
    FastlyAddress {
        base_url: api.url(),
        store_id: "store".into(),
        token: secret(token),
        deadline: PATIENCE,
        price: config::Fastly::default().price,
    }
}

fn connect(api: &FastlyApi, token: &str) -> Fenced<Fastly> {
    fenced(address(api, token), Arc::clone(&api.clock) as _).unwrap()
}

super::suite!(FastlyApi);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_the_api_could_not_write_are_the_only_ones_sent_again() {
    let api = FastlyApi::start();
    let store = api.open();
    let run = Run::start(&[&store], &settings());
    api.break_keys(&["tidegate-v1-rates-b"]);
    run.send(plan(1, &["a", "b", "c"]));
    let status = run.status(0, 1).await;
    assert_eq!((status.written, status.failed), (2, 1), "{status:?}");
    assert!(status.error.as_ref().is_some_and(|e| e.contains("too many writes to the key")), "{status:?}");
    api.break_keys(&[]);
    run.send(plan(2, &["a", "b", "c"]));
    let status = run.status(0, 2).await;
    assert_eq!((status.written, status.skipped, status.failed), (1, 2, 0), "{status:?}");
    assert_eq!(api.batches().last().unwrap(), &["tidegate-v1-rates-b"]);
    assert_eq!(read_table(&*store, "b").await.unwrap().unwrap().epoch, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_nodes_go_in_ten_batches() {
    let api = FastlyApi::start();
    let store = api.open();
    let run = Run::start(&[&store], &settings());
    let nodes: Vec<String> = (0..10_000).map(|i| format!("node-{i}")).collect();
    run.send(plan(1, &nodes.iter().map(String::as_str).collect::<Vec<_>>()));
    let status = run.status(0, 1).await;
    assert_eq!((status.written, status.failed), (10_000, 0), "{:?}", status.error);
    let tables: Vec<usize> = api.batches().iter().filter(|keys| keys[..] != [FENCE]).map(Vec::len).collect();
    assert_eq!(tables, [1_000; 10]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_key_that_could_not_be_removed_is_reported() {
    let api = FastlyApi::start();
    let store = api.open();
    store.put_batch(&[entry("a", "v", 1), entry("b", "v", 1)]).await;
    api.break_keys(&["a"]);
    let failed = store.delete(&["a".into(), "b".into()], 1).await.failed;
    assert!(matches!(&failed[..], [(key, StoreError::Refused(_))] if key == "a"), "{failed:?}");
    assert_eq!(store.get("b").await, Ok(None));
}

#[tokio::test]
async fn an_api_that_fails_or_has_enough_is_told_apart_from_one_that_refuses() {
    let api = FastlyApi::start();
    let store = connect(&api, TOKEN);
    for (status, kind) in [(503, "unreachable"), (429, "throttled"), (400, "refused")] {
        api.answer_all(StatusCode::from_u16(status).ok());
        assert_eq!(store.get("k").await.unwrap_err().kind(), kind);
        let failed = store.put_batch(&[entry("k", "v", 1)]).await.failed;
        assert_eq!((failed[0].0.as_str(), failed[0].1.kind()), ("k", kind));
    }
    api.answer_all(StatusCode::from_u16(429).ok());
    assert_eq!(store.get("k").await, Err(StoreError::Throttled { rest: Duration::from_secs(60) }));
}

#[tokio::test]
async fn a_token_that_is_refused_is_named_by_its_key_and_not_shown() {
    let api = FastlyApi::start();
    let error = connect(&api, "hunter2").get("k").await.unwrap_err();
    assert!(error.to_string().contains("publish.fastly.token_file"), "{error}");
    assert!(!format!("{error} {error:?} {:?}", address(&api, "hunter2")).contains("hunter2"));
}

#[tokio::test]
async fn a_store_that_does_not_exist_is_not_empty() {
    let api = FastlyApi::start();
    let wrong = FastlyAddress { store_id: "other".into(), ..address(&api, TOKEN) };
    let store = fenced(wrong, Arc::clone(&api.clock) as _).unwrap();
    assert!(matches!(store.highest_epoch().await, Err(StoreError::Refused(why)) if why.contains("Store not found")));
}
