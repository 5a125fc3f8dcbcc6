//! `[ingest]`: which telemetry is taken in.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Keys of `[ingest]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ingest {
    /// Seconds that the end of a window may lie in the future: the clock skew that is borne.
    pub future_skew_s: u32,
    /// Seconds after a window's end that its reports have to arrive before the tick that plans from it.
    pub grace_s: u32,
    /// Seconds after its end until which a window is still taken in.
    pub late_s: u32,
    /// Most reports in one body.
    pub reports_per_body: usize,
    /// Most buckets in one report.
    pub buckets_per_report: usize,
    /// Most distinct nodes that are kept.
    pub nodes: usize,
    /// Most instances of one node that are kept.
    pub instances_per_node: usize,
    /// Bodies that may wait for the journal; further ones are answered 503 with `Retry-After`.
    pub queue_bodies: usize,
}

impl Default for Ingest {
    fn default() -> Self {
        Self {
            future_skew_s: 5,
            grace_s: 3,
            late_s: 300,
            reports_per_body: 1_000,
            buckets_per_report: 50_000,
            nodes: 10_000,
            instances_per_node: 1_000,
            queue_bodies: 1_024,
        }
    }
}

impl Ingest {
    pub(super) fn check(&self, interval_s: u32) -> Result<(), ConfigError> {
        if self.late_s < interval_s {
            return Err(ConfigError::value(
                "ingest.late_s",
                "must be at least planner.interval_s, or reports of the window just closed are refused",
            ));
        }
        if self.grace_s >= interval_s {
            return Err(ConfigError::value("ingest.grace_s", "must be below planner.interval_s, or a tick falls into the window after"));
        }
        let counts = [
            ("ingest.reports_per_body", self.reports_per_body),
            ("ingest.buckets_per_report", self.buckets_per_report),
            ("ingest.nodes", self.nodes),
            ("ingest.instances_per_node", self.instances_per_node),
            ("ingest.queue_bodies", self.queue_bodies),
        ];
        match counts.iter().find(|(_, count)| *count == 0) {
            Some((key, _)) => Err(ConfigError::value(*key, "must be at least 1")),
            None => Ok(()),
        }
    }
}
