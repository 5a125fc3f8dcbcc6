//! What the engine refuses, and why.

/// A command that was not carried out. Nothing of it has been taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Too many commands wait.
    #[error("too many batches wait for the disk; send this one again later")]
    Overloaded,
    /// The journal cannot be written; the log says why, senders need not know.
    #[error("the journal cannot be written; send this batch again later")]
    Journal,
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Stopped,
}

impl EngineError {
    /// Seconds after which a sender should try again; the service answers 503 with it in `Retry-After`.
    pub fn retry_after_s(&self) -> u32 {
        match self {
            Self::Overloaded => 1,
            Self::Journal | Self::Stopped => 10,
        }
    }
}
