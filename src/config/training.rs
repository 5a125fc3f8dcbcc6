//! `[training]`: where models are, and the trainer that `serve` starts.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Keys of `[training]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Folder of model artefacts; `active.json` in it names the champion.
    pub models_dir: PathBuf,
    /// Seconds between two runs of the trainer; 0 leaves the schedule to somebody else.
    pub every_s: u64,
    /// Program that `serve` starts to retrain: a name on the search path, or a path.
    pub command: PathBuf,
    /// Seconds after which a run that has not ended is killed.
    pub timeout_s: u64,
}

impl Default for Training {
    fn default() -> Self {
        Self { models_dir: "models".into(), every_s: 0, command: "tidegate-train".into(), timeout_s: 3_600 }
    }
}

impl Training {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.timeout_s == 0 {
            return Err(ConfigError::value("training.timeout_s", "must be at least 1"));
        }
        if self.command.as_os_str().is_empty() {
            return Err(ConfigError::value("training.command", "must name the trainer, for example tidegate-train"));
        }
        Ok(())
    }
}
