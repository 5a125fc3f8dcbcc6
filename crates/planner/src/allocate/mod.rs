//! Sharing out an origin's capacity: first over nodes, then over a node's buckets.
//!
//! [`ledger`] knows what is still lent, [`supply`] what each node has saved, [`nodes`] shares the sustained capacity at equal
//! risk, [`burst`] the burst by how much a node's demand swings, both evenly where [`doubt()`] says that little is known, [`buckets`]
//! turns a node's rate into guarantees, [`entitled`] says what one bucket may claim at most, [`limit`] splits what a bucket may reach
//! over all nodes.

pub mod buckets;
pub mod burst;
mod doubt;
pub mod entitled;
pub mod ledger;
pub mod limit;
pub mod nodes;
pub mod supply;

pub use buckets::{Candidate, Guarantee};
pub use doubt::doubt;
pub use ledger::{Lease, Ledger};
pub use nodes::{Claim, Share};
pub use supply::Supply;
