//! `[publish.akamai]`: Akamai EdgeKV.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    ConfigError,
    store_keys::{Price, all_or_none, check_id, check_url, one_source, source},
};
use crate::publish::SecretSource;

/// Keys of `[publish.akamai]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Akamai {
    /// EdgeKV namespace that gets every rate table, or nothing.
    pub namespace: Option<String>,
    /// Group in it.
    pub group: String,
    /// Network that the workers run on.
    pub network: Network,
    /// File with the credentials of an API client, as Akamai hands them out.
    pub edgerc_file: Option<PathBuf>,
    /// Environment variable that holds its text, instead of a file.
    pub edgerc_env: Option<String>,
    /// Section of that file.
    pub section: String,
    /// Where the API is, if not at the host that the credentials name.
    pub base_url: Option<String>,
    /// What it charges, where that is known.
    pub price: Option<Price>,
}

/// One of Akamai's networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// For trying things out.
    Staging,
    /// For users.
    #[default]
    Production,
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Staging => "staging",
            Self::Production => "production",
        })
    }
}

impl Default for Akamai {
    fn default() -> Self {
        Self {
            namespace: None,
            group: "rates".into(),
            network: Network::default(),
            edgerc_file: None,
            edgerc_env: None,
            section: "default".into(),
            base_url: None,
            price: None,
        }
    }
}

impl Akamai {
    /// Namespace and credentials, when both are set: then tables are published there.
    pub fn destination(&self) -> Option<(&str, SecretSource)> {
        Some((self.namespace.as_deref()?, source(self.edgerc_file.as_ref(), self.edgerc_env.as_ref())?))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        const SECTION: &str = "publish.akamai";
        self.price.iter().try_for_each(|price| price.check(SECTION))?;
        self.base_url.iter().try_for_each(|url| check_url(SECTION, "base_url", url))?;
        one_source(SECTION, "edgerc", self.edgerc_file.is_some(), self.edgerc_env.is_some())?;
        let edgerc = self.edgerc_file.is_some() || self.edgerc_env.is_some();
        all_or_none(SECTION, &[("namespace", self.namespace.is_some()), ("edgerc_file or edgerc_env", edgerc)])?;
        for (key, id, most) in [("namespace", self.namespace.as_deref(), 32), ("group", Some(self.group.as_str()), 128)] {
            check_id(SECTION, key, id)?;
            if id.is_some_and(|id| id.len() > most) {
                return Err(ConfigError::value(format!("{SECTION}.{key}"), format!("must be at most {most} characters")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unusable_value_is_named() {
        type Spoil = fn(&mut Akamai);
        let cases: [(&str, Spoil); 7] = [
            ("namespace", |a| a.namespace = None),
            ("namespace", |a| a.namespace = Some("n".repeat(33))),
            ("group", |a| a.group = "a/b".into()),
            ("edgerc_file", |a| a.edgerc_env = None),
            ("edgerc_env", |a| a.edgerc_file = Some("edgerc".into())),
            ("base_url", |a| a.base_url = Some("http://api.example.com".into())),
            ("price.reads_per_million", |a| a.price = Some(Price { reads_per_million: -1.0, ..Price::default() })),
        ];
        let complete = Akamai { namespace: Some("n".into()), edgerc_env: Some("EDGERC".into()), ..Akamai::default() };
        assert!(complete.check().is_ok() && Akamai::default().check().is_ok());
        for (key, spoil) in cases {
            let mut section = complete.clone();
            spoil(&mut section);
            let error = section.check().unwrap_err().to_string();
            assert!(error.contains(&format!("`publish.akamai.{key}`")), "{key}: {error}");
        }
    }
}
