//! What a trace is called in reports.

use std::path::Path;

/// The name of its file, without the ending.
pub fn named(path: &Path) -> String {
    path.file_stem().map_or_else(|| path.display().to_string(), |stem| stem.to_string_lossy().into_owned())
}
