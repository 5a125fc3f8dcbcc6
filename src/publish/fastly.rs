//! Rate tables in a Fastly KV Store, over its REST API.
//!
//! Paths and formats: <https://www.fastly.com/documentation/reference/api/services/resources/kv-store-item/>.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::{Method, RequestBuilder, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};

use super::{
    bill::{Bill, Counter},
    fenced::{Fenced, Pair, PlainKv},
    http::{Answer, Existence, Http},
    provider::ProviderApi,
    store::{BatchOutcome, Limits, StoreError},
};
use crate::clock::Clock;

// Keys and values are as documented. The documentation bounds no batch; base64 makes one of these 14 MB, which is sent in one go.
const LIMITS: Limits = Limits { batch_pairs: 1_000, batch_bytes: 10 << 20, key_bytes: 1_024, value_bytes: 25 << 20, writes_per_s: None };
/// Deletions under way at a time: there is no call for many.
const DELETIONS: usize = 8;
/// Where the token comes from, for errors.
const TOKEN_KEY: &str = "publish.fastly.token_file";

/// Which store, and how to reach it.
#[derive(Debug, Clone)]
pub struct FastlyAddress {
    /// The API.
    pub api: ProviderApi,
    /// Id of the KV Store.
    pub store_id: String,
}

/// Opens the KV Store at `address`, which is first called when it is first used. A batch goes as lines of JSON in one call; a
/// key that the API reports an error for fails alone.
///
/// # Errors
/// [`StoreError::Refused`] when no HTTP client can be made.
pub(super) fn fenced(address: FastlyAddress, clock: Arc<dyn Clock>) -> Result<Fenced<Fastly>, StoreError> {
    let http = Http::new(address.api.deadline)?;
    Ok(Fenced::new(Fastly { address, http, counter: Counter::default(), store: Existence::default() }, clock))
}

/// A KV Store of Fastly.
pub(super) struct Fastly {
    address: FastlyAddress,
    http: Http,
    counter: Counter,
    store: Existence,
}

/// One line of a batch.
#[derive(Serialize)]
struct Line<'a> {
    key: &'a str,
    /// Base64.
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_to_live_sec: Option<u64>,
    /// Readers get the old value at once while a cache fetches the new one.
    background_fetch: bool,
}

/// What a batch is answered with, also where only some lines failed.
#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    errors: Vec<LineError>,
}

#[derive(Deserialize)]
struct LineError {
    /// Empty where the line could not be read.
    #[serde(default)]
    key: String,
    /// Number of the line, from 0.
    index: Option<usize>,
    #[serde(default)]
    reason: String,
}

impl Fastly {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let FastlyAddress { api: ProviderApi { base_url, token, .. }, store_id } = &self.address;
        let url = format!("{base_url}/resources/stores/kv/{store_id}{path}");
        self.http.client().request(method, url).header("Fastly-Key", token.reveal())
    }

    async fn batch(&self, pairs: &[Pair<'_>]) -> Result<BatchOutcome, StoreError> {
        let mut body = vec![];
        for pair in pairs {
            let value = BASE64_STANDARD.encode(pair.value);
            let line = Line { key: pair.key, value, time_to_live_sec: pair.life_s, background_fetch: true };
            serde_json::to_writer(&mut body, &line).map_err(|e| StoreError::Refused(e.to_string()))?;
            body.push(b'\n');
        }
        let request = self.request(Method::PUT, "/batch").header(CONTENT_TYPE, "application/x-ndjson").body(body);
        let answer = self.http.send(request).await?;
        // A batch of which some lines failed is answered 4xx, too: what counts is whether it names them.
        let report = serde_json::from_slice::<Report>(&answer.body);
        match report {
            Ok(report) if answer.status.is_success() || !report.errors.is_empty() => Ok(failures(pairs, &report, &answer)),
            _ => Err(answer.refused(TOKEN_KEY)),
        }
    }

    /// Whether an answer says that the key is not there. Where the store itself is missing, that is 404 as well.
    async fn is_absent(&self, answer: &Answer) -> Result<bool, StoreError> {
        self.store.is_absent(answer, self.http.send(self.request(Method::GET, ""))).await
    }

    async fn remove_one(&self, key: &str) -> Result<(), StoreError> {
        let answer = self.http.send(self.request(Method::DELETE, &format!("/keys/{key}"))).await?;
        let gone = answer.status.is_success() || self.is_absent(&answer).await?;
        if gone { Ok(()) } else { Err(answer.refused(TOKEN_KEY)) }
    }
}

#[async_trait]
impl PlainKv for Fastly {
    fn name(&self) -> &'static str {
        "fastly"
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn bill(&self) -> Bill {
        Bill { used: self.counter.used(), price: Some(self.address.api.price.clone()) }
    }

    async fn read(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.counter.read();
        let answer = self.http.send(self.request(Method::GET, &format!("/keys/{key}"))).await?;
        match answer.status {
            status if status.is_success() => Ok(Some(answer.body)),
            _ if self.is_absent(&answer).await? => Ok(None),
            _ => Err(answer.refused(TOKEN_KEY)),
        }
    }

    async fn write(&self, pairs: &[Pair<'_>]) -> BatchOutcome {
        self.counter.wrote(pairs.len());
        let done = self.batch(pairs).await;
        done.unwrap_or_else(|e| BatchOutcome::all_failed(pairs.iter().map(|pair| pair.key), &e))
    }

    async fn remove(&self, keys: &[String]) -> BatchOutcome {
        self.counter.wrote(keys.len());
        let removals = keys.iter().cloned().map(|key| async move {
            let done = self.remove_one(&key).await;
            done.err().map(|error| (key, error))
        });
        let removed: Vec<_> = stream::iter(removals).buffered(DELETIONS).collect().await;
        BatchOutcome { failed: removed.into_iter().flatten().collect() }
    }
}

/// The keys that `report` names, by key or by line. All of them, where it names what was not sent.
fn failures(pairs: &[Pair<'_>], report: &Report, answer: &Answer) -> BatchOutcome {
    let sent: BTreeSet<&str> = pairs.iter().map(|pair| pair.key).collect();
    let mut outcome = BatchOutcome::default();
    for error in &report.errors {
        let key = sent.get(error.key.as_str()).copied().or_else(|| Some(pairs.get(error.index?)?.key));
        let Some(key) = key else {
            return BatchOutcome::all_failed(sent, &answer.refused(TOKEN_KEY));
        };
        outcome.failed.push((key.to_owned(), StoreError::Refused(error.reason.clone())));
    }
    outcome
}
