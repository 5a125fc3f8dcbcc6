//! The service as its users meet it, one module per behaviour.

mod auth;
mod bad_input;
mod connection;
mod drain;
mod engine;
mod full_disk;
mod kill9;
mod operation;
mod rates;
mod recovery;
mod reports;
mod server;
mod service;
mod tick;
