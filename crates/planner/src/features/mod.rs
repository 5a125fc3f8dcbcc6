//! The scale-free row that describes a series to the model; training and serving use this same code.

pub mod fast;
mod fill;

pub use fill::{BLOCK, Block};

/// Number of features.
pub const COUNT: usize = 24;

/// Names of the features, in the order of a row.
pub const NAMES: [&str; COUNT] = [
    "log_lag_1",
    "log_lag_2",
    "log_lag_3",
    "log_lag_4",
    "log_ewma_45s",
    "log_ewma_5m",
    "log_ewma_30m",
    "log_ewma_6h",
    "log_ewma_1d",
    "log_yesterday",
    "has_yesterday",
    "hour_sin",
    "hour_cos",
    "weekend",
    "log_dispersion",
    "log_quiet_windows",
    "active_share",
    "log_bytes_mean",
    "throttle_ratio",
    "error_ratio",
    "retry_ratio",
    "cpu",
    "memory",
    "log_peak_ratio",
];
