//! The engine: one thread that owns planner, journal and dedupe index.
//!
//! [`Engine`] is the handle that the rest of the service holds; commands reach the thread over a bounded channel. The thread
//! takes whatever batches wait, appends them all, makes them durable with one `fdatasync`, lets the planner observe them in
//! journal order and then answers them all. A tick is a record of the journal too, so replay interleaves reports and ticks
//! exactly as they were.

mod command;
mod core;
mod error;
mod group;
mod options;
mod thread;
mod worker;

pub use command::Engine;
pub use core::Core;
pub use error::EngineError;
pub use options::Options;
pub use thread::{Running, start};
