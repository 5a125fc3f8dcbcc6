//! `[journal]`: segments of accepted telemetry and how long they are kept.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Keys of `[journal]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Journal {
    /// Bytes from which a segment is sealed and the next begun.
    pub segment_bytes: u64,
    /// Seconds after which a segment is sealed whatever its size, so that training sees it.
    pub segment_age_s: u64,
    /// Seconds for which sealed segments are kept.
    pub retain_s: u64,
    /// Most bytes of sealed segments; the oldest go first.
    pub retain_bytes: u64,
}

impl Default for Journal {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, segment_age_s: 3_600, retain_s: 30 * 86_400, retain_bytes: 10 << 30 }
    }
}

impl Journal {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bounds = [
            ("journal.segment_bytes", self.segment_bytes),
            ("journal.segment_age_s", self.segment_age_s),
            ("journal.retain_s", self.retain_s),
            ("journal.retain_bytes", self.retain_bytes),
        ];
        match bounds.iter().find(|(_, bound)| *bound == 0) {
            Some((key, _)) => Err(ConfigError::value(*key, "must be at least 1")),
            None => Ok(()),
        }
    }
}
