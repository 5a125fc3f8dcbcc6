//! A durable, append-only journal of telemetry and ticks: what the service has acknowledged and what training learns from.
//!
//! In the order a record goes: [`Record`] is framed with a checksum, [`Journal`] appends the frames to numbered segments
//! and makes a whole group durable with one `fdatasync`, [`Reader`] gives the records back, to the service after a crash and
//! to training whenever it likes. Everything here is plain blocking code without a log, a clock or a thread.
//!
//! A segment is a file `journal-<number>.seg` of frames, one after the other. All but the highest number are sealed: they
//! are never written to again, and only [`Journal::retain`] deletes them.

mod error;
mod frame;
mod journal;
mod reader;
mod record;
mod retention;
mod segment;

pub use error::JournalError;
pub use journal::{Cut, Journal};
pub use reader::{Entry, Reader, Skipped};
pub use record::Record;
pub use retention::Limits;
pub use segment::Position;
