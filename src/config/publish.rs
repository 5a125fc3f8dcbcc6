//! `[publish]`: the KV stores that carry rate tables to the edge.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Akamai, Cloudflare, ConfigError, Fastly, Nats};
use crate::publish::akamai::RENEWALS_PER_S;

/// Keys of `[publish]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Publish {
    /// Where rate tables go besides the embedded store, which is always there: the address of a Redis server, or nothing.
    pub redis_url: Option<String>,
    /// User of that server; Redis' default user when left out.
    pub redis_username: Option<String>,
    /// File that holds the user's password; none when left out.
    pub redis_password_file: Option<PathBuf>,
    /// Environment variable that holds it, instead of a file.
    pub redis_password_env: Option<String>,
    /// Seconds after which a write to a store counts as failed and waits for the next tick.
    pub timeout_s: u64,
    /// Most entries per second that each store is written, on average over a tick; no bound of its own when left out.
    pub writes_per_s: Option<f64>,
    /// A key-value bucket of NATS JetStream.
    pub nats: Nats,
    /// Cloudflare Workers KV.
    pub cloudflare: Cloudflare,
    /// A Fastly KV Store.
    pub fastly: Fastly,
    /// Akamai EdgeKV.
    pub akamai: Akamai,
}

impl Default for Publish {
    fn default() -> Self {
        Self {
            redis_url: None,
            redis_username: None,
            redis_password_file: None,
            redis_password_env: None,
            timeout_s: 5,
            writes_per_s: None,
            nats: Nats::default(),
            cloudflare: Cloudflare::default(),
            fastly: Fastly::default(),
            akamai: Akamai::default(),
        }
    }
}

impl Publish {
    /// The stores that tables are published to, in words.
    pub fn stores(&self) -> Vec<&'static str> {
        let known = [
            ("the embedded store", true),
            ("Redis", self.redis_url.is_some()),
            ("NATS JetStream", self.nats.url.is_some()),
            ("Cloudflare Workers KV", self.cloudflare.destination().is_some()),
            ("Fastly KV Store", self.fastly.destination().is_some()),
            ("Akamai EdgeKV", self.akamai.destination().is_some()),
        ];
        known.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect()
    }

    /// Refuses more nodes than every store can renew the leases of. Renewing begins at half of a lease; one interval may pass until a plan
    /// sees it, and another while the engine starts anew, which then writes all tables in any order.
    pub(super) fn check_pace(&self, nodes: usize, lease_s: u32, interval_s: u32) -> Result<(), ConfigError> {
        if self.akamai.destination().is_none() {
            return Ok(());
        }
        let per_s = self.writes_per_s.map_or(RENEWALS_PER_S, |own| own.min(RENEWALS_PER_S));
        let [lease_s, plans_s] = [lease_s, 2 * interval_s].map(f64::from);
        let most = (per_s * (lease_s / 2.0 - plans_s)).floor().max(0.0);
        if nodes as f64 <= most {
            return Ok(());
        }
        let lease_needed_s = ((nodes as f64 / per_s + plans_s) * 2.0).ceil();
        Err(ConfigError::value(
            "ingest.nodes",
            format!(
                "{nodes} nodes are more than Akamai EdgeKV can be kept up with: at {per_s} renewals a second the leases of {most} nodes are \
                 renewed in time with planner.lease.duration_s = {lease_s}; set ingest.nodes to what there are, or the lease to \
                 {lease_needed_s} s or more"
            ),
        ))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.timeout_s == 0 {
            return Err(ConfigError::value("publish.timeout_s", "must be at least 1"));
        }
        if self.writes_per_s.is_some_and(|w| !(w.is_finite() && w > 0.0)) {
            return Err(ConfigError::value("publish.writes_per_s", "must be a positive number of entries per second"));
        }
        if self.redis_password_file.is_some() && self.redis_password_env.is_some() {
            return Err(ConfigError::value("publish.redis_password_env", "must not be set together with publish.redis_password_file"));
        }
        self.nats.check()?;
        self.cloudflare.check()?;
        self.fastly.check()?;
        self.akamai.check()?;
        match &self.redis_url {
            Some(url) if !url.starts_with("redis://") => {
                Err(ConfigError::value("publish.redis_url", "must start with redis://, for example redis://127.0.0.1:6379/0"))
            }
            Some(url) if url.contains('@') => Err(ConfigError::value(
                "publish.redis_url",
                "must not hold a user or a password, which logs would show: use publish.redis_username and publish.redis_password_file",
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unusable_value_is_named() {
        let url = |url: &str| Publish { redis_url: Some(url.into()), ..Publish::default() };
        let two = Publish { redis_password_file: Some("p".into()), redis_password_env: Some("P".into()), ..Publish::default() };
        let cases = [
            (Publish { timeout_s: 0, ..Publish::default() }, "publish.timeout_s"),
            (Publish { writes_per_s: Some(0.0), ..Publish::default() }, "publish.writes_per_s"),
            (Publish { writes_per_s: Some(f64::NAN), ..Publish::default() }, "publish.writes_per_s"),
            (url("http://localhost"), "publish.redis_url"),
            (url("redis://:hunter2@localhost"), "publish.redis_url"),
            (two, "publish.redis_password_env"),
        ];
        for (publish, key) in cases {
            let error = publish.check().unwrap_err().to_string();
            assert!(error.contains(key) && !error.contains("hunter2"), "{error}");
        }
        assert!(url("redis://localhost:6379/0").check().is_ok());
    }

    #[test]
    fn more_nodes_than_leases_can_be_renewed_of_are_refused_with_the_mend() {
        let mut publish = Publish::default();
        assert!(publish.check_pace(10_000, 300, 30).is_ok(), "where nothing is published to EdgeKV");
        publish.akamai = Akamai { namespace: Some("n".into()), edgerc_env: Some("EDGERC".into()), ..Akamai::default() };
        let error = publish.check_pace(10_000, 300, 30).unwrap_err().to_string();
        assert!(error.contains("`ingest.nodes`: 10000 nodes") && error.contains("of 1080 nodes") && error.contains("1787 s"), "{error}");
        assert!(publish.check_pace(1_080, 300, 30).is_ok() && publish.check_pace(10_000, 1_787, 30).is_ok());
        assert!(publish.check_pace(1, 120, 30).is_err(), "a lease of four intervals leaves no time");
        publish.writes_per_s = Some(2.0);
        assert!(publish.check_pace(181, 300, 30).is_err() && publish.check_pace(180, 300, 30).is_ok());
    }
}
