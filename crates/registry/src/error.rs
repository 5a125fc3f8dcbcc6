//! What can be wrong with the models directory, each with the file it is about and the mend.

use std::{io, path::PathBuf};

use tidegate_planner::forecast::ModelError;

/// Why a model is not served, or the champion not changed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Not a name for a model.
    #[error("{id:?} is not a model id: 1 to 64 characters of [A-Za-z0-9._-], not starting with a dot")]
    Id {
        /// As given, cut to the longest that is legal.
        id: String,
    },
    /// There is no such artefact.
    #[error("model {id} is unknown: there is no {}", path.display())]
    Unknown {
        /// The model.
        id: String,
        /// The file that would make it known.
        path: PathBuf,
    },
    /// The artefact cannot be used.
    #[error("model {id} is not used: {source}")]
    Unfit {
        /// The model.
        id: String,
        /// What is wrong with it.
        source: ModelError,
    },
    /// The artefact holds another model than its folder's name says.
    #[error("model {id} is not used: its files are about {found}; an artefact's folder carries the model's id")]
    Misnamed {
        /// The folder.
        id: String,
        /// The id inside.
        found: String,
    },
    /// The model was fitted on windows of another length.
    #[error(
        "model {id} is not used: it was fitted on windows of {found} s, the interval is {expected} s; retrain it or set interval_s = {found}"
    )]
    Interval {
        /// The model.
        id: String,
        /// Seconds, of the model.
        found: u32,
        /// Seconds, of the configuration.
        expected: u32,
    },
    /// `active.json` is not there.
    #[error("{} is missing: promote a model", path.display())]
    Missing {
        /// `active.json`.
        path: PathBuf,
    },
    /// `active.json` cannot be read as such.
    #[error("{} is corrupt: {source}; delete it and promote a model", path.display())]
    Corrupt {
        /// `active.json`.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// `active.json` names no champion.
    #[error("{} names no champion: promote a model", path.display())]
    NoChampion {
        /// `active.json`.
        path: PathBuf,
    },
    /// There is nothing to go back to.
    #[error("there is no previous champion to roll back to")]
    NoPrevious,
    /// An artefact of that id is already there, and it is another one.
    #[error("model {id} already exists with other content: choose another id")]
    Exists {
        /// The model.
        id: String,
    },
    /// A file is larger than any model.
    #[error("{} is {bytes} bytes, a model file has at most {max}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The bound.
        max: u64,
    },
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was read or written.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl RegistryError {
    /// One word for the kind, as a metric's label.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Id { .. } => "id",
            Self::Unknown { .. } => "unknown",
            Self::Unfit { source: ModelError::Checksum { .. }, .. } => "checksum",
            Self::Unfit { source: ModelError::Parse { .. }, .. } => "corrupt",
            Self::Unfit { .. } | Self::Misnamed { .. } | Self::Interval { .. } => "unfit",
            Self::Missing { .. } | Self::NoChampion { .. } => "missing",
            Self::Corrupt { .. } => "corrupt",
            Self::NoPrevious => "no_previous",
            Self::Exists { .. } => "exists",
            Self::TooLarge { .. } => "too_large",
            Self::Io { .. } => "io",
        }
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
