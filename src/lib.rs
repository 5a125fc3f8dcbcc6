//! The tidegate service.

pub mod config;
