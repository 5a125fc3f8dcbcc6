//! `[publish.nats]`: a key-value bucket of NATS JetStream.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{
    ConfigError,
    store_keys::{check_id, one_source, source},
};
use crate::publish::SecretSource;

/// Keys of `[publish.nats]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Nats {
    /// Address of a server whose bucket gets every rate table, or nothing.
    pub url: Option<String>,
    /// Name of the bucket.
    pub bucket: String,
    /// Servers that keep a copy each of a bucket that is made.
    pub replicas: usize,
    /// User of that server.
    pub username: Option<String>,
    /// File that holds the user's password; without a user, a token.
    pub password_file: Option<PathBuf>,
    /// Environment variable that holds it, instead of a file.
    pub password_env: Option<String>,
    /// File with a JWT and its seed (`.creds`), instead of user and password.
    pub credentials_file: Option<PathBuf>,
}

impl Default for Nats {
    fn default() -> Self {
        Self {
            url: None,
            bucket: "tidegate".into(),
            replicas: 1,
            username: None,
            password_file: None,
            password_env: None,
            credentials_file: None,
        }
    }
}

impl Nats {
    /// Where the password or token is, if there is one.
    pub fn password(&self) -> Option<SecretSource> {
        source(self.password_file.as_ref(), self.password_env.as_ref())
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        const SECTION: &str = "publish.nats";
        let refused = |key: &str, reason: &str| Err(ConfigError::value(format!("{SECTION}.{key}"), reason));
        check_id(SECTION, "bucket", Some(&self.bucket))?;
        one_source(SECTION, "password", self.password_file.is_some(), self.password_env.is_some())?;
        if !matches!(self.replicas, 1 | 3 | 5) {
            return refused("replicas", "must be 1, 3 or 5: JetStream keeps as many copies");
        }
        if self.username.is_some() && self.password().is_none() {
            return refused("username", "needs publish.nats.password_file or publish.nats.password_env");
        }
        if self.credentials_file.is_some() && self.password().is_some() {
            return refused("credentials_file", "must not be set together with a password");
        }
        let Some(url) = &self.url else { return Ok(()) };
        if !["nats://", "tls://"].iter().any(|scheme| url.starts_with(scheme)) {
            return refused("url", "must start with nats:// or tls://, for example nats://127.0.0.1:4222");
        }
        if url.contains('@') {
            return refused("url", "must not hold a user or a password, which logs would show: use publish.nats.password_file");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unusable_value_is_named() {
        type Spoil = fn(&mut Nats);
        let cases: [(&str, Spoil); 7] = [
            ("url", |n| n.url = Some("127.0.0.1:4222".into())),
            ("url", |n| n.url = Some("nats://user:hunter2@127.0.0.1:4222".into())),
            ("bucket", |n| n.bucket = "a.b".into()),
            ("replicas", |n| n.replicas = 2),
            ("username", |n| n.password_file = None),
            ("password_env", |n| n.password_env = Some("P".into())),
            ("credentials_file", |n| n.credentials_file = Some("c".into())),
        ];
        let complete = Nats {
            url: Some("tls://nats.example.com".into()),
            username: Some("u".into()),
            password_file: Some("p".into()),
            ..Nats::default()
        };
        assert!(complete.check().is_ok());
        for (key, spoil) in cases {
            let mut section = complete.clone();
            spoil(&mut section);
            let error = section.check().unwrap_err().to_string();
            assert!(error.contains(&format!("`publish.nats.{key}`")) && !error.contains("hunter2"), "{key}: {error}");
        }
    }
}
