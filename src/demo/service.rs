//! The service under the demo: the real one, in a temporary folder and on a clock that the demo sets.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use reqwest::Client;
use serde::Deserialize;
use tempfile::TempDir;
use tidegate_planner::{
    Settings,
    settings::{self, Policy},
};
use tidegate_wire::Timestamp;
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{fixed::Origin, traffic::WINDOW_S};
use crate::{
    app::{App, RunError},
    clock::ManualClock,
    config::Config,
};

/// How long a plan is waited for. A real edge would not wait at all, and neither does the demo after that.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at something that is awaited.
const PAUSE: Duration = Duration::from_millis(2);

/// A service that serves.
pub(super) struct Service {
    address: SocketAddr,
    clock: Arc<ManualClock>,
    client: Client,
    grace_s: u32,
    epoch: u64,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
    folder: TempDir,
}

/// The part of `GET /v1/overview` that the demo shows.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Overview {
    pub epoch: u64,
    pub model: Model,
    pub nodes: Vec<Node>,
}

/// The model in use.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Model {
    pub id: Option<String>,
    pub degraded: Option<String>,
}

/// A node as the service sees it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Node {
    pub node: String,
    pub forecast_per_s: f64,
}

impl Overview {
    /// Requests per second that are expected of each node in the next window.
    pub fn forecasts(&self) -> BTreeMap<&str, f64> {
        self.nodes.iter().map(|n| (n.node.as_str(), n.forecast_per_s)).collect()
    }

    /// What forecasts, in words.
    pub fn forecaster(&self) -> String {
        match (&self.model.id, &self.model.degraded) {
            (Some(id), None) => format!("model {id}"),
            (_, Some(reason)) => format!("the naive experts ({reason})"),
            (None, None) => "the naive experts".to_owned(),
        }
    }
}

impl Service {
    /// Starts the service for `origin`, at `now`.
    ///
    /// # Errors
    /// There is no temporary folder, or the address cannot be listened on.
    pub async fn start(listen: SocketAddr, origin: Origin, now: Timestamp) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("tidegate-demo-").context("a temporary folder cannot be made")?;
        let mut config = Config { planner: planner(origin), ..Config::default() };
        config.server.listen = listen;
        config.server.data_dir = folder.path().to_owned();
        let grace_s = config.ingest.grace_s;
        let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen} (--listen)"))?;
        let clock = Arc::new(ManualClock::new(now));
        let app = App::start(config, clock.clone(), listener).await?;
        let address = app.address();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(app.run(async {
            // A sender that is gone means the same as one that has spoken.
            let _ = stopped.await;
        }));
        // Environment variables for proxies are for the way out, not for this machine.
        crate::tls::provide();
        // It asks nobody but this machine, without TLS: no root is trusted, and none needs to be installed.
        let client = Client::builder().no_proxy().tls_certs_only([]).build().context("no HTTP client")?;
        Ok(Self { address, clock, client, grace_s, epoch: 0, stop, task, folder })
    }

    /// Where it serves, as a URL without a slash at its end.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client for its API.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Sets its clock.
    pub fn set_time(&self, now: Timestamp) {
        self.clock.set(now);
    }

    /// Lets it plan from the window that ended at `end`, and returns what it then sees. A plan that is late is left to the next
    /// window.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn plan(&mut self, end: Timestamp) -> anyhow::Result<Overview> {
        let newer = timeout(PATIENCE, async {
            // A time that comes before the ticker waits for it would be missed.
            while self.clock.sleepers() == 0 {
                sleep(PAUSE).await;
            }
            self.clock.set(end.plus_secs(i64::from(self.grace_s)));
            loop {
                let overview = self.overview().await?;
                if overview.epoch > self.epoch {
                    return anyhow::Ok(overview);
                }
                sleep(PAUSE).await;
            }
        });
        let overview = match newer.await {
            Ok(overview) => overview?,
            Err(_) => self.overview().await?,
        };
        self.epoch = overview.epoch;
        Ok(overview)
    }

    async fn overview(&self) -> anyhow::Result<Overview> {
        let answer = self.client.get(format!("{}/v1/overview", self.base())).send().await.context("the overview cannot be asked for")?;
        let answer = answer.error_for_status().context("the overview is refused")?;
        answer.json().await.context("the overview is not what the contract says")
    }

    /// Stops it, drained, and removes its folder.
    ///
    /// # Errors
    /// It ended otherwise than asked, or its folder is still there.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Self { stop, task, folder, client, .. } = self;
        drop(client);
        let _ = stop.send(());
        task.await.context("the service broke down")??;
        let path = folder.path().to_owned();
        folder.close().with_context(|| format!("{} cannot be removed", path.display()))
    }
}

fn planner(origin: Origin) -> Settings {
    let policy = Policy { name: "everyone".into(), ceiling_per_s: Some(origin.ceiling_per_s), ..Policy::default() };
    let origin =
        settings::Origin { name: "demo".into(), sustained_per_s: origin.sustained_per_s, burst: origin.burst, ..Default::default() };
    Settings { interval_s: WINDOW_S, origins: vec![origin], policies: vec![policy], ..Settings::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stopped_service_leaves_nothing_behind() {
        let origin = Origin { sustained_per_s: 10.0, burst: 20.0, ceiling_per_s: 5.0 };
        let listen: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let mut service = Service::start(listen, origin, Timestamp::from_secs(1_793_606_400)).await.unwrap();
        let (folder, address) = (service.folder.path().to_owned(), service.address);
        let overview = service.plan(Timestamp::from_secs(1_793_606_430)).await.unwrap();
        assert!(overview.epoch > 0 && folder.exists());
        service.stop().await.unwrap();
        assert!(!folder.exists());
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}
