//! The suite over NATS JetStream, and what only it can do: two engines at once, a bucket that others made, a server that is away.

use std::{net::TcpListener, sync::Arc, time::Duration};

use async_nats::jetstream;

use super::{
    harness::{Harness, PATIENCE, entry, start_time, until},
    nats_accounts::start_with_operator,
    nats_server::NatsServer,
    publishing::ten_thousand_nodes_go_in_one_plan,
    server::{Server, what_was_missed_is_written_later},
};
use crate::{
    clock::ManualClock,
    publish::{
        nats::{NatsAddress, NatsLogin, NatsStore},
        store::{BatchOutcome, Limits, RateStore, StoreError},
        testing::secret,
    },
};

impl Harness for NatsServer {
    fn start() -> Self {
        Self::start_with("")
    }

    fn open(&self) -> Arc<dyn RateStore> {
        Arc::new(connect(address(&self.url())))
    }

    fn open_with(&self, limits: Limits) -> Arc<dyn RateStore> {
        Arc::new(connect(address(&self.url())).with_limits(limits))
    }

    fn restart(&self) {
        self.kill();
        self.run_again();
    }
}

pub(super) fn address(url: &str) -> NatsAddress {
    NatsAddress { url: url.into(), bucket: "rates".into(), replicas: 1, login: NatsLogin::None, deadline: PATIENCE }
}

pub(super) fn connect(address: NatsAddress) -> NatsStore {
    NatsStore::new(address, Arc::new(ManualClock::new(start_time())))
}

async fn context(server: &NatsServer) -> jetstream::Context {
    crate::tls::provide();
    jetstream::new(async_nats::connect(server.url()).await.unwrap())
}

super::suite!(NatsServer);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_the_bucket_finds_values_and_no_deleted_ones() {
    let server = NatsServer::start();
    let store = server.open();
    store.put_batch(&[entry("a", "one", 1), entry("b", "two", 1)]).await;
    store.delete(&["a".into()], 1).await;
    let bucket = context(&server).await.get_key_value("rates").await.unwrap();
    assert_eq!(bucket.get("a").await.unwrap(), None);
    assert_eq!(bucket.get("b").await.unwrap().as_deref(), Some(&b"two"[..]));
    bucket.delete("b").await.unwrap();
    assert_eq!(store.get("b").await, Ok(None), "whoever deleted it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_fell_behind_between_the_fence_and_its_writes_changes_nothing() {
    let server = NatsServer::start();
    let [behind, ahead] = [server.open(), server.open()];
    // Both at the same time, again and again: whoever comes second must see the other's fence.
    for epoch in 1..=20 {
        let [old, new] = [entry("k", "old", 2 * epoch), entry("k", "new", 2 * epoch + 1)].map(|entry| [entry]);
        let (old, new) = tokio::join!(behind.put_batch(&old), ahead.put_batch(&new));
        assert_eq!(new, BatchOutcome::default());
        assert!(old.failed.iter().all(|(_, error)| matches!(error, StoreError::Fenced { .. })), "{old:?}");
        assert_eq!(ahead.get("k").await.unwrap().as_deref(), Some(&b"new"[..]), "of epoch {}", 2 * epoch + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_the_server_refuses_fail_alone() {
    let server = NatsServer::start();
    let config = jetstream::stream::Config {
        name: "KV_rates".into(),
        subjects: vec!["$KV.rates.>".into()],
        max_messages_per_subject: 1,
        max_message_size: 300,
        allow_message_ttl: true,
        ..Default::default()
    };
    context(&server).await.create_stream(config).await.unwrap();
    let store = server.open();
    let long = "x".repeat(400);
    let entries = [entry("a", "v", 1), entry("b", &long, 1), entry("c", "v", 1), entry("d", &long, 1), entry("e", "v", 1)];
    let failed = store.put_batch(&entries).await.failed;
    assert_eq!(failed.iter().map(|(key, error)| (key.as_str(), error.kind())).collect::<Vec<_>>(), [("b", "refused"), ("d", "refused")]);
    for key in ["a", "c", "e"] {
        assert_eq!(store.get(key).await.unwrap().as_deref(), Some(&b"v"[..]), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_whose_keys_cannot_expire_is_refused_with_the_mend() {
    let server = NatsServer::start();
    let config = jetstream::kv::Config { bucket: "rates".into(), ..Default::default() };
    context(&server).await.create_key_value(config).await.unwrap();
    let failed = server.open().put_batch(&[entry("k", "v", 1)]).await.failed;
    assert!(
        matches!(&failed[..], [(_, StoreError::Refused(why))] if why.contains("2.11") && why.contains("remove the bucket")),
        "{failed:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_nodes_go_in_ten_batches() {
    let server = NatsServer::start();
    ten_thousand_nodes_go_in_one_plan(&server).await;
    let stream = context(&server).await.get_stream("KV_rates").await.unwrap();
    assert_eq!(stream.cached_info().state.last_sequence, 10_001, "the fence once, and nothing twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_away_gets_at_a_later_plan_what_it_missed() {
    let server = NatsServer::start();
    let store: Arc<dyn RateStore> = Arc::new(connect(NatsAddress { deadline: Duration::from_millis(200), ..address(&server.url()) }));
    what_was_missed_is_written_later(&server, &store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_takes_batches_whole_also_after_its_leader_is_gone() {
    let servers = NatsServer::start_cluster();
    let leader = |stream: &jetstream::stream::Info| stream.cluster.as_ref().and_then(|cluster| cluster.leader.clone());
    // While a cluster has no leader nobody answers: such calls are to end soon.
    let deadline = Duration::from_secs(3);
    let store = |server: &NatsServer| connect(NatsAddress { replicas: 3, deadline, ..address(&server.url()) });
    let batch = |epoch| (0..1_000).map(|i| entry(&format!("k{i}"), &format!("v{epoch}"), epoch)).collect::<Vec<_>>();
    let written = async |store: &NatsStore, epoch| store.put_batch(&batch(epoch)).await == BatchOutcome::default();
    let first = store(&servers[0]);
    until("the cluster to take a batch", || written(&first, 1)).await;
    let stream = context(&servers[0]).await.get_stream("KV_rates").await.unwrap();
    assert_eq!(stream.cached_info().config.num_replicas, 3);
    let leads: usize = leader(stream.cached_info()).unwrap()[1..].parse().unwrap();
    servers[leads].kill();
    let second = store(&servers[(leads + 1) % 3]);
    until("the others to take a batch", || written(&second, 2)).await;
    assert_eq!(second.get("k999").await.unwrap().as_deref(), Some(&b"v2"[..]));
    let late = second.put_batch(&[entry("k0", "old", 1)]).await.failed;
    assert_eq!(late, [("k0".into(), StoreError::Fenced { epoch: 1, highest: 2 })]);
}

#[tokio::test]
async fn a_server_that_never_answers_costs_the_deadline_and_a_dead_one_is_unreachable() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let deadline = Duration::from_millis(50);
    let store = connect(NatsAddress { deadline, ..address(&format!("nats://{}", silent.local_addr().unwrap())) });
    let late = StoreError::Deadline { after: deadline };
    assert_eq!(store.get("k").await, Err(late.clone()));
    assert_eq!(store.put_batch(&[entry("k", "v", 1)]).await.failed, [("k".into(), late)]);
    drop(silent);
    until("a refused connection", || async { matches!(store.get("k").await, Err(StoreError::Unreachable(_))) }).await;
}

#[tokio::test]
async fn a_server_without_jetstream_says_so() {
    let server = NatsServer::start_with("no_auth_user: plain\naccounts { A { users: [{user: plain, password: plain}] } }");
    let error = server.open().put_batch(&[entry("k", "v", 1)]).await.failed.remove(0).1.to_string();
    assert!(error.to_lowercase().contains("jetstream not enabled") || error.contains("no responders"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credentials_file_opens_a_server_that_knows_accounts_by_their_tokens() {
    let (server, credentials) = start_with_operator();
    let open = |text: &str| connect(NatsAddress { login: NatsLogin::Credentials(secret(text)), ..address(&server.url()) });
    assert_eq!(open(&credentials).put_batch(&[entry("k", "v", 1)]).await, BatchOutcome::default());
    assert_eq!(open(&credentials).get("k").await.unwrap().as_deref(), Some(&b"v"[..]));
    let (_, others) = start_with_operator();
    assert!(open(&others).get("k").await.unwrap_err().to_string().contains("authorization"));
    assert!(
        matches!(open("hunter2").get("k").await, Err(StoreError::Refused(why)) if why.contains("credentials_file") && !why.contains("hunter2"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_and_tokens_open_the_server_and_are_not_shown() {
    let password = NatsServer::start_with("authorization { user: edge, password: right }");
    let token = NatsServer::start_with("authorization { token: right }");
    let user = |password: &str| NatsLogin::Password { username: "edge".into(), password: secret(password) };
    for (server, right, wrong) in
        [(&password, user("right"), user("hunter2")), (&token, NatsLogin::Token(secret("right")), NatsLogin::Token(secret("hunter2")))]
    {
        let open = |login| NatsAddress { login, ..address(&server.url()) };
        assert_eq!(connect(open(right)).put_batch(&[entry("k", "v", 1)]).await, BatchOutcome::default());
        let error = connect(open(wrong.clone())).get("k").await.unwrap_err();
        assert!(error.to_string().contains("authorization"), "{error}");
        assert!(!format!("{error} {error:?} {:?}", open(wrong)).contains("hunter2"));
    }
}
