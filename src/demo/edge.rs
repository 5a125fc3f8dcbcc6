//! Edge nodes: the same node, once on leased rates over HTTP, once on fixed ones.

use anyhow::{Context, ensure};
use reqwest::{Client, StatusCode, header};
use tidegate_edge_node::{Adoption, BucketHandle, EdgeNode, Options, Taken};
use tidegate_wire::{Accepted, RateTable, Telemetry, Timestamp};

use super::traffic::{Arrival, WINDOW_S};

/// A node that admits or throttles.
pub(super) struct Edge {
    node: EdgeNode,
    /// By bucket of the traffic.
    handles: Vec<BucketHandle>,
}

impl Edge {
    /// A node that enforces `table` from `now` on.
    ///
    /// # Errors
    /// The table cannot be enforced.
    pub fn new(table: &RateTable, buckets: &[String], now: Timestamp) -> anyhow::Result<Self> {
        let mut node = EdgeNode::new(&table.node, None, Options::default());
        let adoption = node.adopt(table, now);
        ensure!(adoption == Adoption::Adopted, "node {} does not take its first table: {adoption:?}", table.node);
        let handles = buckets.iter().map(|b| node.resolve(b, now)).collect();
        Ok(Self { node, handles })
    }

    /// Decides the requests of `arrival`. Of those admitted, the share that the traffic has fail is counted as errors.
    pub fn serve(&mut self, arrival: &Arrival, now: Timestamp) -> Taken {
        let handle = self.handles[arrival.bucket];
        let taken = self.node.take_handle(handle, u64::from(arrival.requests), now);
        if arrival.errors > 0 {
            let errors = u64::from(arrival.errors) * taken.admitted / u64::from(arrival.requests);
            self.node.record(handle, 0, errors, 0);
        }
        taken
    }

    /// Tokens per second that it refills at.
    pub fn refill_per_s(&mut self, now: Timestamp) -> f64 {
        self.node.refill_per_s(now)
    }
}

/// A node that reports to the service and polls its rates, over HTTP.
pub(super) struct LeasedEdge {
    pub edge: Edge,
    client: Client,
    telemetry: String,
    rates: String,
    etag: Option<header::HeaderValue>,
    sequence: u64,
}

impl LeasedEdge {
    /// `edge`, with the service at `base`.
    pub fn new(edge: Edge, client: Client, base: &str) -> Self {
        let (telemetry, rates) = (format!("{base}/v1/telemetry"), format!("{base}/v1/rates/{}", edge.node.id()));
        Self { edge, client, telemetry, rates, etag: None, sequence: 0 }
    }

    /// Epoch of the lease in force; `None` before the first.
    pub fn epoch(&self) -> Option<u64> {
        self.edge.node.epoch().filter(|&epoch| epoch > 0)
    }

    /// Reports the window that began at `start`.
    ///
    /// # Errors
    /// The service does not answer, or does not accept the report.
    pub async fn report(&mut self, start: Timestamp) -> anyhow::Result<()> {
        self.sequence += 1;
        let report = self.edge.node.report(start, WINDOW_S, self.sequence);
        let body = Telemetry { version: Some(1), reports: vec![report] };
        let answer = self.client.post(&self.telemetry).json(&body).send().await.context("telemetry cannot be sent")?;
        let status = answer.status();
        let text = answer.text().await.context("the answer to telemetry cannot be read")?;
        ensure!(status == StatusCode::ACCEPTED, "telemetry was answered {status}: {text}");
        let accepted: Accepted = serde_json::from_str(&text).context("the answer to telemetry is not what the contract says")?;
        ensure!(accepted.accepted == 1, "the report was not accepted: {text}");
        Ok(())
    }

    /// Asks for a newer rate table and adopts it.
    ///
    /// # Errors
    /// The service does not answer, or leases what cannot be enforced.
    pub async fn poll(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let mut request = self.client.get(&self.rates);
        if let Some(etag) = &self.etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let answer = request.send().await.context("rates cannot be asked for")?;
        match answer.status() {
            StatusCode::OK => {}
            // Nothing new, or nothing yet: the rates in force go on.
            StatusCode::NOT_MODIFIED | StatusCode::NOT_FOUND => return Ok(()),
            status => anyhow::bail!("{} was answered {status}", self.rates),
        }
        self.etag = answer.headers().get(header::ETAG).cloned();
        let text = answer.text().await.context("the rate table cannot be read")?;
        let table: RateTable =
            serde_json::from_str(&text).with_context(|| format!("the rate table is not what the contract says: {text}"))?;
        match self.edge.node.adopt(&table, now) {
            Adoption::Refused(reason) => Err(reason).context("a lease cannot be enforced"),
            Adoption::Adopted | Adoption::Current => Ok(()),
        }
    }
}
