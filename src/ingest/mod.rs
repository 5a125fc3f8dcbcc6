//! What makes a report acceptable.
//!
//! In the order a report goes: [`check`] looks at its values and its age, in the request's own task; [`fold`] bounds how
//! many buckets a node may bring; [`dedupe`] knows the reports that have come before.

mod checked;
pub mod dedupe;
pub mod fold;
mod validate;

pub use checked::{Checked, Item, Rules, check};
