//! The HTTP API: what the edge, operators, scrapers and the dashboard ask.
//!
//! - [`auth`], [`local`]: who asks; [`body`], [`json`]: what is sent; [`refusal`], [`problems`]: how anything is refused.
//! - For the edge: [`telemetry`], [`rates`] out of [`served`].
//! - For operators: [`buckets`], [`recommendations`], [`models`], [`overview`] with [`dashboard`] on top.
//! - For machines: [`life`], [`scrape`], [`openapi`]; [`observe`] counts and traces every request.

pub mod auth;
mod body;
mod buckets;
mod dashboard;
mod json;
mod life;
mod local;
mod models;
mod observe;
pub mod openapi;
mod overview;
mod problems;
mod rates;
mod recommendations;
mod refusal;
mod scrape;
mod served;
mod telemetry;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    middleware,
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use tidegate_registry::Registry;
use tokio::sync::watch;
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    timeout::TimeoutLayer,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{clock::Clock, engine::Engine, ingest::Rules, trainer::Trainer};

pub use body::BodyBounds;
pub use life::Life;
pub use overview::{Overviews, Seen};
pub use served::{ServedRates, ServedTable};

/// What the handlers share.
pub struct Api {
    /// Ingest and questions.
    pub engine: Engine,
    /// Tables in force, ready to be sent.
    pub rates: Arc<ServedRates>,
    /// What the dashboard shows.
    pub overviews: Overviews,
    /// Model artefacts.
    pub registry: Registry,
    /// Retraining.
    pub trainer: Arc<Trainer>,
    /// Tokens that are known.
    pub tokens: auth::Tokens,
    /// Where the service is in its life.
    pub life: watch::Receiver<Life>,
    /// All metrics as text.
    pub metrics: PrometheusHandle,
    /// Time of arrival.
    pub clock: Arc<dyn Clock>,
    /// What a report is checked against.
    pub rules: Rules,
    /// Bounds of a request body.
    pub body_bounds: BodyBounds,
    /// Most seconds that `?wait=` holds a request.
    pub long_poll_max_s: u64,
}

impl FromRequestParts<Arc<Api>> for auth::Caller {
    type Rejection = refusal::Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Self::Rejection> {
        api.tokens.caller(&parts.headers)
    }
}

/// All routes of the API with their documentation.
fn documented() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(openapi::preamble())
        .routes(routes!(telemetry::report))
        .routes(routes!(rates::read))
        .routes(routes!(recommendations::recommend))
        .routes(routes!(buckets::explain))
        .routes(routes!(overview::read))
        .routes(routes!(models::list))
        .routes(routes!(models::promote))
        .routes(routes!(models::rollback))
        .routes(routes!(models::retrain))
        .routes(routes!(life::healthz))
        .routes(routes!(life::readyz))
        .routes(routes!(scrape::metrics))
}

/// The whole service as one router.
pub fn router(api: Arc<Api>) -> Router {
    let (routes, document) = documented().split_for_parts();
    let document = openapi::Served::new(&document);
    // Longer than any answer takes: a client that sends or reads too slowly is cut off.
    let patience = Duration::from_secs(api.long_poll_max_s + 30);
    let around = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(observe::trace())
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(middleware::from_fn(observe::count))
        .layer(middleware::from_fn(problems::unify))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, patience))
        .layer(CatchPanicLayer::custom(problems::of_panic));
    routes
        .route("/openapi.json", get(move || async move { document }))
        .route("/", get(dashboard::index))
        .route("/{file}", get(dashboard::file))
        .fallback(dashboard::nothing)
        .with_state(api)
        .layer(around)
}
