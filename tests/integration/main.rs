//! The service as its users meet it, one module per behaviour.

mod auth;
mod bad_input;
mod command_line;
mod connection;
mod dashboard;
mod demo;
mod drain;
mod engine;
mod full_disk;
mod healthcheck;
mod kill9;
mod models;
mod operation;
mod rates;
mod recovery;
mod reports;
mod server;
mod service;
mod tick;
