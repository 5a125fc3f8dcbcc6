//! The scale-free row that describes a series to the model; training and serving use this same code.

pub mod fast;
mod fill;

pub use fill::{BLOCK, Block};

/// Number of features.
pub const COUNT: usize = 24;

/// Names of the features, in the order of a row.
///
/// The level is a logarithm of demand; movements are differences of such logarithms, so a row looks the same at any scale.
/// `known`, `well_known` and `unsure` say by what a feature is weighed: a busy series is forecast from its own movements
/// alone, a quiet one from everything that is known of it.
pub const NAMES: [&str; COUNT] = [
    "log_level",
    "known_jump",
    "known_trend_5m",
    "known_trend_30m",
    "well_known_jump",
    "well_known_trend_5m",
    "unsure_trend_5m",
    "unsure_trend_30m",
    "unsure_trend_6h",
    "unsure_yesterday",
    "unsure_has_yesterday",
    "unsure_hour_sin",
    "unsure_hour_cos",
    "unsure",
    "unsure_dispersion",
    "unsure_quiet_windows",
    "unsure_active_share",
    "unsure_bytes_mean",
    "unsure_throttle_ratio",
    "unsure_error_ratio",
    "unsure_retry_ratio",
    "unsure_cpu",
    "unsure_memory",
    "unsure_peak_ratio",
];
