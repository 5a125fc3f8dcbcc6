//! The suite over EdgeKV's API, and what only a provider does that takes few calls: keep a pace, ask for signatures, spread a plan.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusBuilder;
use tidegate_planner::Plan;
use tidegate_wire::RateTable;

use super::{
    edgekv_api::{ACCESS_TOKEN, CLIENT_SECRET, CLIENT_TOKEN, EdgeKvApi},
    harness::{Harness, PATIENCE},
    provider::{LeapingClock, kinds_of_failure_are_told_apart, only_what_failed_is_sent_again},
    publishing::{Run, settings},
};
use crate::{
    clock::Clock,
    publish::{
        akamai::{Akamai, AkamaiAddress, RENEWALS_PER_S, fenced},
        edgegrid::EdgeGrid,
        feed::{Feed, StoreStatus},
        fenced::Fenced,
        publisher::PublishSettings,
        store::{FENCE, Limits, RateStore, StoreError},
        testing::{plan, secret, table},
    },
};

impl Harness for EdgeKvApi {
    fn start() -> Self {
        Self::start()
    }

    fn open(&self) -> Arc<dyn RateStore> {
        Arc::new(connect(self, address(self)))
    }

    fn open_with(&self, limits: Limits) -> Arc<dyn RateStore> {
        Arc::new(connect(self, address(self)).with_limits(limits))
    }

    fn pass_ms(&self, ms: i64) {
        self.pass(ms);
    }

    fn expires(&self) -> bool {
        false
    }
}

fn credentials(client_secret: &str) -> EdgeGrid {
    let edgerc = format!(
        "[default]\nhost = a.example.net\nclient_token = {CLIENT_TOKEN}\nclient_secret = {client_secret}\naccess_token = {ACCESS_TOKEN}\n"
    );
    EdgeGrid::parse(&secret(&edgerc), "default").unwrap()
}

pub(super) fn address(api: &EdgeKvApi) -> AkamaiAddress {
    AkamaiAddress {
        base_url: api.url(),
        credentials: credentials(CLIENT_SECRET),
        network: "production".into(),
        namespace: "tidegate".into(),
        group: "rates".into(),
        deadline: PATIENCE,
        price: None,
    }
}

pub(super) fn connect(api: &EdgeKvApi, address: AkamaiAddress) -> Fenced<Akamai> {
    fenced(address, Arc::new(LeapingClock(Arc::clone(&api.clock)))).unwrap()
}

super::suite!(EdgeKvApi);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_that_could_not_be_written_are_the_only_ones_sent_again() {
    let api = EdgeKvApi::start();
    only_what_failed_is_sent_again(&api, || api.written().pop().into_iter().collect()).await;
}

/// What an engine begins with, at the pace of the usual deadline.
fn feed(api: &EdgeKvApi) -> Feed {
    let store = connect(api, AkamaiAddress { deadline: Duration::from_secs(5), ..address(api) });
    Feed::new(Arc::new(store), PublishSettings { deadline: PATIENCE, ..settings() })
}

/// An engine that plans every 30 s, on the API's time.
struct Ticks {
    api: EdgeKvApi,
    feed: Feed,
    nodes: Vec<String>,
    lease_s: i64,
    epoch: u64,
}

impl Ticks {
    fn start(nodes: usize, lease_s: i64) -> Self {
        let api = EdgeKvApi::start();
        Self { feed: feed(&api), api, nodes: (0..nodes).map(|i| format!("node-{i:05}")).collect(), lease_s, epoch: 0 }
    }

    /// Plans, publishes and waits for the next plan's time. All rates are new in each plan if `moving`.
    async fn tick(&mut self, moving: bool) -> StoreStatus {
        self.epoch += 1;
        let now = self.api.clock.now();
        let of_node = |node: &String| {
            let mut table = table(node, self.epoch, 1);
            (table.issued_at, table.expires_at) = (now, now.plus_secs(self.lease_s));
            if moving {
                table.pool.capacity = 2_f64.powi(self.epoch as i32);
            }
            (node.clone(), Arc::new(table))
        };
        let tables: BTreeMap<_, _> = self.nodes.iter().map(of_node).collect();
        let status = self.feed.publish(&Plan { epoch: self.epoch, issued_at: now, tables, ..plan(0, &[]) }).await;
        let took_ms = self.api.clock.now().as_millis() - now.as_millis();
        assert!(took_ms <= 30_000, "a plan took {took_ms} ms");
        self.api.pass(30_000 - took_ms);
        assert_eq!((status.failed, self.api.throttled()), (0, 0), "{:?}", status.error);
        status
    }

    /// Nodes whose lease in the store has ended by now, or that have none.
    fn late(&self) -> usize {
        let now = self.api.clock.now();
        let items = self.api.items();
        let table = |node: &String| serde_json::from_str::<RateTable>(items.get(&RateTable::key(node))?).ok();
        self.nodes.iter().filter(|node| table(node).is_none_or(|table| table.expires_at <= now)).count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_nodes_are_spread_over_half_of_a_lease_of_half_an_hour() {
    let mut ticks = Ticks::start(10_000, 1_800);
    let mut written = 0;
    const CYCLES: i64 = 26;
    const { assert!(CYCLES * 30 <= 1_800 / 2) };
    for _ in 0..CYCLES {
        let status = ticks.tick(false).await;
        written += status.written;
        assert_eq!((status.skipped + status.written, status.deferred), (written, 10_000 - written), "no node twice");
    }
    assert_eq!((written, ticks.late()), (10_000, 0));
}

/// Seconds of the leases of so many nodes as the configuration allows with them.
const LEASE_S: i64 = 240;
const ALLOWED: usize = (RENEWALS_PER_S * (LEASE_S / 2 - 2 * 30) as f64) as usize;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_as_many_nodes_as_are_allowed_no_lease_ends_though_all_rates_move_at_every_plan() {
    let mut ticks = Ticks::start(ALLOWED, LEASE_S);
    for s in (30..=2 * LEASE_S).step_by(30) {
        let status = ticks.tick(true).await;
        assert!(status.deferred > 0, "more is wanted than can be written: {status:?}");
        assert!(s < LEASE_S / 2 || ticks.late() == 0, "{} late after {s} s", ticks.late());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_as_many_nodes_as_are_allowed_no_lease_ends_though_the_engine_starts_anew() {
    let mut ticks = Ticks::start(ALLOWED, LEASE_S);
    // A new engine does not know which lease ends first and begins with the first names: let those be the youngest.
    let first = ticks.nodes.drain(..ALLOWED / 2).collect::<Vec<_>>();
    ticks.tick(false).await;
    ticks.nodes.extend(first);
    for _ in 1..5 {
        ticks.tick(false).await;
        assert_eq!(ticks.late(), 0, "after epoch {}", ticks.epoch);
    }
    // The oldest would be renewed now.
    ticks.api.pass(30_000);
    ticks.feed = feed(&ticks.api);
    for _ in 0..4 {
        ticks.tick(false).await;
        assert_eq!(ticks.late(), 0, "after epoch {}", ticks.epoch);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_could_not_be_removed_are_removed_at_the_next_plan() {
    let api = EdgeKvApi::start();
    let store = api.open();
    let run = Run::start(&[&store], &settings());
    let goes = RateTable::key("goes");
    run.send(plan(1, &["stays", "goes"]));
    assert_eq!(run.status(0, 1).await.written, 2);
    api.break_keys(&[&goes]);
    run.send(plan(2, &["stays"]));
    assert!(run.status(0, 2).await.error.is_some());
    assert!(store.get(&goes).await.unwrap().is_some(), "nothing else would ever remove it");
    api.break_keys(&[]);
    run.send(plan(3, &["stays"]));
    assert_eq!(run.status(0, 3).await.error, None);
    assert_eq!(store.get(&goes).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removals_that_are_refused_cost_one_call_per_plan() {
    let api = EdgeKvApi::start();
    let store = api.open();
    let limits = Limits { batch_pairs: 1, ..store.limits() };
    let run = Run::start(&[&api.open_with(limits)], &settings());
    let gone = ["a", "b", "c"].map(RateTable::key);
    run.send(plan(1, &["a", "b", "c", "stays"]));
    assert_eq!(run.status(0, 1).await.written, 4);
    api.break_keys(&gone.each_ref().map(String::as_str));
    let before = api.calls();
    run.send(plan(2, &["stays"]));
    assert!(run.status(0, 2).await.error.is_some());
    assert_eq!(api.calls() - before, 3, "the fence is read and raised, and one key tried");
    api.break_keys(&[]);
    run.send(plan(3, &["stays"]));
    assert_eq!(run.status(0, 3).await.error, None);
    for key in &gone {
        assert_eq!(store.get(key).await, Ok(None));
    }
}

#[tokio::test]
async fn a_large_table_is_one_item_and_a_larger_one_is_sharded() {
    let api = EdgeKvApi::start();
    let mut feed = Feed::new(api.open(), settings());
    for (epoch, buckets, items) in [(1, 2_000, 1), (2, 3_000, 3)] {
        let mut next = plan(epoch, &[]);
        next.tables.insert("n".into(), Arc::new(table("n", epoch, buckets)));
        assert_eq!(feed.publish(&next).await.written, 1);
        let written = api.written().into_iter().filter(|key| key != FENCE && !key.contains(&format!("-{}-", epoch - 1))).count();
        assert_eq!(written, items + usize::from(epoch == 2), "of {buckets} buckets, and the head of the table before");
    }
}

#[tokio::test]
async fn a_signature_that_is_refused_is_named_by_its_key_and_shows_no_secret() {
    let api = EdgeKvApi::start();
    let wrong = AkamaiAddress { credentials: credentials("hunter2"), ..address(&api) };
    let error = connect(&api, wrong.clone()).get("k").await.unwrap_err();
    assert!(error.to_string().contains("publish.akamai.edgerc_file") && error.to_string().contains("signature"), "{error}");
    assert!(!format!("{error} {error:?} {wrong:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_named() {
    let api = EdgeKvApi::start();
    let slow = crate::clock::ManualClock::new(api.clock.now().plus_secs(-60));
    let error = fenced(address(&api), Arc::new(slow)).unwrap().get("k").await.unwrap_err().to_string();
    assert!(error.contains("clock") && error.contains("Invalid timestamp"), "{error}");
}

#[tokio::test]
async fn a_namespace_that_does_not_exist_is_no_empty_store() {
    let api = EdgeKvApi::start();
    let store = connect(&api, AkamaiAddress { namespace: "other".into(), ..address(&api) });
    assert!(matches!(store.highest_epoch().await, Err(StoreError::Refused(why)) if why.contains("namespace does not exist")));
}

#[tokio::test]
async fn an_api_that_fails_or_has_enough_is_told_apart_from_one_that_refuses() {
    kinds_of_failure_are_told_apart(&EdgeKvApi::start()).await;
}

#[tokio::test]
async fn what_it_costs_is_said_only_where_it_is_known() {
    let costs = async |price| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let page = recorder.handle();
        let _guard = metrics::set_default_local_recorder(&recorder);
        let api = EdgeKvApi::start();
        let mut feed = Feed::new(Arc::new(connect(&api, AkamaiAddress { price, ..address(&api) })), settings());
        for epoch in 1..=2 {
            let mut next = plan(epoch, &["a"]);
            next.issued_at = next.issued_at.plus_secs(30 * epoch as i64);
            next.tables.insert("a".into(), Arc::new(table("a", epoch, epoch as usize)));
            feed.publish(&next).await;
        }
        let page = page.render();
        page.lines().find_map(|l| l.strip_prefix("tidegate_publish_cost_dollars_per_month{store=\"akamai\"} ")?.parse::<f64>().ok())
    };
    assert_eq!(costs(None).await, None);
    let price = crate::config::Price { writes_per_million: 10.0, ..Default::default() };
    // One table and the fence at the second plan, 86,400 plans a month.
    let cost = costs(Some(price)).await.unwrap();
    assert!((cost - 2.0 * 86_400.0 * 10.0 / 1e6).abs() < 1e-9, "{cost}");
}
