//! Attacks laid over real traces: what an attacker gets beyond its fair share, and what everybody else loses.
//!
//! The honest traffic is a trace's; **the attacks are synthetic** ([`overlay`] makes the traffic, [`forge`] the false telemetry).
//! [`run`] sets each attack beside the same case without it, [`report`] writes the table.

pub mod capped;
pub mod forge;
pub mod overlay;
pub mod report;
pub mod run;

pub use overlay::{Attack, Overlaid};
pub use run::{Damage, Terms, run};
