//! What each command does with its options.

pub mod abuse;
pub mod arrivals;
pub mod bench;
pub mod cold;
pub mod compare;
pub mod fairness;
pub mod forecast;
pub mod stability;

use std::{
    fmt::Display,
    io::{self, Write, stdout},
    process::ExitCode,
};

use tidegate_replay::Comparison;

/// Says who leased more than the origin has; the exit code is then 1.
fn failed_by(comparisons: &[Comparison]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for Comparison { trace, capacity_x_mean, nodes, staleness, breaches, .. } in comparisons {
        for breach in breaches {
            eprintln!("error: {trace}, capacity {capacity_x_mean}, {nodes} nodes, delay {} s: {breach}", staleness.delay_s);
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// Prints `text` as a line. That nobody reads on is no error: files and the exit code matter still.
fn say(text: impl Display) -> io::Result<()> {
    match writeln!(stdout(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        said => said,
    }
}
