//! A lock-free token bucket whose rate can change while it is in use, and the two-level take built on it.
//!
//! - [`TokenBucket`]: one bucket. Its whole balance is one atomic word: the tokens spent since it was made.
//! - [`two_level`]: a node's bucket, from which member buckets take what they are guaranteed or borrow what others leave.
//!
//! Three things underneath: `refill` is the line that refilled tokens follow over time, exact to the nanotoken per second;
//! `line_cell` lets takers read that line while a setter replaces it; `drought` remembers until when there is nothing to take.
//!
//! ```
//! use tidegate_token_bucket::{Member, MemberRates, NodeBucket};
//!
//! // 100 requests per second for everybody, with 50 to lend at once and 20 kept for guarantees.
//! let node = NodeBucket::new(100.0, 50.0, 20.0, true, 0);
//! let guest = MemberRates { ceiling_per_s: 80.0, ceiling_burst: 80.0, ..MemberRates::default() };
//! let owner = Member::new(MemberRates { refill_per_s: 10.0, capacity: 20.0, ..guest }, 0);
//! let (guest, stranger) = (Member::new(guest, 0), Member::new(MemberRates { must_leave: 15.0, ..guest }, 0));
//!
//! let now_ns = 2_000_000_000;
//! assert_eq!(node.take_up_to(&stranger, 70, now_ns).borrowed, 35, "all but what it must leave to others");
//! assert_eq!(node.take_up_to(&guest, 70, now_ns).borrowed, 15, "what is not kept is lent");
//! assert_eq!(node.take_up_to(&owner, 20, now_ns).guaranteed, 20, "what is guaranteed is there all the same");
//! ```
//!
//! Time is a parameter: nanoseconds since any origin. Time that stands still or runs backwards refills nothing and breaks
//! nothing. The crate has no dependencies, allocates nothing and needs no `std`: only atomics of 64 bits.

#![cfg_attr(not(all(loom, test)), no_std)]

mod ask;
mod atomic;
mod bucket;
mod drought;
mod line_cell;
#[cfg(all(loom, test))]
mod models;
mod refill;
pub mod two_level;

pub use bucket::TokenBucket;
pub use two_level::{Member, MemberRates, NodeBucket, Refusal, Split};

/// Its examples are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
