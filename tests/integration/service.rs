//! The whole service on a port of its own, on a clock that the test sets.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tidegate::{
    app::{App, RunError},
    clock::ManualClock,
    config::Config,
};
use tidegate_wire::{Problem, RateTable, Timestamp};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::reports::{START, WINDOW_S};

/// A service that serves.
pub struct Service {
    pub clock: Arc<ManualClock>,
    pub dir: TempDir,
    pub client: Client,
    base: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
}

impl Service {
    /// A service with the defaults, all its files in a temporary folder.
    pub async fn start() -> Self {
        Self::with(|_| ()).await
    }

    /// A service whose configuration `change` has changed.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.server.data_dir = dir.path().join("data");
        config.training.models_dir = dir.path().join("models");
        change(&mut config);
        let clock = Arc::new(ManualClock::new(START.plus_secs(WINDOW_S)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let app = App::start(config, clock.clone(), listener).await.unwrap();
        let base = format!("http://{}", app.address());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(app.run(async {
            let _ = stopped.await;
        }));
        tidegate::tls::provide();
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
        Self { clock, dir, client, base, stop, task }
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.base))
    }

    /// Sends telemetry as JSON text.
    pub async fn send(&self, body: impl Into<reqwest::Body>) -> Response {
        self.post("/v1/telemetry").header("content-type", "application/json").body(body).send().await.unwrap()
    }

    /// Sets the clock to when the window that starts at `start` is planned.
    pub fn close(&self, start: Timestamp) {
        self.clock.set(start.plus_secs(WINDOW_S + i64::from(Config::default().ingest.grace_s)));
    }

    /// Lets one node be known and have rates.
    pub async fn plan_for(&self, node: &str) -> RateTable {
        let answer = self.send(telemetry(node, 1, START)).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        self.close(START);
        let answer = self.get(&format!("/v1/rates/{node}?wait=60")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.unwrap()
    }

    /// As [`Service::plan_for`], where a long poll does not wait.
    pub async fn plan_for_at_once(&self, node: &str) -> RateTable {
        assert_eq!(self.send(telemetry(node, 1, START)).await.status(), StatusCode::ACCEPTED);
        self.close(START);
        self.overview_after(0).await;
        self.get(&format!("/v1/rates/{node}")).send().await.unwrap().json().await.unwrap()
    }

    /// The overview as it is.
    pub async fn overview(&self) -> Value {
        self.get("/v1/overview").send().await.unwrap().json().await.unwrap()
    }

    /// The overview once there is a plan after `epoch`.
    pub async fn overview_after(&self, epoch: u64) -> Value {
        loop {
            let overview = self.overview().await;
            if overview["epoch"].as_u64().unwrap() > epoch {
                return overview;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Asks it to stop, without waiting for the end.
    pub fn ask_to_stop(self) -> Stopping {
        let _ = self.stop.send(());
        Stopping { dir: self.dir, task: self.task, client: self.client, base: self.base }
    }
}

/// A service that was asked to stop.
pub struct Stopping {
    pub dir: TempDir,
    task: JoinHandle<Result<(), RunError>>,
    client: Client,
    base: String,
}

impl Stopping {
    /// Waits for `path` to answer `status`.
    pub async fn until(&self, path: &str, status: StatusCode) -> Response {
        loop {
            let answer = self.client.get(format!("{}{path}", self.base)).send().await.expect("it still answers");
            if answer.status() == status {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Waits for its end.
    pub async fn ended(self) -> (TempDir, Result<(), RunError>) {
        (self.dir, self.task.await.unwrap())
    }
}

/// A body with one report of one bucket.
pub fn telemetry(node: &str, sequence: u64, start: Timestamp) -> String {
    one(node, sequence, start, json!([{"bucket": "key:1", "requests": 300, "throttled": 30}]))
}

/// A body with one report of `buckets`.
pub fn one(node: &str, sequence: u64, start: Timestamp, buckets: Value) -> String {
    let report = json!({"node": node, "sequence": sequence, "start": start.to_string(), "seconds": WINDOW_S, "buckets": buckets});
    json!({"reports": [report]}).to_string()
}

/// Checks that `answer` is a problem document of `kind` and returns it.
pub async fn problem(answer: Response, status: u16, kind: &str) -> Problem {
    let content_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
    let code = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    assert_eq!(content_type, Problem::CONTENT_TYPE, "{text}");
    let problem: Problem = serde_json::from_str(&text).unwrap();
    assert_eq!((code, problem.status, problem.kind.as_str()), (status, status, format!("/problems/{kind}").as_str()), "{text}");
    assert!(!problem.detail.is_empty() && !problem.title.is_empty());
    problem
}
