//! What an edge node does with its rate table, without a network and without a clock.
//!
//! In the order the data goes round:
//! - `adopt`: which tables a node accepts.
//! - [`ladder`]: which rates a table grants at a time: step by step, then decaying, then safe.
//! - [`EdgeNode::take`]: admits or throttles, by the two-level take of `tidegate-token-bucket`.
//! - `slot`: a bucket at this node, with the counts of its open window.
//! - [`EdgeNode::report`]: the window's counts, as telemetry.
//!
//! Simulated nodes and real proxies run the same code: all times are arguments.

mod adopt;
mod counts;
pub mod ladder;
mod node;
mod slot;

pub use adopt::{Adoption, RefusedTable};
pub use ladder::{Ladder, Stage};
pub use node::{EdgeNode, OTHER, Options, Taken};
pub use slot::BucketHandle;
pub use tidegate_token_bucket::Refusal;
