//! The service as its users meet it, one module per behaviour.

mod engine;
mod recovery;
mod reports;
