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
    /// Folder of model artefacts, below the data folder unless it is an absolute path; `active.json` in it names the champion.
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

    /// The folder of model artefacts.
    pub fn models_dir(&self, data_dir: &Path) -> PathBuf {
        data_dir.join(&self.models_dir)
    }

    /// The trainer's program and all its arguments.
    pub fn command_line(&self, data_dir: &Path, interval_s: u32) -> (PathBuf, Vec<OsString>) {
        let mut words = self.command.iter().map(OsString::from);
        let program = words.next().unwrap_or_default().into();
        let told: [(&str, OsString); 3] = [
            ("--data-dir", data_dir.into()),
            ("--models", self.models_dir(data_dir).into()),
            ("--interval", format!("{interval_s}s").into()),
        ];
        (program, words.chain(told.into_iter().flat_map(|(flag, value)| [flag.into(), value])).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_below_the_data_folder_unless_somewhere_else_is_meant() {
        let mut training = Training::default();
        assert_eq!(training.models_dir(Path::new("/var/lib/tidegate")), Path::new("/var/lib/tidegate/models"));
        let (_, arguments) = training.command_line(Path::new("data"), 30);
        assert!(arguments.windows(2).any(|pair| pair == ["--models", "data/models"]), "{arguments:?}");
        training.models_dir = "/srv/models".into();
        assert_eq!(training.models_dir(Path::new("data")), Path::new("/srv/models"));
    }
}
