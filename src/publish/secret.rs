//! A password that does not get into a log.

use std::{env, fmt, fs, path::PathBuf};

/// Where a password is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In an environment variable of this name.
    Env(String),
    /// In a file, whose last line break is not part of it.
    File(PathBuf),
}

/// A password; its `Debug` form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// A password that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the password in {place} cannot be read: {reason}")]
pub struct SecretError {
    place: String,
    reason: String,
}

impl Secret {
    /// Reads the password.
    ///
    /// # Errors
    /// [`SecretError`] naming the variable or the file, when there is none or it is empty.
    pub fn read(source: &SecretSource) -> Result<Self, SecretError> {
        let (place, read) = match source {
            SecretSource::Env(name) => (format!("environment variable {name}"), env::var(name).map_err(|e| e.to_string())),
            SecretSource::File(path) => (format!("file {}", path.display()), fs::read_to_string(path).map_err(|e| e.to_string())),
        };
        let secret = read.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
        match secret {
            Ok(secret) if secret.is_empty() => Err(SecretError { place, reason: "it is empty".into() }),
            Ok(secret) => Ok(Self(secret)),
            Err(reason) => Err(SecretError { place, reason }),
        }
    }

    /// The password itself, for the connection alone.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_read_from_its_file_and_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        fs::write(&path, "hunter2\n").unwrap();
        let secret = Secret::read(&SecretSource::File(path.clone())).unwrap();
        assert_eq!(secret.reveal(), "hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
        fs::write(&path, "\n").unwrap();
        let error = Secret::read(&SecretSource::File(path.clone())).unwrap_err().to_string();
        assert!(error.contains("password") && error.contains("empty"), "{error}");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = Secret::read(&SecretSource::Env("TIDEGATE_NO_SUCH_VARIABLE".into())).unwrap_err().to_string();
        assert!(error.contains("TIDEGATE_NO_SUCH_VARIABLE"), "{error}");
    }
}
