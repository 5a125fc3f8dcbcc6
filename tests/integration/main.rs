//! The service as its users meet it, one module per behaviour.

mod connection;
mod engine;
mod full_disk;
mod kill9;
mod recovery;
mod reports;
mod server;
mod tick;
