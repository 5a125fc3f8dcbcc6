//! The suite over Fastly's KV Store API, and what only a provider does: refuse some keys, limit calls, ask for a token.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;

use super::{
    fastly_api::{FastlyApi, TOKEN},
    harness::{Harness, entry},
    provider::{kinds_of_failure_are_told_apart, only_what_failed_is_sent_again},
    publishing::ten_thousand_nodes_go_in_one_plan,
};
use crate::{
    config,
    publish::{
        fastly::{Fastly, FastlyAddress, fenced},
        fenced::Fenced,
        store::{FENCE, Limits, RateStore, StoreError},
    },
};

impl Harness for FastlyApi {
    fn start() -> Self {
        Self::start()
    }

    fn open(&self) -> Arc<dyn RateStore> {
        Arc::new(connect(self, address(self, TOKEN)))
    }

    fn open_with(&self, limits: Limits) -> Arc<dyn RateStore> {
        Arc::new(connect(self, address(self, TOKEN)).with_limits(limits))
    }

    fn pass_ms(&self, ms: i64) {
        self.pass(ms);
    }

    fn shortest_life_ms(&self) -> i64 {
        1_000
    }
}

fn address(api: &FastlyApi, token: &str) -> FastlyAddress {
    FastlyAddress { api: api.api("", token, config::Fastly::default().price), store_id: "store".into() }
}

fn connect(api: &FastlyApi, address: FastlyAddress) -> Fenced<Fastly> {
    fenced(address, Arc::clone(&api.clock) as _).unwrap()
}

super::suite!(FastlyApi);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_the_api_could_not_write_are_the_only_ones_sent_again() {
    let api = FastlyApi::start();
    only_what_failed_is_sent_again(&api, || api.batches().pop().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_nodes_go_in_ten_batches() {
    let api = FastlyApi::start();
    ten_thousand_nodes_go_in_one_plan(&api).await;
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
    let failed = store.put_batch(&[entry("a", "v", 1)]).await.failed;
    assert!(
        matches!(&failed[..], [(_, StoreError::Refused(why))] if why == "too many writes to the key"),
        "with the API's reason: {failed:?}"
    );
}

#[tokio::test]
async fn an_api_that_fails_or_has_enough_is_told_apart_from_one_that_refuses() {
    let api = FastlyApi::start();
    kinds_of_failure_are_told_apart(&api).await;
    api.answer_all(StatusCode::from_u16(429).ok());
    assert_eq!(api.open().get("k").await, Err(StoreError::Throttled { rest: Duration::from_secs(60) }));
}

#[tokio::test]
async fn a_token_that_is_refused_is_named_by_its_key_and_not_shown() {
    let api = FastlyApi::start();
    let error = connect(&api, address(&api, "hunter2")).get("k").await.unwrap_err();
    assert!(error.to_string().contains("publish.fastly.token_file"), "{error}");
    assert!(!format!("{error} {error:?} {:?}", address(&api, "hunter2")).contains("hunter2"));
}

#[tokio::test]
async fn a_store_that_does_not_exist_is_not_empty() {
    let api = FastlyApi::start();
    let wrong = FastlyAddress { store_id: "other".into(), ..address(&api, TOKEN) };
    let store = connect(&api, wrong);
    assert!(matches!(store.highest_epoch().await, Err(StoreError::Refused(why)) if why.contains("Store not found")));
}
