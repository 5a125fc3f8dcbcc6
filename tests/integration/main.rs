//! The service as its users meet it, one module per behaviour.

mod engine;
mod full_disk;
mod recovery;
mod reports;
mod tick;
