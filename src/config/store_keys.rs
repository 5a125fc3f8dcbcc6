//! Keys that the sections of several stores have: prices, secrets, ids and addresses.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::publish::SecretSource;

/// What a provider charges, for the metric that estimates the monthly cost.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Price {
    /// Dollars per million values written or deleted.
    pub writes_per_million: f64,
    /// Writes of a month that cost nothing.
    pub free_writes: u64,
    /// Dollars per million values read.
    pub reads_per_million: f64,
    /// Reads of a month that cost nothing.
    pub free_reads: u64,
}

impl Price {
    pub(super) fn check(&self, section: &str) -> Result<(), ConfigError> {
        for (key, dollars) in [("writes_per_million", self.writes_per_million), ("reads_per_million", self.reads_per_million)] {
            if !(dollars.is_finite() && dollars >= 0.0) {
                return Err(ConfigError::value(format!("{section}.price.{key}"), "must be a number of dollars, 0 or more"));
            }
        }
        Ok(())
    }
}

/// Where a secret is, if anywhere.
pub(super) fn source(file: Option<&PathBuf>, env: Option<&String>) -> Option<SecretSource> {
    file.cloned().map(SecretSource::File).or_else(|| env.cloned().map(SecretSource::Env))
}

/// Refuses a secret that is set in both of its places.
pub(super) fn one_source(section: &str, what: &str, file: bool, env: bool) -> Result<(), ConfigError> {
    if file && env {
        return Err(ConfigError::value(format!("{section}.{what}_env"), format!("must not be set together with {section}.{what}_file")));
    }
    Ok(())
}

/// Refuses a section of which only some of the keys that belong together are set.
pub(super) fn all_or_none(section: &str, keys: &[(&str, bool)]) -> Result<(), ConfigError> {
    let missing = keys.iter().find(|(_, set)| !set);
    match (missing, keys.iter().any(|(_, set)| *set)) {
        (Some((key, _)), true) => {
            let key_path = format!("{section}.{}", key.split(' ').next().unwrap_or(key));
            Err(ConfigError::value(key_path, format!("is missing: with some keys of [{section}], {key} is needed, too")))
        }
        _ => Ok(()),
    }
}

/// An id becomes part of a path.
pub(super) fn check_id(section: &str, key: &str, id: Option<&str>) -> Result<(), ConfigError> {
    let plain = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    match id {
        Some(id) if !plain(id) => {
            Err(ConfigError::value(format!("{section}.{key}"), "must be letters, digits, - and _, as the provider shows it"))
        }
        _ => Ok(()),
    }
}

/// Credentials go to this address: in the clear only within this machine.
pub(super) fn check_url(section: &str, key: &str, url: &str) -> Result<(), ConfigError> {
    let refused = |reason: &str| Err(ConfigError::value(format!("{section}.{key}"), reason.to_owned()));
    let Ok(parsed) = reqwest::Url::parse(url) else { return refused("must be a URL, for example https://api.example.com/v1") };
    let loopback = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return refused("must not hold a user or a password, which logs would show");
    }
    if url.ends_with('/') || parsed.query().is_some() || parsed.fragment().is_some() {
        return refused("must not end in a slash or have a query");
    }
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        _ => refused("must start with https://, or with http:// for this machine, because the token is sent there"),
    }
}
