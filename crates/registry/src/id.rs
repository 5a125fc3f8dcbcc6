//! What a model may be called: a name that is one folder, and stays below the models directory.

use crate::RegistryError;

/// Longest model id, in bytes.
const MAX: usize = 64;

/// Checks a model id: `[A-Za-z0-9._-]{1,64}`, not starting with a dot.
///
/// # Errors
/// [`RegistryError::Id`]; path separators and `..` are refused by the alphabet and the leading dot.
pub fn check_id(id: &str) -> Result<(), RegistryError> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if (1..=MAX).contains(&id.len()) && !id.starts_with('.') && id.bytes().all(legal) {
        return Ok(());
    }
    Err(RegistryError::Id { id: id.chars().take(MAX).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_folder_below_the_models_directory() {
        assert!(check_id("2026-11-21T20.00_v1").is_ok());
        for bad in ["", ".", "..", ".hidden", "a/b", "../a", "a\\b", "a b", "a\0", "/etc", &"x".repeat(65)] {
            assert!(check_id(bad).is_err(), "{bad:?}");
        }
    }
}
