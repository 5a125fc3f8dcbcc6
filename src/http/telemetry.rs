//! `POST /v1/telemetry`: counts from the edge, durable once answered.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use prost::Message;
use tidegate_wire::{Accepted, Problem, Telemetry, proto};

use super::{Api, auth::Caller, body, json, refusal::Refusal};
use crate::ingest;

/// Report what a node was asked for
#[utoipa::path(
    post,
    path = "/v1/telemetry",
    operation_id = "report_telemetry",
    tag = "edge",
    request_body(content(
        (Telemetry = "application/json"),
        (String = "application/x-protobuf"),
    ), description = "Reports, as they are or with Content-Encoding: gzip; contracts/telemetry.proto describes the binary form"),
    responses(
        (status = 202, description = "Accepted reports are durable; a rejected one has its problem", body = Accepted),
        (status = 400, description = "The body cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token that is known", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "A report of another node than the token's; nothing is taken", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too many bytes or reports", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Neither JSON nor protobuf", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value of the wrong type, or an unknown version", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It cannot be made durable now; send it again later", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn report(
    State(api): State<Arc<Api>>,
    caller: Result<Caller, Refusal>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Accepted>), Refusal> {
    let answer = match caller {
        Ok(caller) => take(&api, &caller, &headers, body).await,
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = &answer {
        metrics::counter!("tidegate_telemetry_refused_total", "problem" => refusal.slug().to_owned()).increment(1);
    }
    Ok((StatusCode::ACCEPTED, Json(answer?)))
}

async fn take(api: &Api, caller: &Caller, headers: &HeaderMap, body: Body) -> Result<Accepted, Refusal> {
    let form = Form::of(headers)?;
    let body = body::read(headers, body, api.body_bounds).await?;
    let telemetry = form.parse(&body)?;
    telemetry.reports.iter().try_for_each(|r| caller.may_write(&r.node))?;
    let checked = ingest::check(telemetry, &api.rules, api.clock.now())?;
    Ok(api.engine.ingest(checked).await?)
}

/// Form of a body.
enum Form {
    Json,
    Protobuf,
}

impl Form {
    fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        match value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" => Ok(Self::Json),
            proto::CONTENT_TYPE => Ok(Self::Protobuf),
            _ => Err(Refusal::unsupported(format!("send telemetry as application/json or {}", proto::CONTENT_TYPE))),
        }
    }

    fn parse(&self, body: &Bytes) -> Result<Telemetry, Refusal> {
        match self {
            Self::Json => json::parse(body),
            Self::Protobuf => match proto::Telemetry::decode(&body[..]) {
                Ok(telemetry) => Ok(telemetry.into()),
                Err(e) => Err(Refusal::malformed("malformed-protobuf", e.to_string())),
            },
        }
    }
}
