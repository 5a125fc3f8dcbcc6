//! `[publish]`: the KV stores that carry rate tables to the edge.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Cloudflare, ConfigError, Fastly, Nats};

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
        }
    }
}

impl Publish {
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
}
