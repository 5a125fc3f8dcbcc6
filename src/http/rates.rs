//! `GET /v1/rates/{node}`: the node's rate table, at once or as soon as there is a newer one.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tidegate_wire::{Problem, RateTable};
use tokio::time::{Instant, sleep_until};
use utoipa::IntoParams;

use super::{Api, auth::Caller, refusal::Refusal, served::ServedTable};

/// Query of `GET /v1/rates/{node}`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wait {
    /// Seconds to wait for a table other than the one that `If-None-Match` names; cut to the service's bound.
    wait: Option<u64>,
}

/// The rate table of a node
#[utoipa::path(
    get,
    path = "/v1/rates/{node}",
    operation_id = "read_rates",
    tag = "edge",
    params(("node" = String, Path, description = "Node id"), Wait, ("If-None-Match" = Option<String>, Header, description = "ETag of the table at hand")),
    responses(
        (status = 200, description = "The table in force; its ETag is made of the epoch", body = RateTable),
        (status = 304, description = "The table at hand is the one in force"),
        (status = 400, description = "`wait` is not a number of seconds", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token that is known", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The token of another node", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The node has no table (yet)", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(node): Path<String>,
    Query(query): Query<Wait>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    caller.may_read(&node)?;
    let wait = Duration::from_secs(query.wait.unwrap_or(0).min(api.long_poll_max_s));
    let known = headers.get(header::IF_NONE_MATCH);
    match newer(&api, &node, known, wait).await {
        Found::Newer(table) => Ok(answer(StatusCode::OK, &table, table.body.clone())),
        Found::Same(table) => Ok(answer(StatusCode::NOT_MODIFIED, &table, Bytes::new())),
        Found::Nothing => Err(Refusal::unknown(
            "unknown-node",
            format!("node {node:?} has no rates; it gets them at the tick after its first telemetry, so ask again in a while"),
        )),
    }
}

enum Found {
    Newer(Arc<ServedTable>),
    Same(Arc<ServedTable>),
    Nothing,
}

/// Waits until `node` has a table that `known` does not name, `wait` is over, or the service drains.
async fn newer(api: &Api, node: &str, known: Option<&HeaderValue>, wait: Duration) -> Found {
    let deadline = Instant::now() + wait;
    let mut changes = api.rates.changes();
    let mut life = api.life.clone();
    loop {
        changes.mark_unchanged();
        let table = api.rates.get(node);
        if let Some(table) = table.as_ref().filter(|t| !names(known, &t.etag)) {
            return Found::Newer(table.clone());
        }
        let is_over = tokio::select! {
            changed = changes.changed() => changed.is_err(),
            () = sleep_until(deadline) => true,
            _ = life.wait_for(|life| !life.is_serving()) => true,
        };
        if is_over {
            return table.map_or(Found::Nothing, Found::Same);
        }
    }
}

/// Whether `If-None-Match` names `etag`; for this header a weak validator is as good as a strong one.
fn names(known: Option<&HeaderValue>, etag: &HeaderValue) -> bool {
    let Some(known) = known.and_then(|k| k.to_str().ok()) else { return false };
    known.split(',').map(str::trim).any(|k| k == "*" || k.strip_prefix("W/").unwrap_or(k).as_bytes() == etag.as_bytes())
}

fn answer(status: StatusCode, table: &ServedTable, body: Bytes) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::ETAG, table.etag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_none_match_is_read_as_a_list() {
        let etag = HeaderValue::from_static("\"7\"");
        let known = |s: &'static str| names(Some(&HeaderValue::from_static(s)), &etag);
        assert!(known("\"7\"") && known("*") && known("W/\"7\"") && known("\"6\", \"7\""));
        assert!(!known("\"6\"") && !known("7") && !known("\"77\"") && !names(None, &etag));
    }
}
