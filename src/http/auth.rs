//! Who asks: bearer tokens, known by their SHA-256 alone.

use std::collections::HashMap;

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{local, refusal::Refusal};
use crate::config;

type Hash = [u8; 32];

/// Who sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Somebody on this machine: no token is set up, and only loopback is served.
    Local,
    /// The node whose token it is.
    Node(String),
    /// A person or program with an operator's token, by its name.
    Operator(String),
}

impl Caller {
    /// Refuses a caller that may not write telemetry of `node`.
    ///
    /// # Errors
    /// 403 when the token is another's.
    pub fn may_write(&self, node: &str) -> Result<(), Refusal> {
        match self {
            Self::Local => Ok(()),
            Self::Node(own) if own == node => Ok(()),
            Self::Node(own) => Err(Refusal::forbidden(format!("this token writes telemetry of node {own:?}, not of {node:?}"))),
            Self::Operator(_) => Err(Refusal::forbidden("an operator's token writes no telemetry; use the node's own")),
        }
    }

    /// Refuses a caller that may not read the rate table of `node`.
    ///
    /// # Errors
    /// 403 when the token is another node's.
    pub fn may_read(&self, node: &str) -> Result<(), Refusal> {
        match self {
            Self::Node(own) if own != node => {
                Err(Refusal::forbidden(format!("this token reads the rates of node {own:?}, not of {node:?}")))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a node where an operator is needed.
    ///
    /// # Errors
    /// 403 when the token is a node's.
    pub fn may_operate(&self) -> Result<(), Refusal> {
        match self {
            Self::Node(_) => Err(Refusal::forbidden("this needs an operator's token; a node's token writes telemetry and reads rates")),
            _ => Ok(()),
        }
    }
}

/// The tokens that are known.
#[derive(Debug, Default)]
pub struct Tokens {
    /// Found by the hash's first bytes, which say nothing about a token; the rest is compared in constant time.
    known: HashMap<u64, Vec<(Hash, Caller)>>,
}

impl Tokens {
    /// The tokens of a checked `[auth]`.
    pub fn new(auth: &config::Auth) -> Self {
        let nodes = auth.nodes.iter().map(|(node, hash)| (hash, Caller::Node(node.clone())));
        let operators = auth.operators.iter().map(|(name, hash)| (hash, Caller::Operator(name.clone())));
        let mut tokens = Self::default();
        for (hash, caller) in nodes.chain(operators) {
            if let Some(hash) = unhex(hash) {
                tokens.known.entry(slot(&hash)).or_default().push((hash, caller));
            }
        }
        tokens
    }

    /// Who sends `headers`.
    ///
    /// # Errors
    /// 401 when tokens are set up and the request carries none that is known.
    pub fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        if self.known.is_empty() {
            return local::check(headers).map(|()| Caller::Local);
        }
        let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).ok_or_else(Refusal::unauthorized)?;
        let (scheme, token) = value.split_once(' ').ok_or_else(Refusal::unauthorized)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Refusal::unauthorized());
        }
        self.owner(token.trim()).ok_or_else(Refusal::unauthorized)
    }

    fn owner(&self, token: &str) -> Option<Caller> {
        let hash: Hash = Sha256::digest(token.as_bytes()).into();
        let candidates = self.known.get(&slot(&hash))?;
        candidates.iter().find(|(known, _)| bool::from(known.ct_eq(&hash))).map(|(_, caller)| caller.clone())
    }
}

/// SHA-256 of a token, hex: what is put into the configuration.
pub fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// The token made of 256 random bits.
pub fn token_of(random: &Hash) -> String {
    format!("tg_{}", hex(random))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if text.len() != 2 * hash.len() {
        return None;
    }
    for (i, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(hash)
}

fn slot(hash: &Hash) -> u64 {
    hash.iter().take(8).fold(0, |slot, byte| slot << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        let mut auth = config::Auth::default();
        auth.nodes.insert("cf-fra".into(), token_hash("node-secret"));
        auth.operators.insert("alice".into(), token_hash("op-secret").to_uppercase());
        Tokens::new(&auth)
    }

    fn caller(authorization: &str) -> Option<Caller> {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, authorization.parse().unwrap())]);
        tokens().caller(&headers).ok()
    }

    #[test]
    fn a_token_names_its_owner() {
        assert_eq!(caller("Bearer node-secret"), Some(Caller::Node("cf-fra".into())));
        assert_eq!(caller("bearer op-secret"), Some(Caller::Operator("alice".into())));
    }

    #[test]
    fn anything_else_is_nobody() {
        for authorization in
            ["Bearer wrong", "Bearer ", "node-secret", "Basic node-secret", &format!("Bearer {}", token_hash("node-secret"))]
        {
            assert_eq!(caller(authorization), None, "{authorization}");
        }
        assert!(tokens().caller(&HeaderMap::new()).is_err());
    }

    #[test]
    fn each_caller_keeps_to_its_own() {
        let node = Caller::Node("cf-fra".into());
        assert!(node.may_write("cf-fra").is_ok() && node.may_read("cf-fra").is_ok());
        assert!(node.may_write("cf-ams").is_err() && node.may_read("cf-ams").is_err() && node.may_operate().is_err());
        let operator = Caller::Operator("alice".into());
        assert!(operator.may_operate().is_ok() && operator.may_read("cf-fra").is_ok() && operator.may_write("cf-fra").is_err());
        assert!(Tokens::default().caller(&HeaderMap::new()) == Ok(Caller::Local));
    }
}
