//! `tidegate-train`: fits, backtests and promotes the forecast.
fn main() {}
