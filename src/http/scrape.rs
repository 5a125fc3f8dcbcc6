//! `GET /metrics`: everything that is measured, for Prometheus.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::Api;

/// Prometheus metrics
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "read_metrics",
    tag = "operation",
    responses((status = 200, description = "Text exposition format", body = String, content_type = "text/plain; version=0.0.4"))
)]
pub(super) async fn metrics(State(api): State<Arc<Api>>) -> Response {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], api.metrics.render()).into_response()
}
