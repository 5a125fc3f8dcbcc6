//! What a node reports: `POST /v1/telemetry`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{problem::Problem, time::Timestamp};

/// Body of `POST /v1/telemetry`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Telemetry {
    /// Version of the contract; 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The reports, each accepted or rejected by itself.
    pub reports: Vec<Report>,
}

/// One window of one instance of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// Edge node, `[A-Za-z0-9_-]{1,64}`.
    pub node: String,
    /// Process or isolate of the node, `[A-Za-z0-9._:-]{1,128}`; the node itself when left out. A process that starts anew takes
    /// a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Rises by one with each report of this instance; a repeat is a duplicate.
    pub sequence: u64,
    /// Epoch of the rate table that was enforced when the report was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Milliseconds from that table's `issued_at` until it took the place of an older one here, by the node's clock. Left out by
    /// an instance that was leased none before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staleness_ms: Option<u64>,
    /// Start of the window, a multiple of `seconds` since the Unix epoch.
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    /// Length of the window in seconds.
    pub seconds: u32,
    /// Share of the node's processors in use, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Share of the node's memory in use, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<f64>,
    /// Counts of each bucket that was asked for in the window; one that is not listed had no request.
    pub buckets: Vec<BucketCounts>,
}

/// Counts of one bucket in one window.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct BucketCounts {
    /// Bucket, `[A-Za-z0-9._:-]{1,128}`; never a raw API key.
    pub bucket: String,
    /// Requests offered, throttled ones included.
    pub requests: u64,
    /// Of `requests`, how many were refused.
    pub throttled: u64,
    /// Of `requests`, how many were marked as retries.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u64,
    /// Of the admitted requests, how many failed at the origin.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub errors: u64,
    /// Payload of the admitted requests, in bytes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes: u64,
    /// Most requests offered in any one second of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_per_s: Option<f64>,
}

/// Answer to `POST /v1/telemetry`: accepted reports are durable.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// Reports written to the journal by this call.
    pub accepted: usize,
    /// Reports that an earlier call had already written.
    pub duplicates: usize,
    /// Reports refused, each with its reason.
    pub rejected: Vec<Rejected>,
}

/// One refused report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Rejected {
    /// Position in the body's `reports`, from 0.
    pub index: usize,
    /// Why it was refused.
    pub problem: Problem,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_example_is_read() {
        let body = r#"{"reports":[{"node":"cf-fra","instance":"b7e1","sequence":812,"epoch":48212,
            "start":"2026-11-21T20:00:00Z","seconds":30,"cpu":0.41,"memory":0.63,"later_field":1,
            "buckets":[{"bucket":"key:3f9a","requests":1200,"throttled":13,"retries":4,"errors":2,"bytes":482133,"peak_per_s":71}]}]}"#;
        let t: Telemetry = serde_json::from_str(body).unwrap();
        assert_eq!(t.reports[0].buckets[0].peak_per_s, Some(71.0));
        assert!(serde_json::from_str::<Telemetry>(&body.replace("1200", "-1")).is_err());
        assert!(serde_json::from_str::<Telemetry>(&body.replace("1200", "NaN")).is_err());
    }
}
