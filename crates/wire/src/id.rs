//! The two kinds of id and their alphabets.

use std::fmt;

/// Longest node id, in bytes.
pub const NODE_MAX: usize = 64;
/// Longest bucket id, in bytes.
pub const BUCKET_MAX: usize = 128;

/// Why a string is not an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidId {
    kind: &'static str,
    alphabet: &'static str,
    max: usize,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} id has 1 to {} characters of {}", self.kind, self.max, self.alphabet)
    }
}

impl std::error::Error for InvalidId {}

/// Checks a node id: `[A-Za-z0-9_-]{1,64}`.
///
/// # Errors
/// [`InvalidId`] naming the alphabet and the length allowed.
pub fn check_node(id: &str) -> Result<(), InvalidId> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if (1..=NODE_MAX).contains(&id.len()) && id.bytes().all(legal) {
        return Ok(());
    }
    Err(InvalidId { kind: "node", alphabet: "[A-Za-z0-9_-]", max: NODE_MAX })
}

/// Checks a bucket id: `[A-Za-z0-9._:-]{1,128}`.
///
/// # Errors
/// [`InvalidId`] naming the alphabet and the length allowed.
pub fn check_bucket(id: &str) -> Result<(), InvalidId> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
    if (1..=BUCKET_MAX).contains(&id.len()) && id.bytes().all(legal) {
        return Ok(());
    }
    Err(InvalidId { kind: "bucket", alphabet: "[A-Za-z0-9._:-]", max: BUCKET_MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_to_their_alphabet_and_length() {
        assert!(check_node("cf-fra_1").is_ok());
        assert!(check_bucket("key:3f9a.v1").is_ok());
        for bad in ["", "a/b", "a b", "ü", &"x".repeat(NODE_MAX + 1)] {
            assert!(check_node(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "a/b", "a\n", &"x".repeat(BUCKET_MAX + 1)] {
            assert!(check_bucket(bad).is_err(), "{bad:?}");
        }
        assert!(check_node("a:b").is_err(), "a colon is for buckets only");
    }
}
