//! Structured logs.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, filter::ParseError, fmt, prelude::*};

use crate::config::{Log, LogFormat};

/// Sends the process's logs to standard error in the form that `settings` name. Later calls change nothing.
///
/// # Errors
/// `log.filter` cannot be read.
pub fn start(settings: &Log) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(&settings.filter)?;
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let registry = tracing_subscriber::registry().with(filter);
    // A second subscriber is refused: a program that embeds the service keeps its own.
    let _ = match settings.format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json()).try_init(),
    };
    Ok(())
}
