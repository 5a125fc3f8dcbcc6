//! Fastly's KV Store API on a loopback port, as its documentation describes it, on a clock that tests set.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::{get, put},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::provider::{Front, Provider};

pub(super) const TOKEN: &str = "right-token";
const KEY_BYTES: usize = 1_024;
const VALUE_BYTES: usize = 25 << 20;

/// The running API.
pub(super) type FastlyApi = Provider<Kv>;

#[derive(Default)]
pub(super) struct Kv {
    values: HashMap<String, Value>,
    /// Keys of each batch.
    batches: Vec<Vec<String>>,
}

type Shared = State<Arc<Front<Kv>>>;

struct Value {
    bytes: Vec<u8>,
    expires_ms: Option<i64>,
}

#[derive(Deserialize)]
struct Line {
    key: String,
    value: String,
    time_to_live_sec: Option<i64>,
}

impl FastlyApi {
    pub(super) fn start() -> Self {
        let routes = Router::new()
            .route("/resources/stores/kv/store", get(async || Json(json!({"id": "store"}))))
            .route("/resources/stores/kv/store/batch", put(write))
            .route("/resources/stores/kv/store/keys/{key}", get(read).delete(delete))
            .fallback(no_store);
        Self::serve(routes, admit)
    }

    /// The keys of each batch so far.
    pub(super) fn batches(&self) -> Vec<Vec<String>> {
        self.kv().batches.clone()
    }
}

async fn admit(State(_): Shared, request: Request, next: Next) -> Response {
    match request.headers().get("Fastly-Key") {
        Some(token) if token == TOKEN => next.run(request).await,
        _ => (StatusCode::UNAUTHORIZED, Json(json!({"msg": "Provided credentials are missing or invalid"}))).into_response(),
    }
}

async fn no_store() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"title": "Store not found", "status": 404}))).into_response()
}

async fn read(State(front): Shared, Path(key): Path<String>) -> Response {
    let now = front.now_ms();
    match front.kv().values.get(&key) {
        Some(value) if value.expires_ms.is_none_or(|at| at > now) => value.bytes.clone().into_response(),
        _ => (StatusCode::NOT_FOUND, Json(json!({"title": "Key not found", "status": 404}))).into_response(),
    }
}

async fn delete(State(front): Shared, Path(key): Path<String>) -> Response {
    let mut kv = front.kv();
    if front.is_broken(&key) {
        return (StatusCode::CONFLICT, Json(json!({"title": "Conflict"}))).into_response();
    }
    match kv.values.remove(&key) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({"title": "Key not found", "status": 404}))).into_response(),
    }
}

async fn write(State(front): Shared, headers: HeaderMap, body: String) -> Response {
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/x-ndjson") {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, Json(json!({"title": "not lines of JSON"}))).into_response();
    }
    let now = front.now_ms();
    let mut kv = front.kv();
    let mut errors: Vec<serde_json::Value> = vec![];
    let mut keys = vec![];
    for (index, text) in body.lines().enumerate() {
        let Ok(line) = serde_json::from_str::<Line>(text) else {
            errors.push(json!({"key": "", "index": index, "code": "400", "reason": "not an object"}));
            continue;
        };
        keys.push(line.key.clone());
        if let Err(reason) = kv.take(&line, front.is_broken(&line.key), now) {
            errors.push(json!({"key": line.key, "index": index, "code": "400", "reason": reason}));
        }
    }
    kv.batches.push(keys);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    (status, Json(json!({"type": "", "title": "batch", "errors": errors}))).into_response()
}

impl Kv {
    fn take(&mut self, line: &Line, is_broken: bool, now: i64) -> Result<(), &'static str> {
        let bytes = BASE64_STANDARD.decode(&line.value).map_err(|_| "value is not base64")?;
        if line.key.is_empty() || line.key.len() > KEY_BYTES || bytes.len() > VALUE_BYTES {
            return Err("a key or a value is too long");
        }
        if line.key.contains(['#', ';', '?', '^', '|', '\r', '\n']) || line.time_to_live_sec.is_some_and(|s| s < 1) {
            return Err("not a key, or not a life");
        }
        if is_broken {
            return Err("too many writes to the key");
        }
        let expires_ms = line.time_to_live_sec.map(|s| now + s * 1_000);
        self.values.insert(line.key.clone(), Value { bytes, expires_ms });
        Ok(())
    }
}
