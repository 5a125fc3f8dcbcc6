//! Why a trace or a case cannot be compared.

/// A comparison that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A trace file cannot be used.
    #[error(transparent)]
    Trace(#[from] tidegate_trace::TraceError),
    /// There is nothing to split into a part to learn from and a part to score.
    #[error("{windows} window(s) of 30 s are too few: contenders learn from one part and are scored on the rest, so at least 2 are needed")]
    Short {
        /// Windows that there are.
        windows: u32,
    },
    /// The scored part is empty.
    #[error("no request in windows {fit_windows} to {windows}, the part to be scored; lower --fit or raise --windows")]
    NothingToScore {
        /// Windows of the part to learn from.
        fit_windows: u32,
        /// Windows in all.
        windows: u32,
    },
    /// What is wrong with one trace of several.
    #[error("{trace}: {source}")]
    Of {
        /// Name of the trace.
        trace: String,
        /// What is wrong with it.
        source: Box<CompareError>,
    },
    /// The planner refuses the settings of a case.
    #[error("the planner refuses the settings of this case: {0}")]
    Settings(#[from] tidegate_planner::SettingsError),
}
