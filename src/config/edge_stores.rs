//! `[publish.cloudflare]` and `[publish.fastly]`: KV stores of edge platforms, their credentials and their prices.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{
    ConfigError,
    store_keys::{Price, all_or_none, check_id, check_url, one_source, source},
};
use crate::publish::SecretSource;

/// Keys of `[publish.cloudflare]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cloudflare {
    /// Id of the account whose Workers KV gets every rate table, or nothing.
    pub account_id: Option<String>,
    /// Id of the namespace in it.
    pub namespace_id: Option<String>,
    /// File that holds an API token with the permission to edit Workers KV.
    pub token_file: Option<PathBuf>,
    /// Environment variable that holds it, instead of a file.
    pub token_env: Option<String>,
    /// Where the API is.
    pub base_url: String,
    /// What it charges.
    pub price: Price,
}

impl Default for Cloudflare {
    fn default() -> Self {
        Self {
            account_id: None,
            namespace_id: None,
            token_file: None,
            token_env: None,
            base_url: "https://api.cloudflare.com/client/v4".into(),
            price: Price { writes_per_million: 5.0, free_writes: 1_000_000, reads_per_million: 0.5, free_reads: 10_000_000 },
        }
    }
}

impl Cloudflare {
    /// Account, namespace and token, when all are set: then tables are published there.
    pub fn destination(&self) -> Option<(&str, &str, SecretSource)> {
        let token = source(self.token_file.as_ref(), self.token_env.as_ref())?;
        Some((self.account_id.as_deref()?, self.namespace_id.as_deref()?, token))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        const SECTION: &str = "publish.cloudflare";
        self.price.check(SECTION)?;
        check_url(SECTION, "base_url", &self.base_url)?;
        one_source(SECTION, "token", self.token_file.is_some(), self.token_env.is_some())?;
        let token = self.token_file.is_some() || self.token_env.is_some();
        let set =
            [("account_id", self.account_id.is_some()), ("namespace_id", self.namespace_id.is_some()), ("token_file or token_env", token)];
        all_or_none(SECTION, &set)?;
        for (key, id) in [("account_id", &self.account_id), ("namespace_id", &self.namespace_id)] {
            check_id(SECTION, key, id.as_deref())?;
        }
        Ok(())
    }
}

/// Keys of `[publish.fastly]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fastly {
    /// Id of the KV Store that gets every rate table, or nothing.
    pub store_id: Option<String>,
    /// File that holds an API token that may write it.
    pub token_file: Option<PathBuf>,
    /// Environment variable that holds it, instead of a file.
    pub token_env: Option<String>,
    /// Where the API is.
    pub base_url: String,
    /// What it charges.
    pub price: Price,
}

impl Default for Fastly {
    fn default() -> Self {
        Self {
            store_id: None,
            token_file: None,
            token_env: None,
            base_url: "https://api.fastly.com".into(),
            price: Price { writes_per_million: 6.5, free_writes: 0, reads_per_million: 0.55, free_reads: 0 },
        }
    }
}

impl Fastly {
    /// Store and token, when both are set: then tables are published there.
    pub fn destination(&self) -> Option<(&str, SecretSource)> {
        Some((self.store_id.as_deref()?, source(self.token_file.as_ref(), self.token_env.as_ref())?))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        const SECTION: &str = "publish.fastly";
        self.price.check(SECTION)?;
        check_url(SECTION, "base_url", &self.base_url)?;
        one_source(SECTION, "token", self.token_file.is_some(), self.token_env.is_some())?;
        let token = self.token_file.is_some() || self.token_env.is_some();
        all_or_none(SECTION, &[("store_id", self.store_id.is_some()), ("token_file or token_env", token)])?;
        check_id(SECTION, "store_id", self.store_id.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Cloudflare {
        Cloudflare {
            account_id: Some("a1".into()),
            namespace_id: Some("b2".into()),
            token_env: Some("CLOUDFLARE_TOKEN".into()),
            ..Cloudflare::default()
        }
    }

    #[test]
    fn each_unusable_value_is_named() {
        type Spoil = fn(&mut Cloudflare);
        let cases: [(&str, Spoil); 9] = [
            ("account_id", |c| c.account_id = None),
            ("namespace_id", |c| c.namespace_id = None),
            ("token_file", |c| c.token_env = None),
            ("token_env", |c| c.token_file = Some("token".into())),
            ("account_id", |c| c.account_id = Some("../zones".into())),
            ("base_url", |c| c.base_url = "http://api.example.com".into()),
            ("base_url", |c| c.base_url = "https://user:hunter2@api.example.com".into()),
            ("base_url", |c| c.base_url = "https://api.example.com/".into()),
            ("price.writes_per_million", |c| c.price.writes_per_million = f64::NAN),
        ];
        for (key, spoil) in cases {
            let mut section = complete();
            spoil(&mut section);
            let error = section.check().unwrap_err().to_string();
            assert!(error.contains(&format!("`publish.cloudflare.{key}`")) && !error.contains("hunter2"), "{key}: {error}");
        }
    }

    #[test]
    fn each_unusable_value_of_fastly_is_named() {
        type Spoil = fn(&mut Fastly);
        let cases: [(&str, Spoil); 5] = [
            ("store_id", |f| f.store_id = None),
            ("store_id", |f| f.store_id = Some("a/b".into())),
            ("token_file", |f| f.token_env = None),
            ("base_url", |f| f.base_url = "api.fastly.com".into()),
            ("price.reads_per_million", |f| f.price.reads_per_million = -1.0),
        ];
        for (key, spoil) in cases {
            let mut section = Fastly { store_id: Some("s".into()), token_env: Some("FASTLY_TOKEN".into()), ..Fastly::default() };
            assert!(section.check().is_ok() && section.destination().is_some());
            spoil(&mut section);
            let error = section.check().unwrap_err().to_string();
            assert!(error.contains(&format!("`publish.fastly.{key}`")), "{key}: {error}");
        }
    }

    #[test]
    fn a_section_is_in_use_when_it_is_complete() {
        assert!(complete().check().is_ok() && complete().destination().is_some());
        assert!(Cloudflare::default().check().is_ok() && Cloudflare::default().destination().is_none());
        let local = Cloudflare { base_url: "http://127.0.0.1:8787/client/v4".into(), ..complete() };
        assert!(local.check().is_ok());
    }
}
