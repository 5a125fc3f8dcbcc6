//! What the fronts of providers' APIs share: a loopback port, a clock that tests set, and moods in which something does not work.

use std::{
    collections::HashSet,
    net::TcpListener,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tidegate_wire::Timestamp;

use super::{
    harness::{Harness, PATIENCE, entry, start_time},
    publishing::{Run, settings},
};
use crate::{
    clock::{Clock, ManualClock, Sleep},
    config::Price,
    publish::{
        provider::ProviderApi,
        read::read_table,
        testing::{plan, secret},
    },
};

/// Most bytes of a body that any provider takes.
const BODY_BYTES: usize = 100 << 20;

/// A provider's API; it ends with the test's runtime. `K` is what it keeps.
pub(super) struct Provider<K> {
    /// The provider's time.
    pub clock: Arc<ManualClock>,
    front: Arc<Front<K>>,
    address: String,
}

/// What the handlers of an API share.
pub(super) struct Front<K> {
    clock: Arc<ManualClock>,
    mood: Mutex<Mood>,
    kv: Mutex<K>,
}

#[derive(Default)]
struct Mood {
    /// Keys whose writes and deletions fail.
    broken: HashSet<String>,
    /// The answer to everything, in place of the right one.
    answer: Option<StatusCode>,
    /// No answer at all.
    silent: bool,
}

impl<K: Default + Send + 'static> Provider<K> {
    /// Serves `routes`, behind `admit`, which says who may come in and how often.
    pub fn serve<F, A>(routes: Router<Arc<Front<K>>>, admit: A) -> Self
    where
        A: Fn(State<Arc<Front<K>>>, Request, Next) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        let clock = Arc::new(ManualClock::new(start_time()));
        let front = Arc::new(Front { clock: Arc::clone(&clock), mood: Mutex::default(), kv: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let moody = middleware::from_fn_with_state(Arc::clone(&front), moody::<K>);
        let admit = middleware::from_fn_with_state(Arc::clone(&front), admit);
        let app = routes.layer(DefaultBodyLimit::max(BODY_BYTES)).layer(admit).layer(moody).with_state(Arc::clone(&front));
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { clock, front, address }
    }

    /// Where it is, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How to reach it below `path` with `token`.
    pub fn api(&self, path: &str, token: &str, price: Price) -> ProviderApi {
        ProviderApi { base_url: format!("{}{path}", self.url()), token: secret(token), deadline: PATIENCE, price }
    }

    /// What it keeps.
    pub fn kv(&self) -> MutexGuard<'_, K> {
        self.front.kv()
    }

    /// Lets writes and deletions of `keys`, and of no other, fail.
    pub fn break_keys(&self, keys: &[&str]) {
        self.front.mood.lock().unwrap().broken = keys.iter().map(|key| (*key).to_owned()).collect();
    }

    /// Answers everything with `status`, or again as it should.
    pub fn answer_all(&self, status: Option<StatusCode>) {
        self.front.mood.lock().unwrap().answer = status;
    }

    /// Answers nothing more, or answers again.
    pub fn be_silent(&self, silent: bool) {
        self.front.mood.lock().unwrap().silent = silent;
    }

    /// Moves its time on.
    pub fn pass(&self, ms: i64) {
        self.clock.set(Timestamp::from_millis(self.clock.now().as_millis() + ms));
    }
}

impl<K> Front<K> {
    /// What it keeps.
    pub fn kv(&self) -> MutexGuard<'_, K> {
        self.kv.lock().unwrap()
    }

    /// Its time, in milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.clock.now().as_millis()
    }

    /// Whether writes and deletions of `key` fail.
    pub fn is_broken(&self, key: &str) -> bool {
        self.mood.lock().unwrap().broken.contains(key)
    }
}

async fn moody<K: Send + 'static>(State(front): State<Arc<Front<K>>>, request: Request, next: Next) -> Response {
    let (silent, answer) = {
        let mood = front.mood.lock().unwrap();
        (mood.silent, mood.answer)
    };
    if silent {
        return std::future::pending().await;
    }
    match answer {
        Some(status) => status.into_response(),
        None => next.run(request).await,
    }
}

/// A clock on which nobody waits: whoever would sleep moves it on instead.
pub(super) struct LeapingClock(pub Arc<ManualClock>);

impl Clock for LeapingClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep<'_> {
        Box::pin(async move {
            if self.0.now() < at {
                self.0.set(at);
            }
        })
    }
}

/// One key cannot be written for a while: it alone is sent again, as `last_sent` shows.
pub(super) async fn only_what_failed_is_sent_again<K>(provider: &Provider<K>, last_sent: impl Fn() -> Vec<String>)
where
    K: Default + Send + 'static,
    Provider<K>: Harness,
{
    let store = provider.open();
    let run = Run::start(&[&store], &settings());
    provider.break_keys(&["tidegate-v1-rates-b"]);
    run.send(plan(1, &["a", "b", "c"]));
    let status = run.status(0, 1).await;
    assert_eq!((status.written, status.failed), (2, 1), "{status:?}");
    provider.break_keys(&[]);
    provider.pause();
    run.send(plan(2, &["a", "b", "c"]));
    let status = run.status(0, 2).await;
    assert_eq!((status.written, status.skipped, status.failed), (1, 2, 0), "{status:?}");
    assert_eq!(last_sent(), ["tidegate-v1-rates-b"]);
    assert_eq!(read_table(&*store, "b").await.unwrap().unwrap().epoch, 2);
}

/// An API that fails or has enough is told apart from one that refuses.
pub(super) async fn kinds_of_failure_are_told_apart<K>(provider: &Provider<K>)
where
    K: Default + Send + 'static,
    Provider<K>: Harness,
{
    let store = provider.open();
    for (status, kind) in [(503, "unreachable"), (429, "throttled"), (400, "refused")] {
        provider.answer_all(StatusCode::from_u16(status).ok());
        assert_eq!(store.get("k").await.unwrap_err().kind(), kind);
        let failed = store.put_batch(&[entry("k", "v", 1)]).await.failed;
        assert_eq!((failed[0].0.as_str(), failed[0].1.kind()), ("k", kind));
    }
}
