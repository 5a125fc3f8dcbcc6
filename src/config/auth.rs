//! `[auth]`: whose tokens are known, by their hashes.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use tidegate_wire::check_node;

use super::ConfigError;

/// Keys of `[auth]`; empty means that no token is asked for, and then only loopback is served.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// File with the two tables below, kept apart from the configuration; none when left out.
    pub tokens_file: Option<PathBuf>,
    /// SHA-256 (hex) of each node's bearer token, by node id.
    pub nodes: BTreeMap<String, String>,
    /// SHA-256 (hex) of each operator's bearer token, by a name for the logs.
    pub operators: BTreeMap<String, String>,
}

/// What `auth.tokens_file` holds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokensFile {
    /// As `[auth.nodes]`.
    pub nodes: BTreeMap<String, String>,
    /// As `[auth.operators]`.
    pub operators: BTreeMap<String, String>,
}

impl Auth {
    /// Whether any token is known; without one every request is let in.
    pub fn is_on(&self) -> bool {
        !(self.nodes.is_empty() && self.operators.is_empty())
    }
}

impl Auth {
    /// Adds the tokens of `tokens_file` to the tables.
    pub(super) fn read_tokens_file(&mut self) -> Result<(), ConfigError> {
        let Some(file) = self.tokens_file.clone() else { return Ok(()) };
        let text = std::fs::read_to_string(&file).map_err(|source| ConfigError::Read { file: file.clone(), source })?;
        let tokens: TokensFile = toml::from_str(&text).map_err(|source| ConfigError::Syntax { file, source: Box::new(source) })?;
        self.nodes.extend(tokens.nodes);
        self.operators.extend(tokens.operators);
        Ok(())
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (node, hash) in &self.nodes {
            check_node(node).map_err(|e| ConfigError::value(format!("auth.nodes.{node}"), e.to_string()))?;
            check_hash(&format!("auth.nodes.{node}"), hash)?;
        }
        self.operators.iter().try_for_each(|(name, hash)| check_hash(&format!("auth.operators.{name}"), hash))
    }
}

fn check_hash(key: &str, hash: &str) -> Result<(), ConfigError> {
    if hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(());
    }
    // The value is not repeated: it may be a token that was put here in place of its hash.
    Err(ConfigError::value(key, "must be the 64 hex digits of a token's SHA-256; `tidegate token NODE` prints the line to put here"))
}
