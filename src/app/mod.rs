//! The service wired together: start, run until told to stop, drain.

mod work;

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use tidegate_planner::{Planner, SettingsError};
use tidegate_registry::Registry;
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    time::timeout,
};

use crate::{
    clock::Clock,
    config::Config,
    engine::{self, Options},
    http::{self, Api, BodyBounds, Life, Overviews, ServedRates, auth::Tokens},
    ingest::Rules,
    metrics,
    publish::{self, OpenError, RateStore},
    registry,
    state::RecoverError,
    trainer::Trainer,
};

use work::Work;

/// How long the tick, the stores and the last snapshot get once requests have ended.
const FINISH: Duration = Duration::from_secs(10);

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A planner setting.
    #[error("configuration key `planner.{}`: {}", .0.key, .0.reason)]
    Settings(#[from] SettingsError),
    /// The state of an earlier run.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The data folder or a store.
    #[error("stores cannot be opened: {0}; check server.data_dir and [publish], and that no other tidegate uses that folder")]
    Stores(#[from] OpenError),
    /// The metrics recorder.
    #[error("metrics cannot be set up: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    /// The listener.
    #[error("the listener has no address: {0}")]
    Listener(#[from] io::Error),
}

/// A service that has recovered its state and is bound, but does not answer yet.
pub struct App {
    config: Config,
    listener: TcpListener,
    address: SocketAddr,
    engine: engine::Running,
    stores: Vec<Arc<dyn RateStore>>,
    api: Arc<Api>,
    life: watch::Sender<Life>,
}

impl App {
    /// Recovers state from the data folder and starts the engine's thread. `listener` may be bound to port 0.
    ///
    /// # Errors
    /// [`StartError`]: a setting, the data folder or the listener cannot be used.
    pub async fn start(config: Config, clock: Arc<dyn Clock>, listener: TcpListener) -> Result<Self, StartError> {
        let address = listener.local_addr()?;
        let metrics = metrics::recorder()?;
        let registry = Registry::new(config.training.models_dir(&config.server.data_dir), config.planner.interval_s);
        let stores = publish::open_stores(&config.publish, &config.server.data_dir, &clock)?;
        let fence = publish::highest_epoch(&stores).await;
        let engine = recover(&config, &registry, fence).await?;
        let rates = Arc::new(ServedRates::default());
        if let Some(plan) = &engine.plan {
            rates.update(plan.tables.values());
        }
        let (life, watched) = watch::channel(Life::Serving);
        let api = Arc::new(Api {
            engine: engine.engine.clone(),
            rates,
            overviews: Overviews::default(),
            registry,
            trainer: Trainer::new(&config, clock.clone()),
            tokens: Tokens::new(&config.auth),
            life: watched,
            metrics,
            clock,
            rules: Rules { bounds: config.ingest.clone(), interval_s: config.planner.interval_s },
            body_bounds: BodyBounds { sent: config.server.body_limit_bytes, unpacked: config.server.unpacked_limit_bytes },
            long_poll_max_s: config.server.long_poll_max_s,
        });
        Ok(Self { config, listener, address, engine, stores, api, life })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` completes, then drains: `/readyz` turns 503, long polls end, requests in flight and the tick are
    /// finished, the journal is flushed and a snapshot written.
    ///
    /// # Errors
    /// The listener failed, or draining took longer than `server.drain_grace_s`; what was acknowledged is durable all the same.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        let Self { config, listener, engine, stores, api, life, .. } = self;
        let work = Work::start(&config, &engine, stores, &api);
        let (stop_server, stopped) = oneshot::channel::<()>();
        let server = axum::serve(listener, http::router(api.clone())).with_graceful_shutdown(async {
            // A sender that is gone means the same as one that has spoken.
            let _ = stopped.await;
        });
        let mut server = tokio::spawn(server.into_future());
        tokio::select! {
            () = shutdown => {}
            ended = &mut server => return Err(RunError::of_server(ended)),
        }
        tracing::info!("draining");
        life.send_replace(Life::Draining);
        tokio::time::sleep(Duration::from_secs(config.server.drain_notice_s)).await;
        let _ = stop_server.send(());
        let grace_s = config.server.drain_grace_s;
        let served = timeout(Duration::from_secs(grace_s), &mut server).await;
        server.abort();
        // Requests that do not end keep nobody from finishing the tick and the journal.
        let finished = timeout(FINISH, async {
            work.finish().await;
            engine.engine.stop().await
        });
        match (served, finished.await) {
            (_, Ok(Err(error))) => Err(RunError::Engine(error.to_string())),
            (Err(_), _) | (_, Err(_)) => Err(RunError::Grace { grace_s }),
            (Ok(ended), Ok(Ok(()))) => ended.map_err(io::Error::other).and_then(|r| r).map_err(RunError::Server),
        }
    }
}

/// Why the service ended otherwise than asked.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The listener.
    #[error("the HTTP server failed: {0}")]
    Server(io::Error),
    /// Requests or the tick took too long.
    #[error("draining was cut off after {grace_s} s (server.drain_grace_s); acknowledged telemetry is in the journal")]
    Grace {
        /// `server.drain_grace_s`.
        grace_s: u64,
    },
    /// The engine's thread.
    #[error("the engine ended before it was stopped: {0}")]
    Engine(String),
}

impl RunError {
    fn of_server(ended: Result<io::Result<()>, tokio::task::JoinError>) -> Self {
        let error = ended.map_err(io::Error::other).and_then(|r| r).err();
        Self::Server(error.unwrap_or_else(|| io::Error::other("it ended by itself")))
    }
}

/// Recovers the engine, with the champion that `registry` has once the shipped models are in it.
async fn recover(config: &Config, registry: &Registry, fence: u64) -> Result<engine::Running, StartError> {
    match registry::seed(registry) {
        Ok(Some(model)) => tracing::info!(model, models = %registry.dir().display(), "the shipped model was installed"),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "the shipped model was not installed"),
    }
    let champion = registry.champion().map_err(|error| tracing::warn!(%error, "the last good model, or none, forecasts"));
    let planner = Planner::new(config.planner.clone(), champion.ok().map(|loaded| loaded.model))?;
    let options = Options::new(config, fence);
    // Recovery reads files for a while; the listener is bound already, so nobody is refused meanwhile.
    let started = tokio::task::spawn_blocking(move || engine::start(&options, planner)).await;
    started.map_err(io::Error::other)?.map_err(StartError::Recover)
}
