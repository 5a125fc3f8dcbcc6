//! Rate tables in Cloudflare Workers KV, over its REST API.
//!
//! Limits and paths: <https://developers.cloudflare.com/kv/platform/limits/> and
//! <https://developers.cloudflare.com/api/resources/kv/>.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::{Deserialize, Serialize};

use super::{
    bill::{Bill, Counter},
    call_budget::CallBudget,
    fenced::{Fenced, Pair, PlainKv},
    http::{Answer, Http},
    provider::ProviderApi,
    store::{BatchOutcome, Limits, StoreError},
};
use crate::clock::Clock;

// The API takes 100 MB of JSON: in the worst case every byte of a value is escaped. Keys and values are as documented.
const LIMITS: Limits = Limits { batch_pairs: 10_000, batch_bytes: 40 << 20, key_bytes: 512, value_bytes: 25 << 20, writes_per_s: None };
/// Shortest life of a value, in seconds.
const SHORTEST_LIFE_S: u64 = 60;
/// Calls within [`CALLS_SPAN`]: the user's 1,200, less some for the dashboard and other tools. Over it, the API refuses that
/// user everything for five minutes.
const CALLS: usize = 1_100;
const CALLS_SPAN: Duration = Duration::from_secs(300);
/// The API's code for a key that is not there.
const NO_SUCH_KEY: u32 = 10009;
/// Where the token comes from, for errors.
const TOKEN_KEY: &str = "publish.cloudflare.token_file";

/// Which namespace, and how to reach it.
#[derive(Debug, Clone)]
pub struct CloudflareAddress {
    /// The API.
    pub api: ProviderApi,
    /// Id of the account.
    pub account_id: String,
    /// Id of its namespace.
    pub namespace_id: String,
}

/// Opens the namespace at `address`, which is first called when it is first used. All of a batch goes in one call; a key that
/// the API reports as not written fails alone.
///
/// # Errors
/// [`StoreError::Refused`] when no HTTP client can be made.
pub(super) fn fenced(address: CloudflareAddress, clock: Arc<dyn Clock>) -> Result<Fenced<Cloudflare>, StoreError> {
    let http = Http::new(address.api.deadline)?;
    let budget = CallBudget::new(CALLS, CALLS_SPAN);
    Ok(Fenced::new(Cloudflare { address, http, budget, counter: Counter::default(), clock: Arc::clone(&clock) }, clock))
}

/// A namespace of Workers KV.
pub(super) struct Cloudflare {
    address: CloudflareAddress,
    http: Http,
    budget: CallBudget,
    counter: Counter,
    clock: Arc<dyn Clock>,
}

/// One pair of a bulk write.
#[derive(Serialize)]
struct BulkPair<'a> {
    key: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_ttl: Option<u64>,
}

/// What every answer but a value is wrapped in.
#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    errors: Vec<ApiError>,
    result: Option<BulkResult>,
}

#[derive(Deserialize)]
struct ApiError {
    code: u32,
}

#[derive(Deserialize)]
struct BulkResult {
    #[serde(default)]
    unsuccessful_keys: Vec<String>,
}

impl Cloudflare {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let CloudflareAddress { api: ProviderApi { base_url, token, .. }, account_id, namespace_id } = &self.address;
        let url = format!("{base_url}/accounts/{account_id}/storage/kv/namespaces/{namespace_id}/{path}");
        self.http.client().request(method, url).bearer_auth(token.reveal())
    }

    /// Sends `request` unless the budget of calls is used up.
    async fn send(&self, request: RequestBuilder) -> Result<Answer, StoreError> {
        self.budget.take(self.clock.now()).map_err(|rest| StoreError::Throttled { rest })?;
        self.http.send(request).await
    }

    /// Sends a bulk call; returns the keys that it was not done for.
    async fn bulk(&self, request: RequestBuilder) -> Result<Vec<String>, StoreError> {
        let answer = self.send(request).await?;
        if !answer.status.is_success() {
            return Err(answer.refused(TOKEN_KEY));
        }
        match serde_json::from_slice::<Envelope>(&answer.body) {
            Ok(envelope) if envelope.success => Ok(envelope.result.map(|r| r.unsuccessful_keys).unwrap_or_default()),
            _ => Err(answer.refused(TOKEN_KEY)),
        }
    }
}

#[async_trait]
impl PlainKv for Cloudflare {
    fn name(&self) -> &'static str {
        "cloudflare"
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn bill(&self) -> Bill {
        Bill { used: self.counter.used(), price: Some(self.address.api.price.clone()) }
    }

    async fn read(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.counter.read();
        let answer = self.send(self.request(Method::GET, &format!("values/{key}"))).await?;
        if answer.status.is_success() {
            return Ok(Some(answer.body));
        }
        // A namespace that does not exist is 404, too.
        let absent = |envelope: Envelope| envelope.errors.iter().any(|e| e.code == NO_SUCH_KEY);
        let absent = answer.status == StatusCode::NOT_FOUND && serde_json::from_slice(&answer.body).is_ok_and(absent);
        if absent { Ok(None) } else { Err(answer.refused(TOKEN_KEY)) }
    }

    async fn write(&self, pairs: &[Pair<'_>]) -> BatchOutcome {
        let keys = || pairs.iter().map(|pair| pair.key);
        let bulk: Result<Vec<BulkPair>, _> = pairs.iter().map(bulk_pair).collect();
        let bulk = match bulk {
            Ok(bulk) => bulk,
            Err(error) => return BatchOutcome::all_failed(keys(), &error),
        };
        self.counter.wrote(pairs.len());
        outcome(self.bulk(self.request(Method::PUT, "bulk").json(&bulk)).await, keys())
    }

    async fn remove(&self, keys: &[String]) -> BatchOutcome {
        self.counter.wrote(keys.len());
        outcome(self.bulk(self.request(Method::POST, "bulk/delete").json(keys)).await, keys.iter().map(String::as_str))
    }
}

fn bulk_pair<'a>(pair: &Pair<'a>) -> Result<BulkPair<'a>, StoreError> {
    let value = std::str::from_utf8(pair.value).map_err(|_| StoreError::Refused(format!("the value of {} is not text", pair.key)))?;
    Ok(BulkPair { key: pair.key, value, expiration_ttl: pair.life_s.map(|s| s.max(SHORTEST_LIFE_S)) })
}

fn outcome<'a>(done: Result<Vec<String>, StoreError>, keys: impl Iterator<Item = &'a str>) -> BatchOutcome {
    match done {
        Ok(unsuccessful) => {
            let error = StoreError::Refused("the API lists the key as unsuccessful".into());
            BatchOutcome::all_failed(unsuccessful.iter().map(String::as_str), &error)
        }
        Err(error) => BatchOutcome::all_failed(keys, &error),
    }
}
