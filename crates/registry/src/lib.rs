//! The models directory: which artefacts there are, which one is the champion, and how that changes.
//!
//! The service and the trainer are separate processes that edit the same directory, so its rules live here, once:
//!
//! ```text
//! models/
//!   active.json          {"champion": ID, "previous": [ID, ...]}, the most recent previous champion first
//!   .lock                held, by the operating system, while active.json is changed
//!   <id>/manifest.json   where the model came from, how it did, the checksum of model.json
//!   <id>/model.json      the coefficients
//! ```
//!
//! In the order they are needed: [`check_id`] says what an id may be, [`Registry`] reads artefacts and lists them, and its
//! [`Registry::install`], [`Registry::promote`] and [`Registry::rollback`] are the only changes there are. Every file is
//! replaced whole (temporary file, fsync, rename), so a reader sees the old one or the new one.

mod active;
mod error;
mod id;
mod install;
mod list;
mod promote;
mod replace;
mod store;
#[cfg(test)]
mod testing;

pub use active::Active;
pub use error::RegistryError;
pub use id::check_id;
pub use list::Entry;
pub use store::{Fingerprint, Loaded, Registry};
