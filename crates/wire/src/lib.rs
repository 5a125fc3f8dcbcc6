//! Types of what crosses the network between tidegate and its edge nodes, and nothing else.
//!
//! In the order the data goes round: [`telemetry`] is what a node reports, [`rates`] is what it is leased in return,
//! [`problem`] is how a refusal is said, [`id`] and [`time`] are the scalar types they share. [`proto`] is the compact
//! form of a telemetry body, field for field the same as the JSON one.

pub mod id;
pub mod problem;
pub mod proto;
pub mod rates;
pub mod telemetry;
pub mod time;

pub use id::{InvalidId, check_bucket, check_node};
pub use problem::Problem;
pub use rates::{BucketRates, Mode, PoolRates, RateShard, RateTable, TABLE_VERSION};
pub use telemetry::{Accepted, BucketCounts, Rejected, Report, Telemetry};
pub use time::Timestamp;
