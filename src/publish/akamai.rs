//! Rate tables in Akamai EdgeKV, over its administration API.
//!
//! Paths and limits: <https://techdocs.akamai.com/edgekv/reference/api> and <https://techdocs.akamai.com/edgekv/docs/limits>. There is
//! no call for many items, and no life of a single one: values carry the end of their lease, and a namespace may have a retention.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};

use super::{
    bill::{Bill, Counter},
    call_budget::CallBudget,
    edgegrid::{EdgeGrid, Signed},
    fenced::{Fenced, Pair, PlainKv},
    http::{Answer, Existence, Http},
    store::{BatchOutcome, Limits, StoreError},
};
use crate::{clock::Clock, config::Price};

/// Calls within a second. The API takes 18 a second over two minutes and 24 over five seconds, from the whole account, and the database
/// 15 items of up to 250 kB a second. One pace below all of them needs no telling apart, and leaves something for other tools.
const CALLS: usize = 14;
const CALLS_SPAN: Duration = Duration::from_secs(1);
/// Entries per second that remain of it beside reading the fence.
const WRITES_PER_S: f64 = 13.0;
/// Entries per second that leases can count on; the rest is for shards, deletions and changes of rates.
pub const RENEWALS_PER_S: f64 = 12.0;
/// Below 250 kB the database takes 15 writes a second, above only one.
const VALUE_BYTES: usize = 250_000;
/// Calls under way at a time: as many as begin in a second, should each take so long.
const UNDER_WAY: usize = CALLS;
/// Where the credentials come from, for errors. A clock that is wrong makes them fail, too.
const EDGERC_KEY: &str = "publish.akamai.edgerc_file and this machine's clock";

/// Which group of which namespace, and how to reach it.
#[derive(Debug, Clone)]
pub struct AkamaiAddress {
    /// `https://` and the host of the credentials, or what stands in for it.
    pub base_url: String,
    /// Who calls.
    pub credentials: EdgeGrid,
    /// `staging` or `production`.
    pub network: String,
    /// The namespace, which must exist.
    pub namespace: String,
    /// The group in it.
    pub group: String,
    /// Longest wait for an answer.
    pub deadline: Duration,
    /// What it charges, where that is known.
    pub price: Option<Price>,
}

/// Opens the group at `address`, which is first called when it is first used. Calls are paced by `clock`.
///
/// # Errors
/// [`StoreError::Refused`] when the address is none or no HTTP client can be made.
pub(super) fn fenced(address: AkamaiAddress, clock: Arc<dyn Clock>) -> Result<Fenced<Akamai>, StoreError> {
    let http = Http::new(address.deadline)?;
    let budget = CallBudget::new(CALLS, CALLS_SPAN);
    let akamai = Akamai { address, http, budget, counter: Counter::default(), namespace: Existence::default(), clock: Arc::clone(&clock) };
    Ok(Fenced::new(akamai, clock))
}

/// A group of items in EdgeKV.
pub(super) struct Akamai {
    address: AkamaiAddress,
    http: Http,
    budget: CallBudget,
    counter: Counter,
    namespace: Existence,
    clock: Arc<dyn Clock>,
}

impl Akamai {
    /// Makes one call, signed, when it is its turn. `path` is within the namespace.
    async fn call(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Answer, StoreError> {
        self.wait_for_turn().await;
        let AkamaiAddress { base_url, network, namespace, credentials, .. } = &self.address;
        let path = format!("/edgekv/v1/networks/{network}/namespaces/{namespace}{path}");
        let (scheme, host) = base_url.split_once("://").unwrap_or(("https", base_url));
        let signed = Signed { method: method.as_str(), scheme, host, path: &path };
        let authorization = credentials.authorization(signed, self.clock.now(), &nonce()?);
        let mut request = self.http.client().request(method, format!("{base_url}{path}")).header(AUTHORIZATION, authorization);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "text/plain").body(body);
        }
        self.http.send(request).await
    }

    async fn wait_for_turn(&self) {
        loop {
            let now = self.clock.now();
            let Err(rest) = self.budget.take(now) else { return };
            let ms = i64::try_from(rest.as_millis()).unwrap_or(i64::MAX);
            self.clock.sleep_until(tidegate_wire::Timestamp::from_millis(now.as_millis().saturating_add(ms))).await;
        }
    }

    fn item(&self, key: &str) -> String {
        format!("/groups/{}/items/{key}", self.address.group)
    }

    /// Whether an answer says that the item is not there. Where the namespace itself is missing, that is 404 as well.
    async fn is_absent(&self, answer: &Answer) -> Result<bool, StoreError> {
        self.namespace.is_absent(answer, self.call(Method::GET, "", None)).await
    }

    async fn write_one(&self, key: &str, value: Bytes) -> Result<(), StoreError> {
        let answer = self.call(Method::PUT, &self.item(key), Some(value)).await?;
        if answer.status.is_success() { Ok(()) } else { Err(answer.refused(EDGERC_KEY)) }
    }

    async fn remove_one(&self, key: &str) -> Result<(), StoreError> {
        let answer = self.call(Method::DELETE, &self.item(key), None).await?;
        let gone = answer.status.is_success() || self.is_absent(&answer).await?;
        if gone { Ok(()) } else { Err(answer.refused(EDGERC_KEY)) }
    }
}

#[async_trait]
impl PlainKv for Akamai {
    fn name(&self) -> &'static str {
        "akamai"
    }

    fn limits(&self) -> Limits {
        // A batch is to take no more than half of the time that a call to a store may take.
        let batch_pairs = (self.address.deadline.as_secs_f64() / 2.0 * CALLS as f64).clamp(1.0, 1_000.0) as usize;
        let batch_bytes = batch_pairs * VALUE_BYTES;
        Limits { batch_pairs, batch_bytes, key_bytes: 512, value_bytes: VALUE_BYTES, writes_per_s: Some(WRITES_PER_S) }
    }

    fn bill(&self) -> Bill {
        Bill { used: self.counter.used(), price: self.address.price.clone() }
    }

    async fn read(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.counter.read();
        let answer = self.call(Method::GET, &self.item(key), None).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body)),
            _ if self.is_absent(&answer).await? => Ok(None),
            _ => Err(answer.refused(EDGERC_KEY)),
        }
    }

    async fn write(&self, pairs: &[Pair<'_>]) -> BatchOutcome {
        self.counter.wrote(pairs.len());
        let owned: Vec<_> = pairs.iter().map(|pair| (pair.key.to_owned(), pair.value.clone())).collect();
        each(owned.into_iter().map(|(key, value)| async move { (self.write_one(&key, value).await, key) })).await
    }

    async fn remove(&self, keys: &[String]) -> BatchOutcome {
        self.counter.wrote(keys.len());
        each(keys.iter().cloned().map(|key| async move { (self.remove_one(&key).await, key) })).await
    }
}

/// Makes `calls`, some at a time; lists the keys of those that failed.
async fn each(calls: impl Iterator<Item = impl Future<Output = (Result<(), StoreError>, String)>>) -> BatchOutcome {
    let done: Vec<_> = stream::iter(calls).buffered(UNDER_WAY).collect().await;
    BatchOutcome { failed: done.into_iter().filter_map(|(done, key)| Some((key, done.err()?))).collect() }
}

/// A number that is used once.
fn nonce() -> Result<String, StoreError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|e| StoreError::Refused(format!("the system gives no random numbers: {e}")))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
