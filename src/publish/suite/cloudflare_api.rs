//! Workers KV's REST API on a loopback port, with the limits that its documentation names, on a clock that tests set.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde::Deserialize;
use serde_json::json;

use super::provider::{Front, Provider};
use crate::clock::Clock;

pub(super) const TOKEN: &str = "right-token";
/// Calls of one user within five minutes.
const CALLS: usize = 1_200;
const CALLS_SPAN_MS: i64 = 300_000;
const PAIRS: usize = 10_000;
const KEY_BYTES: usize = 512;
const VALUE_BYTES: usize = 25 << 20;
const SHORTEST_TTL_S: i64 = 60;

/// The running API.
pub(super) type CloudflareApi = Provider<Kv>;

#[derive(Default)]
pub(super) struct Kv {
    values: HashMap<String, Value>,
    calls: VecDeque<i64>,
    blocked_until: i64,
    /// Reads show the state before the first write.
    stale: bool,
    /// Keys of each bulk write.
    bulks: Vec<Vec<String>>,
}

type Shared = State<Arc<Front<Kv>>>;

struct Value {
    text: String,
    expires_ms: Option<i64>,
    written_ms: i64,
}

#[derive(Deserialize)]
struct Pair {
    key: String,
    value: String,
    expiration_ttl: Option<i64>,
}

impl CloudflareApi {
    pub(super) fn start() -> Self {
        let namespace = "/client/v4/accounts/account/storage/kv/namespaces/namespace";
        let routes = Router::new().route("/bulk", put(write)).route("/bulk/delete", post(delete)).route("/values/{key}", get(read));
        Self::serve(Router::new().nest(namespace, routes).fallback(no_route), admit)
    }

    /// Lets reads show the state before the first write.
    pub(super) fn be_stale(&self) {
        self.kv().stale = true;
    }

    /// The keys of each bulk write so far.
    pub(super) fn bulks(&self) -> Vec<Vec<String>> {
        self.kv().bulks.clone()
    }

    /// Seconds until `key` expires; `None` when it never does.
    pub(super) fn life_s(&self, key: &str) -> Option<i64> {
        let now = self.clock.now().as_millis();
        self.kv().values[key].expires_ms.map(|at| (at - now) / 1_000)
    }

    /// Counts as many calls as if others of the same user had made them.
    pub(super) fn use_up(&self, calls: usize) {
        let now = self.clock.now().as_millis();
        self.kv().calls.extend(std::iter::repeat_n(now, calls));
    }
}

impl Kv {
    /// Seconds until calls are taken again; `None` when this one is.
    fn call(&mut self, now: i64) -> Option<i64> {
        while self.calls.front().is_some_and(|at| now - at >= CALLS_SPAN_MS) {
            self.calls.pop_front();
        }
        if now >= self.blocked_until && self.calls.len() < CALLS {
            self.calls.push_back(now);
            return None;
        }
        if now >= self.blocked_until {
            self.blocked_until = now + CALLS_SPAN_MS;
        }
        Some((self.blocked_until - now) / 1_000)
    }

    fn write(&mut self, pair: &Pair, now: i64) -> bool {
        let too_soon = self.values.get(&pair.key).is_some_and(|v| now - v.written_ms < 1_000);
        if too_soon {
            return false;
        }
        let expires_ms = pair.expiration_ttl.map(|s| now + s * 1_000);
        self.values.insert(pair.key.clone(), Value { text: pair.value.clone(), expires_ms, written_ms: now });
        true
    }
}

/// Token and number of calls.
async fn admit(State(front): Shared, request: Request, next: Next) -> Response {
    let authorized = request.headers().get(header::AUTHORIZATION).is_some_and(|v| v == &format!("Bearer {TOKEN}"));
    if !authorized {
        return error(StatusCode::FORBIDDEN, 10000, "Authentication error");
    }
    let wait_s = front.kv().call(front.now_ms());
    if let Some(wait_s) = wait_s {
        let answer = error(StatusCode::TOO_MANY_REQUESTS, 10429, "more than 1200 requests per 300 seconds reached");
        return ([(header::RETRY_AFTER, wait_s.to_string())], answer).into_response();
    }
    next.run(request).await
}

async fn no_route() -> Response {
    error(StatusCode::NOT_FOUND, 10013, "namespace not found")
}

async fn read(State(front): Shared, Path(key): Path<String>) -> Response {
    let now = front.now_ms();
    let kv = front.kv();
    match kv.values.get(&key).filter(|_| !kv.stale) {
        Some(value) if value.expires_ms.is_none_or(|at| at > now) => value.text.clone().into_response(),
        _ => error(StatusCode::NOT_FOUND, 10009, "get: 'key not found'"),
    }
}

async fn write(State(front): Shared, body: Bytes) -> Response {
    let Ok(pairs) = serde_json::from_slice::<Vec<Pair>>(&body) else { return error(StatusCode::BAD_REQUEST, 10012, "not pairs") };
    if pairs.len() > PAIRS {
        return error(StatusCode::BAD_REQUEST, 10026, "too many pairs");
    }
    if pairs.iter().any(|p| p.key.is_empty() || p.key.len() > KEY_BYTES || p.value.len() > VALUE_BYTES) {
        return error(StatusCode::BAD_REQUEST, 10029, "a key or a value is too long");
    }
    if pairs.iter().any(|p| p.expiration_ttl.is_some_and(|s| s < SHORTEST_TTL_S)) {
        return error(StatusCode::BAD_REQUEST, 10030, "expiration_ttl must be at least 60");
    }
    let now = front.now_ms();
    let mut kv = front.kv();
    kv.bulks.push(pairs.iter().map(|p| p.key.clone()).collect());
    let failed: Vec<&str> =
        pairs.iter().filter(|pair| front.is_broken(&pair.key) || !kv.write(pair, now)).map(|pair| pair.key.as_str()).collect();
    done(pairs.len(), &failed)
}

async fn delete(State(front): Shared, Json(keys): Json<Vec<String>>) -> Response {
    if keys.len() > PAIRS {
        return error(StatusCode::BAD_REQUEST, 10026, "too many keys");
    }
    let mut kv = front.kv();
    keys.iter().for_each(|key| drop(kv.values.remove(key)));
    done(keys.len(), &[])
}

fn done(keys: usize, failed: &[&str]) -> Response {
    let result = json!({"successful_key_count": keys - failed.len(), "unsuccessful_keys": failed});
    Json(json!({"success": true, "errors": [], "messages": [], "result": result})).into_response()
}

fn error(status: StatusCode, code: u32, message: &str) -> Response {
    let errors = [json!({"code": code, "message": message})];
    (status, Json(json!({"success": false, "errors": errors, "messages": [], "result": null}))).into_response()
}
