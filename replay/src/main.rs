//! `tidegate-replay`: compares schemes on request traces, on simulated time.

mod args;
mod command;
mod model;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Command;

fn main() -> ExitCode {
    let ran = match args::Cli::parse().command {
        Command::Compare(asked) => command::compare::run(&asked),
        Command::Cold(asked) => command::cold::run(&asked),
        Command::Bench(asked) => command::bench::run(&asked),
        Command::Forecast(asked) => command::forecast::run(&asked),
        Command::Abuse(asked) => command::abuse::run(&asked),
        Command::Arrivals(asked) => command::arrivals::run(&asked),
        Command::Fairness(asked) => command::fairness::run(&asked),
        Command::Stability(asked) => command::stability::run(&asked),
    };
    match ran {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
