//! The periodic tasks: ticks, and what is done with each plan.

use std::{sync::Arc, time::Duration};

use tidegate_planner::Plan;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

use crate::{
    config::Config,
    engine::Running,
    http::{Api, Seen},
    metrics,
    publish::{PublishSettings, Publisher, RateStore},
    registry::Follower,
    tick::{self, Schedule},
};

/// How long the last plan may take to be published: a store that takes few writes must not keep the engine from its snapshot.
const LAST_PLAN: Duration = Duration::from_secs(5);
/// Seconds between two looks at the models folder.
const MODELS_EVERY_S: i64 = 5;

/// The running tasks.
pub(super) struct Work {
    api: Arc<Api>,
    /// Tasks that may be cut off at any point.
    side: Vec<JoinHandle<()>>,
    stop_ticks: oneshot::Sender<()>,
    ticks: JoinHandle<()>,
    plans: JoinHandle<()>,
    publisher: Publisher,
}

impl Work {
    pub fn start(config: &Config, engine: &Running, stores: Vec<Arc<dyn RateStore>>, api: &Arc<Api>) -> Self {
        let (plans, newest) = watch::channel(engine.plan.clone());
        let publisher = Publisher::start(stores, &newest, &PublishSettings::new(&config.publish, &config.planner));
        let (stop_ticks, stopped) = oneshot::channel::<()>();
        let schedule = Schedule { interval_s: config.planner.interval_s, grace_s: config.ingest.grace_s };
        let ticks = tick::run(engine.engine.clone(), api.clock.clone(), schedule, plans, async {
            // A sender that is gone means the same as one that has spoken.
            let _ = stopped.await;
        });
        let follower = Follower::new(api.registry.clone(), api.engine.clone());
        let mut side = vec![tokio::spawn(follower.run(api.clock.clone(), MODELS_EVERY_S))];
        if config.training.every_s > 0 {
            side.push(tokio::spawn(api.trainer.clone().run_every(config.training.every_s)));
        }
        let serving = serve_plans(newest, api.clone());
        Self { api: api.clone(), side, stop_ticks, ticks: tokio::spawn(ticks), plans: tokio::spawn(serving), publisher }
    }

    /// Ends the tasks; a tick that has begun is finished, and its plan served and published.
    pub async fn finish(self) {
        self.side.iter().for_each(JoinHandle::abort);
        self.api.trainer.stop();
        let _ = self.stop_ticks.send(());
        // The end of the ticks drops the sender of plans, upon which those who wait for plans end too.
        for (task, ended) in
            [("ticks", self.ticks.await), ("plans", self.plans.await), ("publishing", self.publisher.drain(LAST_PLAN).await)]
        {
            if let Err(error) = ended {
                tracing::error!(task, %error, "a task did not end well");
            }
        }
    }
}

/// Puts each new plan where the API finds it, until there is none to come.
async fn serve_plans(mut newest: watch::Receiver<Option<Arc<Plan>>>, api: Arc<Api>) {
    let mut model = None;
    if newest.borrow().is_some() {
        // The plan of an earlier run is in force until the first tick.
        newest.mark_changed();
    }
    while newest.changed().await.is_ok() {
        let Some(plan) = newest.borrow_and_update().clone() else { continue };
        api.rates.update(plan.tables.values());
        metrics::record_plan(&plan);
        api.metrics.run_upkeep();
        // The engine ends only after this task has.
        let Ok(seen) = api.engine.query(Seen::of).await else { return };
        api.overviews.update(&plan, &seen);
        metrics::record_model(model.as_deref(), seen.model());
        model = seen.model().map(str::to_owned);
        let s = &plan.summary;
        tracing::info!(epoch = plan.epoch, nodes = s.nodes, series = s.series, demand = s.demand, throttled = s.throttled, "plan");
    }
}
