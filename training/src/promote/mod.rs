//! From a fit to a champion: the verdict, the artefact, its card.
//!
//! - [`verdict`]: whether a candidate beat the naive forecasts and the champion.
//! - [`artefact`]: model, manifest and checksum.
//! - [`card`]: the same for a person to read.

pub mod artefact;
pub mod card;
pub mod verdict;

pub use artefact::{Artefact, Origin};
pub use verdict::{Verdict, verdict};
