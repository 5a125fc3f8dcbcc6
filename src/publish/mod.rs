//! Publishing: each plan's rate tables go out to the KV stores that the edge reads.
//!
//! In the order the data goes round:
//! - [`open`]: the stores that the configuration names.
//! - [`publisher`]: one task per store, fed with the newest plan; a store that is down delays no other.
//! - [`change`]: whether a table differs from what a store has, beyond the dead-band.
//! - [`ledger`]: what a store has of each node, and so what is due; [`allowance`] bounds how much of it is written.
//! - [`pack`]: a table as the entries of a store, sharded where its values are small; [`read`] puts it together again.
//! - [`store`]: the seam; [`embedded`], [`redis`], [`nats`], [`cloudflare`], [`fastly`] and [`akamai`] are behind it, the last three
//!   over a fence beside the values ([`fenced`]).
//! - [`breaker`] leaves a store alone that fails again and again; [`bill`] estimates what a store costs.
//!
//! **A table that is not written is safe.** A node goes on with the lease that its store has. The planner counts every lease
//! that it issued as outstanding until the node has acknowledged a newer epoch or the lease has expired, whether or not the
//! table reached the store; so what a skipped, deferred or failed write leaves at a node is still reserved for it, and nothing
//! is handed on before a newer table has been written, read and acknowledged.

pub mod akamai;
pub mod allowance;
pub mod bill;
mod breaker;
mod call_budget;
pub mod change;
pub mod cloudflare;
mod connection;
pub mod edgegrid;
pub mod embedded;
pub mod fastly;
mod feed;
mod fenced;
mod http;
pub mod ledger;
mod meters;
pub mod nats;
mod nats_bucket;
pub mod open;
pub mod pack;
pub mod provider;
pub mod publisher;
pub mod read;
pub mod redis;
pub mod secret;
pub mod store;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod testing;

pub use bill::{Bill, Operations};
pub use edgegrid::{EdgeGrid, EdgeGridError};
pub use embedded::EmbeddedStore;
pub use feed::StoreStatus;
pub use meters::describe as describe_metrics;
pub use nats::{NatsAddress, NatsLogin, NatsStore};
pub use open::{OpenError, highest_epoch, open_stores};
pub use publisher::{PublishSettings, Publisher};
pub use read::{ReadError, read_table};
pub use redis::{RedisAddress, RedisStore};
pub use secret::{Secret, SecretError, SecretSource};
pub use store::{BatchOutcome, Entry, Limits, RateStore, StoreError};
