//! A lock-free token bucket whose rate can change while it is in use, and the two-level take built on it.
//!
//! - [`TokenBucket`]: one bucket. Its whole mutable state is one atomic word: the tokens spent since it was made.
//! - [`two_level`]: a node's bucket, from which member buckets take what they are guaranteed or borrow what others leave.
//!
//! Two things underneath: `refill` is the line that refilled tokens follow over time, exact to the nanotoken per second;
//! `line_cell` lets takers read that line while a setter replaces it.
//!
//! Time is a parameter: nanoseconds since any origin. Time that stands still or runs backwards refills nothing and breaks
//! nothing. The crate has no dependencies, allocates nothing and needs no `std`.

#![cfg_attr(not(all(loom, test)), no_std)]

mod atomic;
mod bucket;
mod line_cell;
mod refill;
pub mod two_level;

pub use bucket::TokenBucket;
pub use two_level::{Member, MemberRates, NodeBucket, Refusal, Split};
