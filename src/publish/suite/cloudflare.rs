//! The suite over Workers KV's API, and what only a provider does: refuse some keys, limit calls, ask for a token, charge.

use std::{sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusBuilder;
use tidegate_wire::RateTable;

use super::{
    cloudflare_api::{CloudflareApi, TOKEN},
    harness::{Harness, PATIENCE, entry},
    provider::only_what_failed_is_sent_again,
    publishing::{Run, settings, ten_thousand_nodes_go_in_one_plan},
};
use crate::{
    clock::Clock,
    config,
    publish::{
        cloudflare::{Cloudflare, CloudflareAddress, fenced},
        embedded::EmbeddedStore,
        feed::Feed,
        fenced::Fenced,
        publisher::PublishSettings,
        store::{FENCE, Limits, RateStore, StoreError},
        testing::{edit, plan, table},
    },
};

impl Harness for CloudflareApi {
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
        60_000
    }
}

fn address(api: &CloudflareApi, token: &str) -> CloudflareAddress {
    let api = api.api("/client/v4", token, config::Cloudflare::default().price);
    CloudflareAddress { api, account_id: "account".into(), namespace_id: "namespace".into() }
}

fn connect(api: &CloudflareApi, address: CloudflareAddress) -> Fenced<Cloudflare> {
    fenced(address, Arc::clone(&api.clock) as _).unwrap()
}

super::suite!(CloudflareApi);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_the_api_could_not_write_are_the_only_ones_sent_again() {
    let api = CloudflareApi::start();
    only_what_failed_is_sent_again(&api, || api.bulks().pop().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_nodes_go_in_one_bulk_call() {
    let api = CloudflareApi::start();
    ten_thousand_nodes_go_in_one_plan(&api).await;
    assert_eq!(api.bulks().iter().map(Vec::len).collect::<Vec<_>>(), [1, 10_000], "the fence, then all tables");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fence_that_was_not_written_lets_no_table_through() {
    let api = CloudflareApi::start();
    let store = api.open();
    api.break_keys(&[FENCE]);
    let outcome = store.put_batch(&[entry("k", "v", 1)]).await;
    assert!(matches!(&outcome.failed[..], [(key, StoreError::Refused(_))] if key == "k"), "{outcome:?}");
    assert_eq!(store.get("k").await, Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fence_that_the_store_does_not_show_yet_is_remembered() {
    let api = CloudflareApi::start();
    let store = api.open();
    assert_eq!(store.put_batch(&[entry("a", "v", 7)]).await.failed, []);
    api.be_stale();
    assert_eq!(store.put_batch(&[entry("b", "v", 7)]).await.failed, [], "the fence is not written twice within a second");
    assert_eq!(store.put_batch(&[entry("c", "v", 6)]).await.failed, [("c".into(), StoreError::Fenced { epoch: 6, highest: 7 })]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_life_too_short_for_the_store_is_made_longer_and_the_fence_has_no_end() {
    let api = CloudflareApi::start();
    let brief = crate::publish::Entry { expires_at: api.clock.now().plus_secs(5), ..entry("brief", "v", 1) };
    api.open().put_batch(&[brief, entry("long", "v", 1)]).await;
    assert_eq!([api.life_s("brief"), api.life_s("long"), api.life_s(FENCE)], [Some(60), Some(300), None]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_used_up_leave_the_store_alone_until_it_takes_them_again() {
    let api = CloudflareApi::start();
    let mut feed = Feed::new(api.open(), settings());
    api.use_up(1_200);
    let at = |epoch, s| {
        let mut plan = plan(epoch, &["a"]);
        plan.issued_at = plan.issued_at.plus_secs(s);
        plan
    };
    let status = feed.publish(&at(1, 0)).await;
    assert!(status.error.as_ref().is_some_and(|e| e.contains("wants no call for 300 s")), "{status:?}");
    let status = feed.publish(&at(2, 270)).await;
    assert_eq!((status.deferred, status.failed), (1, 0), "nothing is asked: {status:?}");
    api.pass_ms(300_000);
    assert_eq!(feed.publish(&at(3, 300)).await.written, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_calls_stay_below_the_limit_of_the_account() {
    let api = CloudflareApi::start();
    let store = api.open();
    let mut calls = 0;
    let error = loop {
        match store.get("k").await {
            Ok(_) => calls += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((calls, error), (1_100, StoreError::Throttled { rest: Duration::from_secs(300) }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_hangs_delays_no_other_and_is_found_again_when_it_is_back() {
    let api = CloudflareApi::start();
    let dir = tempfile::tempdir().unwrap();
    let mut hurried = address(&api, TOKEN);
    hurried.api.deadline = Duration::from_millis(50);
    let hanging: Arc<dyn RateStore> = Arc::new(connect(&api, hurried));
    let well: Arc<dyn RateStore> = Arc::new(EmbeddedStore::open(&dir.path().join("rates.redb"), Arc::clone(&api.clock) as _).unwrap());
    let run = Run::start(&[&hanging, &well], &PublishSettings { deadline: PATIENCE, ..settings() });
    api.be_silent(true);
    for epoch in 1..=3 {
        let mut next = plan(epoch, &["a"]);
        edit(&mut next, "a").pool.capacity = epoch as f64 * 1_000.0;
        run.send(next);
        assert_eq!(run.status(1, epoch).await.written, 1);
        let status = run.status(0, epoch).await;
        assert!(status.failed == 1 && status.error.as_ref().is_some_and(|e| e.contains("no answer")), "{status:?}");
    }
    api.be_silent(false);
    run.send(plan(4, &["a"]));
    let status = run.status(0, 4).await;
    assert!(status.deferred == 1 && status.error.as_ref().is_some_and(|e| e.contains("left alone")), "{status:?}");
    let mut later = plan(5, &["a"]);
    later.issued_at = later.issued_at.plus_secs(60);
    run.send(later);
    assert_eq!(run.status(0, 5).await.written, 1);
}

#[tokio::test]
async fn a_token_that_is_refused_is_named_by_its_key_and_not_shown() {
    let api = CloudflareApi::start();
    let store = connect(&api, address(&api, "hunter2"));
    let error = store.get("k").await.unwrap_err();
    assert!(error.to_string().contains("publish.cloudflare.token_file"), "{error}");
    let address = address(&api, "hunter2");
    assert!(!format!("{error} {error:?} {address:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_namespace_that_does_not_exist_is_no_empty_store() {
    let api = CloudflareApi::start();
    let wrong = CloudflareAddress { namespace_id: "other".into(), ..address(&api, TOKEN) };
    let store = connect(&api, wrong);
    assert!(matches!(store.highest_epoch().await, Err(StoreError::Refused(why)) if why.contains("namespace not found")));
}

#[tokio::test]
async fn what_is_written_is_charged_by_the_price_list() {
    let api = CloudflareApi::start();
    let recorder = PrometheusBuilder::new().build_recorder();
    let page = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let mut feed = Feed::new(api.open(), settings());
    let nodes: Vec<String> = (0..1_000).map(|i| format!("node-{i}")).collect();
    for tick in 0..3 {
        let mut next = plan(1 + tick, &[]);
        next.issued_at = next.issued_at.plus_secs(30 * tick as i64);
        for node in &nodes {
            let mut moved = table(node, next.epoch, 1);
            moved.pool.capacity = 1_000.0 * (tick + 1) as f64;
            next.tables.insert(node.clone(), Arc::<RateTable>::new(moved));
        }
        api.pass_ms(30_000);
        assert_eq!(feed.publish(&next).await.written, 1_000);
    }
    let page = page.render();
    let cost = page.lines().find_map(|l| l.strip_prefix("tidegate_publish_cost_dollars_per_month{store=\"cloudflare\"} "));
    // 86,400 plans a month, each 1,000 tables and the fence; the first million of writes is free, and so are the reads.
    let list = (86_400.0 * 1_001.0 / 1e6 - 1.0) * 5.0;
    assert!((cost.unwrap().parse::<f64>().unwrap() - list).abs() < 1e-6, "{cost:?} instead of {list}");
}
