//! `[publish]`: the KV stores that carry rate tables to the edge.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Keys of `[publish]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Publish {
    /// Where rate tables go besides the embedded store, which is always there: the address of a Redis server, or nothing.
    pub redis_url: Option<String>,
    /// Seconds after which a write to a store counts as failed and waits for the next tick.
    pub timeout_s: u64,
}

impl Default for Publish {
    fn default() -> Self {
        Self { redis_url: None, timeout_s: 5 }
    }
}

impl Publish {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.timeout_s == 0 {
            return Err(ConfigError::value("publish.timeout_s", "must be at least 1"));
        }
        match &self.redis_url {
            Some(url) if !url.starts_with("redis://") => {
                Err(ConfigError::value("publish.redis_url", "must start with redis://, for example redis://127.0.0.1:6379/0"))
            }
            _ => Ok(()),
        }
    }
}
