//! Options of `stability`.

use clap::Args;
use tidegate_replay::signal::Signal;

use super::ModelChoice;

/// Options of `stability`.
#[derive(Debug, Args)]
pub struct Stability {
    /// Signals.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Signal::ALL, value_name = "A,B")]
    pub signals: Vec<Signal>,
    /// Seconds until a published table is seen by the nodes.
    #[arg(long, value_delimiter = ',', default_value = "0,30,60,120", value_name = "S")]
    pub delay: Vec<u32>,
    /// Sustained capacities of the origin, as multiples of all demand at rest.
    #[arg(long, value_delimiter = ',', default_value = "2,0.8", value_name = "X")]
    pub capacity: Vec<f64>,
    /// The model.
    #[command(flatten)]
    pub model: ModelChoice,
    /// Seed of everything that is random.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
    /// Also print demand, expected demand, leased rate and refused requests per second, window by window.
    #[arg(long)]
    pub course: bool,
}
