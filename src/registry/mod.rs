//! The models in service: the shipped baseline, and the champion followed without a restart.
//!
//! - [`shipped`]: the artefacts embedded in the binary, installed where there are none yet.
//! - [`follow`]: hands each new champion to the engine; what cannot be used leaves the last good model in force.
//!
//! Files, checks, promotion and rollback are the crate `tidegate-registry`, which the trainer shares.

pub mod follow;
pub mod shipped;
#[cfg(test)]
mod testing;

pub use follow::{Follower, describe as describe_metrics};
pub use shipped::{SeedError, seed};
