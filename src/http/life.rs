//! Liveness and readiness: `GET /healthz` and `GET /readyz`.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use tidegate_wire::Problem;
use utoipa::ToSchema;

use super::{Api, refusal::Refusal};

/// Where the service is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Everything is up.
    Serving,
    /// A stop was asked for: long polls end, requests in flight are finished.
    Draining,
}

impl Life {
    /// Whether new work is welcome.
    pub fn is_serving(self) -> bool {
        self == Self::Serving
    }
}

/// Answer of `/healthz` and `/readyz`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`; anything else is said by a problem.
    status: &'static str,
    /// Version of the program.
    version: &'static str,
}

const OK: Json<Health> = Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") });

/// Whether the process runs
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, description = "It runs", body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    OK
}

/// Whether requests should be sent here
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    responses(
        (status = 200, description = "Send requests here", body = Health),
        (status = 503, description = "It drains, or its engine has stopped", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn readyz(State(api): State<Arc<Api>>) -> Result<Json<Health>, Refusal> {
    if api.life.borrow().is_serving() {
        Ok(OK)
    } else {
        Err(Refusal::unavailable("draining", "the service is about to stop; ask another", 5))
    }
}
