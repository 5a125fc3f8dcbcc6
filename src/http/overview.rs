//! `GET /v1/overview`: what the dashboard shows, put together once per plan.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Json, extract::State};
use serde::Serialize;
use tidegate_planner::{NodeView, Plan, Planner, SeriesView, plan::OriginSummary};
use tidegate_wire::{Problem, Timestamp};
use utoipa::ToSchema;

use super::{Api, auth::Caller, refusal::Refusal};

/// Windows that are looked back on: an hour of 30 s ones.
const HISTORY: usize = 120;
/// Most buckets that are shown.
const BUSIEST: usize = 200;

/// Everything at a glance. Rates are per second, means over the last window.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Overview {
    /// The service's clock when it answered.
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// Epoch of the newest plan, 0 before the first.
    epoch: u64,
    /// When that plan was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    issued_at: Option<Timestamp>,
    /// Length of a window in seconds.
    interval_s: u32,
    /// What forecasts.
    model: OverviewModel,
    /// Leased against capacity.
    origins: Vec<OverviewOrigin>,
    /// Every node that is known.
    nodes: Vec<OverviewNode>,
    /// The busiest buckets, at most 200.
    buckets: Vec<OverviewBucket>,
    /// The last windows, oldest first, at most 120.
    #[schema(value_type = Vec<OverviewWindow>)]
    history: VecDeque<OverviewWindow>,
}

/// The model, at a glance.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct OverviewModel {
    /// The model that forecasts; none when the naive experts do it alone.
    id: Option<String>,
    /// Why the model is not used, when it is not.
    degraded: Option<String>,
}

/// An origin, at a glance.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OverviewOrigin {
    /// Its name.
    name: String,
    /// Requests per second that it can serve for ever.
    sustained_per_s: f64,
    /// Requests that it can serve at once on top.
    burst: f64,
    /// Refill rates of all leases in force, tokens per second.
    leased_per_s: f64,
    /// Bursts of all leases in force, tokens.
    leased_burst: f64,
    /// Probability that one more token would be used, 0 to 1.
    price: f64,
}

/// A node, at a glance.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OverviewNode {
    /// Its id.
    node: String,
    /// Whether it reported the last window.
    reporting: bool,
    /// Epoch of its newest rate table, which may be older than the plan: a table that would say the same is not issued anew.
    epoch: u64,
    /// Epoch that all its instances enforce, as far as they have said.
    epoch_acked: Option<u64>,
    /// Requests offered.
    demand_per_s: f64,
    /// Requests admitted.
    admitted_per_s: f64,
    /// Requests refused.
    throttled_per_s: f64,
    /// Requests expected in the next window.
    forecast_per_s: f64,
    /// Refill rate of its pool, tokens per second.
    pool_refill_per_s: f64,
    /// Capacity of its pool, tokens.
    pool_capacity: f64,
}

/// A bucket at a node, at a glance.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OverviewBucket {
    /// The node.
    node: String,
    /// The bucket.
    bucket: String,
    /// Requests offered.
    demand_per_s: f64,
    /// Requests refused.
    throttled_per_s: f64,
    /// Requests expected in the next window.
    forecast_per_s: f64,
    /// Guaranteed rate, tokens per second.
    refill_per_s: f64,
    /// Most it may reach when it borrows, tokens per second.
    ceiling_per_s: f64,
    /// The rule that bound the rate.
    bound_by: String,
}

/// One window of all nodes together.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OverviewWindow {
    /// End of the window.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Requests offered.
    demand_per_s: f64,
    /// Requests admitted.
    admitted_per_s: f64,
    /// Requests refused.
    throttled_per_s: f64,
    /// Refill rates leased from then on, tokens per second.
    leased_per_s: f64,
    /// Requests expected, at `at`, of the window after it.
    forecast_per_s: f64,
}

/// The overview as of the last plan.
#[derive(Debug, Default)]
pub struct Overviews(Mutex<Overview>);

impl Overviews {
    /// Takes in a plan and what the planner saw when it made it.
    pub fn update(&self, plan: &Plan, seen: &Seen) {
        let mut overview = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let per_s = 1.0 / f64::from(seen.interval_s.max(1));
        overview.epoch = plan.epoch;
        overview.issued_at = Some(plan.issued_at);
        overview.interval_s = seen.interval_s;
        overview.model = OverviewModel { id: seen.model.clone(), degraded: plan.summary.degraded.clone() };
        overview.origins = plan.summary.origins.iter().map(OverviewOrigin::from).collect();
        overview.nodes = seen.nodes.iter().map(|n| OverviewNode::new(n, plan, per_s)).collect();
        overview.buckets = seen.busiest.iter().map(|s| OverviewBucket::new(s, per_s)).collect();
        if overview.history.len() == HISTORY {
            overview.history.pop_front();
        }
        overview.history.push_back(OverviewWindow::new(plan, seen.interval_s, per_s));
    }

    fn at(&self, now: Timestamp) -> Overview {
        let overview = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Overview { now, ..overview.clone() }
    }
}

/// What the planner knows beyond its plan.
#[derive(Debug, Clone)]
pub struct Seen {
    interval_s: u32,
    model: Option<String>,
    nodes: Vec<NodeView>,
    busiest: Vec<SeriesView>,
}

impl Seen {
    /// Looks at `planner`.
    pub fn of(planner: &Planner) -> Self {
        Self {
            interval_s: planner.settings().interval_s,
            model: planner.model().map(|m| m.id.clone()),
            nodes: planner.nodes(),
            busiest: planner.busiest(BUSIEST),
        }
    }

    /// The model that forecasts.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }
}

impl From<&OriginSummary> for OverviewOrigin {
    fn from(o: &OriginSummary) -> Self {
        Self {
            name: o.name.clone(),
            sustained_per_s: o.sustained_per_s,
            burst: o.burst,
            leased_per_s: o.leased_per_s,
            leased_burst: o.leased_burst,
            price: o.price,
        }
    }
}

impl OverviewNode {
    fn new(view: &NodeView, plan: &Plan, per_s: f64) -> Self {
        let table = plan.tables.get(&view.node);
        let pool = table.map(|t| &t.pool);
        Self {
            node: view.node.clone(),
            reporting: view.reporting,
            epoch: table.map_or(0, |t| t.epoch),
            epoch_acked: view.acknowledged,
            demand_per_s: view.demand * per_s,
            admitted_per_s: (view.demand - view.throttled) * per_s,
            throttled_per_s: view.throttled * per_s,
            forecast_per_s: view.forecast * per_s,
            pool_refill_per_s: pool.and_then(|p| p.refill_per_s.first()).copied().unwrap_or(0.0),
            pool_capacity: pool.map_or(0.0, |p| p.capacity),
        }
    }
}

impl OverviewBucket {
    fn new(view: &SeriesView, per_s: f64) -> Self {
        Self {
            node: view.node.clone(),
            bucket: view.bucket.clone(),
            demand_per_s: view.demand * per_s,
            throttled_per_s: view.throttled * per_s,
            forecast_per_s: view.forecast * per_s,
            refill_per_s: view.refill_per_s,
            ceiling_per_s: view.ceiling_per_s,
            bound_by: view.bound_by.to_owned(),
        }
    }
}

impl OverviewWindow {
    fn new(plan: &Plan, interval_s: u32, per_s: f64) -> Self {
        let s = &plan.summary;
        let interval_s = i64::from(interval_s.max(1));
        Self {
            at: Timestamp::from_secs(plan.issued_at.as_secs().div_euclid(interval_s) * interval_s),
            demand_per_s: s.demand * per_s,
            admitted_per_s: s.admitted * per_s,
            throttled_per_s: s.throttled * per_s,
            leased_per_s: s.origins.iter().map(|o| o.leased_per_s).sum(),
            forecast_per_s: s.forecast * per_s,
        }
    }
}

/// Everything at a glance
#[utoipa::path(
    get,
    path = "/v1/overview",
    operation_id = "read_overview",
    tag = "operation",
    responses(
        (status = 200, description = "As of the last plan", body = Overview),
        (status = 401, description = "No token that is known", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator's token", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<Overview>, Refusal> {
    caller.may_operate()?;
    let mut overview = api.overviews.at(api.clock.now());
    overview.interval_s = api.rules.interval_s;
    Ok(Json(overview))
}
