//! Tasks of this repository.
//!
//! - [`test`]: every test of the workspace, in groups that keep polars out of the service's build.
//! - [`check`]: what does not run the code: format, [`tidy`], [`walls`], [`supply`], clippy.
//! - [`npm`]: the TypeScript workspace `edge/` as one more group of tests, and its format and lints.
//! - [`tools`]: the programs that tests start, installed when they are missing.
//! - [`workspace`]: what cargo knows about the packages; [`step`]: how a task shows what it does.

mod check;
mod npm;
mod step;
mod supply;
mod tally;
mod test;
mod tidy;
mod tools;
mod walls;
mod workspace;

use std::process::ExitCode;

use workspace::Workspace;

const USAGE: &str = "\
Usage: cargo xtask <task>

  test    run every test of the workspace; the last line says how many passed and failed
  check   format, tidy, walls, licences and clippy: everything that CI asks beside the tests
  tidy    only the rules on files and text
  walls   only the rules on which package may link which
  supply  only the rules on licences, sources and banned packages
";

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    match run(&task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo xtask {task}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the task and says whether all is well.
fn run(task: &str) -> anyhow::Result<bool> {
    if matches!(task, "help" | "--help" | "-h") {
        print!("{USAGE}");
        return Ok(true);
    }
    let workspace = Workspace::load()?;
    match task {
        "test" => test::run(&workspace),
        "check" => check::run(&workspace),
        "tidy" => check::tidy(&workspace),
        "walls" => check::walls(&workspace),
        "supply" => check::supply(&workspace),
        _ => {
            eprint!("{USAGE}");
            anyhow::bail!("no such task")
        }
    }
}
