//! Tasks of this repository.
//!
//! - [`test`]: every test of the workspace, in groups that keep polars out of the service's build.
//! - [`check`]: what does not run the code: format, [`tidy`], [`walls`], [`supply`], clippy.
//! - [`compare_edge`]: static rates against adaptive ones through the runtimes of the edge platforms.
//! - [`build`]: the programs of this workspace that other tasks start.
//! - [`npm`]: the TypeScript workspace `edge/` as one more group of tests, and its format and lints.
//! - [`tools`]: the programs that tests start, installed when they are missing: from Debian or a [`wheel`]; [`cargo_tool`]: those that cargo
//!   builds when it is asked to; [`tool_cache`]: where they are kept.
//! - [`workspace`]: what cargo knows about the packages; [`step`]: how a task shows what it does.

mod build;
mod cargo_tool;
mod check;
mod compare_edge;
mod npm;
mod step;
mod supply;
mod tally;
mod test;
mod tidy;
mod tool_cache;
mod tools;
mod walls;
mod wheel;
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
  tools   install the tools that tests start, and print the variables that name them to a plain `cargo test`; followed by `viceroy`,
          build Fastly's local runtime, without which `test` leaves some out
  compare-edge --traces DIR [options]
          compare static rates with adaptive ones on traces, through the runtimes of the edge platforms; wrong options print all of them
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    match run(&task, &arguments.collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo xtask {task}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the task with what follows its name, where it takes something, and says whether all is well.
fn run(task: &str, rest: &[String]) -> anyhow::Result<bool> {
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
        "tools" => tools(rest.first().map(String::as_str)),
        "compare-edge" => compare_edge::run(&workspace, rest),
        _ => {
            eprint!("{USAGE}");
            anyhow::bail!("no such task")
        }
    }
}

/// Installs the tools that every test run needs, or the one that is named.
fn tools(name: Option<&str>) -> anyhow::Result<bool> {
    let Some(name) = name else {
        for (variable, program) in tools::provide()? {
            println!("export {variable}={}", program.display());
        }
        return Ok(true);
    };
    let tool = cargo_tool::ALL.iter().find(|tool| tool.name == name);
    let Some(tool) = tool else {
        let names: Vec<&str> = cargo_tool::ALL.iter().map(|tool| tool.name).collect();
        anyhow::bail!("no tool is called {name}; give none, or one of: {}", names.join(", "))
    };
    step::step(name, || tool.install())
}
