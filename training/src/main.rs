//! `tidegate-train`: fits, backtests and promotes the forecast.

use std::process::ExitCode;

use clap::Parser;
use tidegate_train::command::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tidegate-train: {}", reasons(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes, each said once: some errors quote their cause themselves.
fn reasons(error: &anyhow::Error) -> String {
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !said.contains(&cause) {
            said.push_str(": ");
            said.push_str(&cause);
        }
    }
    said
}
