//! EdgeKV's administration API on a loopback port, with the limits that its documentation names and the signature that it asks for.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use tidegate_wire::Timestamp;

use super::provider::{Front, Provider};

pub(super) const CLIENT_TOKEN: &str = "client-token";
pub(super) const CLIENT_SECRET: &str = "client-secret";
pub(super) const ACCESS_TOKEN: &str = "access-token";
/// Most calls within a span, in milliseconds: 24 a second over five seconds, 18 over two minutes.
const CALLS: [(usize, i64); 2] = [(24 * 5, 5_000), (18 * 120, 120_000)];
/// Writes a second of items below so many bytes.
const WRITES: [(usize, u32); 4] = [(10_000, 200), (100_000, 40), (250_000, 15), (usize::MAX, 1)];
/// A second's worth of writes, in parts that each of the above divides.
const SECOND: u32 = 600;
const VALUE_CHARS: usize = 262_144;
const KEY_CHARS: usize = 512;
/// How far apart a caller's clock may be.
const SKEW_S: f64 = 30.0;

/// The running API.
pub(super) type EdgeKvApi = Provider<EdgeKv>;

#[derive(Default)]
pub(super) struct EdgeKv {
    items: HashMap<String, String>,
    /// When calls came in the last two minutes.
    calls: VecDeque<i64>,
    /// When writes came in the last second, and what part of it each took.
    writes: VecDeque<(i64, u32)>,
    nonces: HashSet<String>,
    /// Calls that were one too many.
    throttled: usize,
    /// Keys written, in order.
    written: Vec<String>,
}

type Shared = State<Arc<Front<EdgeKv>>>;

impl EdgeKvApi {
    pub(super) fn start() -> Self {
        let routes = Router::new()
            .route("/", get(async || Json(json!({"namespace": "tidegate"}))))
            .route("/groups/rates/items/{item}", get(read).put(write).delete(delete));
        let app = Router::new().nest("/edgekv/v1/networks/production/namespaces/tidegate", routes).fallback(no_namespace);
        Self::serve(app, admit)
    }

    /// Calls that were one too many.
    pub(super) fn throttled(&self) -> usize {
        self.kv().throttled
    }

    /// Calls of the last two minutes.
    pub(super) fn calls(&self) -> usize {
        self.kv().calls.len()
    }

    /// Keys written so far, in order.
    pub(super) fn written(&self) -> Vec<String> {
        self.kv().written.clone()
    }

    /// The texts of all items.
    pub(super) fn items(&self) -> HashMap<String, String> {
        self.kv().items.clone()
    }
}

impl EdgeKv {
    /// Whether one more call is within the limits.
    fn call(&mut self, now: i64) -> bool {
        let longest = CALLS.map(|(_, span)| span).into_iter().max().unwrap_or(0);
        while self.calls.front().is_some_and(|at| now - at >= longest) {
            self.calls.pop_front();
        }
        let within = |(most, span): &(usize, i64)| self.calls.iter().rev().take_while(|at| now - **at < *span).count() < *most;
        let admitted = CALLS.iter().all(within);
        if admitted {
            self.calls.push_back(now)
        } else {
            self.throttled += 1
        }
        admitted
    }

    /// Whether one more write of `bytes` is.
    fn write(&mut self, bytes: usize, now: i64) -> bool {
        while self.writes.front().is_some_and(|(at, _)| now - at >= 1_000) {
            self.writes.pop_front();
        }
        let per_s = WRITES.iter().find(|(below, _)| bytes < *below).map_or(1, |(_, per_s)| *per_s);
        let part = SECOND / per_s;
        let admitted = self.writes.iter().map(|(_, part)| part).sum::<u32>() + part <= SECOND;
        if admitted {
            self.writes.push_back((now, part))
        } else {
            self.throttled += 1
        }
        admitted
    }
}

async fn admit(State(front): Shared, request: Request, next: Next) -> Response {
    let now = front.now_ms();
    if let Err(why) = authenticate(&request, &mut front.kv().nonces, now) {
        return problem(StatusCode::UNAUTHORIZED, why);
    }
    if !front.kv().call(now) {
        return problem(StatusCode::TOO_MANY_REQUESTS, "hits per second too high");
    }
    next.run(request).await
}

/// Checks a signature by the words of the documentation, apart from the code that makes them.
fn authenticate(request: &Request, nonces: &mut HashSet<String>, now: i64) -> Result<(), &'static str> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let header = text(header::AUTHORIZATION).ok_or("no authorization")?;
    let fields = header.strip_prefix("EG1-HMAC-SHA256 ").ok_or("not EdgeGrid")?;
    let fields: HashMap<&str, &str> = fields.split(';').filter_map(|field| field.split_once('=')).collect();
    let field = |name| fields.get(name).copied().ok_or("a field is missing");
    if (field("client_token")?, field("access_token")?) != (CLIENT_TOKEN, ACCESS_TOKEN) {
        return Err("Invalid authorization client token");
    }
    let time = field("timestamp")?;
    // 20140321T19:34:21+0000
    let (date, rest) = time.split_at_checked(8).ok_or("Invalid timestamp")?;
    let iso = format!("{}-{}-{}{}Z", &date[..4], &date[4..6], &date[6..], rest.strip_suffix("+0000").ok_or("Invalid timestamp")?);
    let at: Timestamp = iso.parse().map_err(|_| "Invalid timestamp")?;
    if at.secs_since(Timestamp::from_millis(now)).abs() > SKEW_S {
        return Err("Invalid timestamp");
    }
    if !nonces.insert(field("nonce")?.to_owned()) {
        return Err("Duplicate nonce");
    }
    let unsigned = header.rsplit_once("signature=").map(|(unsigned, _)| unsigned).ok_or("no signature")?;
    let host = text(header::HOST).ok_or("no host")?;
    let path = request.uri().path_and_query().ok_or("no path")?.as_str();
    let message = format!("{}\thttp\t{host}\t{path}\t\t\t{unsigned}", request.method());
    let sign = |key: &str, message: &str| {
        let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap().chain_update(message);
        BASE64_STANDARD.encode(mac.finalize().into_bytes())
    };
    let expected = sign(&sign(CLIENT_SECRET, time), &message);
    if field("signature")? == expected { Ok(()) } else { Err("The signature does not match") }
}

async fn no_namespace() -> Response {
    problem(StatusCode::NOT_FOUND, "The requested namespace does not exist or namespace type is not configured for EDGEKV")
}

async fn read(State(front): Shared, Path(item): Path<String>) -> Response {
    match front.kv().items.get(&item) {
        Some(text) => text.clone().into_response(),
        None => problem(StatusCode::NOT_FOUND, "The requested item was not found"),
    }
}

async fn write(State(front): Shared, Path(item): Path<String>, body: Bytes) -> Response {
    let legal = item.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let Ok(text) = String::from_utf8(body.to_vec()) else { return problem(StatusCode::BAD_REQUEST, "not text") };
    if !legal || item.len() > KEY_CHARS {
        return problem(StatusCode::BAD_REQUEST, "Key must only use a string that matches A-Z a-z 0-9 _ or -");
    }
    if text.chars().count() > VALUE_CHARS {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "Value cannot exceed 262144 characters");
    }
    if front.is_broken(&item) {
        return problem(StatusCode::CONFLICT, "the item cannot be written");
    }
    let mut kv = front.kv();
    if !kv.write(text.len(), front.now_ms()) {
        return problem(StatusCode::TOO_MANY_REQUESTS, "writes per second too high");
    }
    kv.written.push(item.clone());
    kv.items.insert(item, text);
    "Item was upserted in database".into_response()
}

async fn delete(State(front): Shared, Path(item): Path<String>) -> Response {
    if front.is_broken(&item) {
        return problem(StatusCode::CONFLICT, "the item cannot be deleted");
    }
    match front.kv().items.remove(&item) {
        Some(_) => "Item was marked for deletion from database".into_response(),
        None => problem(StatusCode::NOT_FOUND, "The requested item was not found"),
    }
}

fn problem(status: StatusCode, detail: &str) -> Response {
    let problem = json!({"title": status.to_string(), "detail": detail, "errorCode": "EKV_9000", "status": status.as_u16()});
    (status, [(header::CONTENT_TYPE, "application/problem+json")], problem.to_string()).into_response()
}
