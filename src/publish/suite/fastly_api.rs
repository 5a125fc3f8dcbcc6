//! Fastly's KV Store API on a loopback port, as its documentation describes it, on a clock that tests set.

use std::{
    collections::{HashMap, HashSet},
    net::TcpListener,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::harness::start_time;
use crate::clock::{Clock, ManualClock};

pub(super) const TOKEN: &str = "right-token";
const KEY_BYTES: usize = 1_024;
const VALUE_BYTES: usize = 25 << 20;

/// The running API; it ends with the test's runtime.
pub(super) struct FastlyApi {
    pub clock: Arc<ManualClock>,
    service: Arc<Service>,
    address: String,
}

struct Service {
    clock: Arc<ManualClock>,
    kv: Mutex<Kv>,
}

#[derive(Default)]
struct Kv {
    values: HashMap<String, Value>,
    /// Keys whose writes and deletions fail.
    broken: HashSet<String>,
    /// The answer to everything, in place of the right one.
    answer: Option<StatusCode>,
    /// Keys of each batch.
    batches: Vec<Vec<String>>,
}

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
        let clock = Arc::new(ManualClock::new(start_time()));
        let service = Arc::new(Service { clock: Arc::clone(&clock), kv: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let app = Router::new()
            .route("/resources/stores/kv/store", get(async || Json(json!({"id": "store"}))))
            .route("/resources/stores/kv/store/batch", put(write))
            .route("/resources/stores/kv/store/keys/{key}", get(read).delete(delete))
            .fallback(no_store)
            .layer(DefaultBodyLimit::max(100 << 20))
            .layer(middleware::from_fn_with_state(Arc::clone(&service), admit))
            .with_state(Arc::clone(&service));
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { clock, service, address }
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets writes and deletions of `keys`, and of no other, fail.
    pub(super) fn break_keys(&self, keys: &[&str]) {
        self.service.kv().broken = keys.iter().map(|key| (*key).to_owned()).collect();
    }

    /// Answers everything with `status`, or again as it should.
    pub(super) fn answer_all(&self, status: Option<StatusCode>) {
        self.service.kv().answer = status;
    }

    /// The keys of each batch so far.
    pub(super) fn batches(&self) -> Vec<Vec<String>> {
        self.service.kv().batches.clone()
    }
}

impl Service {
    fn kv(&self) -> MutexGuard<'_, Kv> {
        self.kv.lock().unwrap()
    }
}

async fn admit(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let forced = service.kv().answer;
    if let Some(status) = forced {
        return (status, Json(json!({"title": "forced"}))).into_response();
    }
    match request.headers().get("Fastly-Key") {
        Some(token) if token == TOKEN => next.run(request).await,
        _ => (StatusCode::UNAUTHORIZED, Json(json!({"msg": "Provided credentials are missing or invalid"}))).into_response(),
    }
}

async fn no_store() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"title": "Store not found", "status": 404}))).into_response()
}

async fn read(State(service): State<Arc<Service>>, Path(key): Path<String>) -> Response {
    let now = service.clock.now().as_millis();
    match service.kv().values.get(&key) {
        Some(value) if value.expires_ms.is_none_or(|at| at > now) => value.bytes.clone().into_response(),
        _ => (StatusCode::NOT_FOUND, Json(json!({"title": "Key not found", "status": 404}))).into_response(),
    }
}

async fn delete(State(service): State<Arc<Service>>, Path(key): Path<String>) -> Response {
    let mut kv = service.kv();
    if kv.broken.contains(&key) {
        return (StatusCode::CONFLICT, Json(json!({"title": "Conflict"}))).into_response();
    }
    match kv.values.remove(&key) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({"title": "Key not found", "status": 404}))).into_response(),
    }
}

async fn write(State(service): State<Arc<Service>>, headers: HeaderMap, body: String) -> Response {
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/x-ndjson") {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, Json(json!({"title": "not lines of JSON"}))).into_response();
    }
    let now = service.clock.now().as_millis();
    let mut kv = service.kv();
    let mut errors: Vec<serde_json::Value> = vec![];
    let mut keys = vec![];
    for (index, text) in body.lines().enumerate() {
        let Ok(line) = serde_json::from_str::<Line>(text) else {
            errors.push(json!({"key": "", "index": index, "code": "400", "reason": "not an object"}));
            continue;
        };
        keys.push(line.key.clone());
        if let Err(reason) = kv.take(&line, now) {
            errors.push(json!({"key": line.key, "index": index, "code": "400", "reason": reason}));
        }
    }
    kv.batches.push(keys);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    (status, Json(json!({"type": "", "title": "batch", "errors": errors}))).into_response()
}

impl Kv {
    fn take(&mut self, line: &Line, now: i64) -> Result<(), &'static str> {
        let bytes = BASE64_STANDARD.decode(&line.value).map_err(|_| "value is not base64")?;
        if line.key.is_empty() || line.key.len() > KEY_BYTES || bytes.len() > VALUE_BYTES {
            return Err("a key or a value is too long");
        }
        if line.key.contains(['#', ';', '?', '^', '|', '\r', '\n']) || line.time_to_live_sec.is_some_and(|s| s < 1) {
            return Err("not a key, or not a life");
        }
        if self.broken.contains(&line.key) {
            return Err("too many writes to the key");
        }
        let expires_ms = line.time_to_live_sec.map(|s| now + s * 1_000);
        self.values.insert(line.key.clone(), Value { bytes, expires_ms });
        Ok(())
    }
}
