//! Why a configuration is refused, in words that lead to the line to change.

use std::path::PathBuf;

use figment::error::Kind;

use super::ENV_PREFIX;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be opened.
    #[error("{}: cannot be read: {source}; check the path and its permissions", file.display())]
    Read {
        /// The configuration or tokens file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}: is not TOML: {source}", file.display())]
    Syntax {
        /// The configuration or tokens file.
        file: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A key that is not known, or a value of the wrong type.
    #[error("{origin}: key `{key}`: {reason}")]
    Key {
        /// The file or the environment variable.
        origin: String,
        /// Section and key.
        key: String,
        /// What is wrong and how to mend it.
        reason: String,
    },
    /// A value that is out of bounds, wherever it came from.
    #[error("configuration key `{key}`: {reason}")]
    Value {
        /// Section and key.
        key: String,
        /// What is wrong and how to mend it.
        reason: String,
    },
}

impl ConfigError {
    pub(super) fn value(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Value { key: key.into(), reason: reason.into() }
    }

    pub(super) fn from_figment(error: &figment::Error) -> Self {
        let mut path = error.path.clone();
        let reason = match &error.kind {
            Kind::UnknownField(field, known) => {
                // figment names the table in `path` for some sources and the key itself for others.
                if path.last() != Some(field) {
                    path.push(field.clone());
                }
                unknown_key(field, known)
            }
            Kind::UnknownVariant(found, known) => format!("`{found}` is not a choice{}", listed(found, known)),
            kind => kind.to_string(),
        };
        let key = path.join(".");
        let reason = format!("{reason}{}", mend(&key));
        Self::Key { origin: origin(error, &path), key, reason }
    }
}

/// What would do, for a key whose type says too little.
fn mend(key: &str) -> &'static str {
    match key {
        "server.listen" => "; an IP address and a port are needed, for example 127.0.0.1:8080",
        _ => "",
    }
}

fn origin(error: &figment::Error, path: &[String]) -> String {
    let Some(metadata) = &error.metadata else { return "configuration".into() };
    if let Some(figment::Source::File(file)) = &metadata.source {
        return file.display().to_string();
    }
    if metadata.name.contains("environment") {
        return format!("environment variable {ENV_PREFIX}{}", path.join("__").to_uppercase());
    }
    "flags".into()
}

fn unknown_key(field: &str, known: &[&str]) -> String {
    format!("is not known{}", listed(field, known))
}

fn listed(found: &str, known: &[&str]) -> String {
    if let Some(close) = closest(found, known) {
        return format!("; did you mean `{close}`?");
    }
    format!("; known are {}", known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "))
}

/// The known word that `found` most likely is a slip of.
fn closest<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    const LIKE: f64 = 0.8;
    let score = |k: &str| strsim::jaro_winkler(found, k);
    known.iter().copied().filter(|k| score(k) >= LIKE).max_by(|a, b| score(a).total_cmp(&score(b)))
}
