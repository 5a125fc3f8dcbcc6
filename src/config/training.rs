//! `[training]`: where models are, and the trainer that `serve` starts.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

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
    /// Program that `serve` starts to retrain (in its own folder, on the search path, or by path) and its arguments; the data
    /// folder, the models folder and the interval are added to them.
    pub command: Vec<String>,
    /// Seconds after which a run that has not ended is killed.
    pub timeout_s: u64,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            models_dir: "models".into(),
            every_s: 0,
            command: ["tidegate-train", "run", "--once"].map(String::from).into(),
            timeout_s: 3_600,
        }
    }
}

impl Training {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.timeout_s == 0 {
            return Err(ConfigError::value("training.timeout_s", "must be at least 1"));
        }
        if self.command.first().is_none_or(String::is_empty) {
            return Err(ConfigError::value(
                "training.command",
                "must name the trainer, for example [\"tidegate-train\", \"run\", \"--once\"]",
            ));
        }
        Ok(())
    }

    /// The trainer's program and all its arguments.
    pub fn command_line(&self, data_dir: &Path, interval_s: u32) -> (PathBuf, Vec<OsString>) {
        let mut words = self.command.iter().map(OsString::from);
        let program = words.next().unwrap_or_default().into();
        let told: [(&str, OsString); 3] = [
            ("--data-dir", data_dir.into()),
            ("--models", self.models_dir.clone().into()),
            ("--interval", format!("{interval_s}s").into()),
        ];
        (program, words.chain(told.into_iter().flat_map(|(flag, value)| [flag.into(), value])).collect())
    }
}
