//! Everything that is asked beside the tests, each a step of its own; all run, so that one look shows all that is wrong.

use crate::step::{cargo, report, step, succeeds};
use crate::workspace::Workspace;
use crate::{npm, supply, test, tidy, walls};

/// All checks.
///
/// # Errors
/// When a tool cannot be started.
pub fn run(workspace: &Workspace) -> anyhow::Result<bool> {
    let mut well = step("format", || succeeds(cargo().args(["fmt", "--all", "--check"])))?;
    well &= tidy(workspace)?;
    well &= walls(workspace)?;
    well &= supply(workspace)?;
    let edge = npm::directory(workspace);
    well &= step("format and lints of edge/", || Ok(npm::install(&edge)? && npm::check(&edge)?))?;
    for group in test::groups(workspace) {
        well &= step(&format!("clippy on {}", group.join(", ")), || clippy(&group))?;
    }
    Ok(well)
}

/// Rules on files and text.
///
/// # Errors
/// When git cannot list the files or one cannot be read.
pub fn tidy(workspace: &Workspace) -> anyhow::Result<bool> {
    step("tidy", || Ok(report(&tidy::findings(workspace)?)))
}

/// Rules on which package may link which.
///
/// # Errors
/// When cargo cannot show a package's dependencies.
pub fn walls(workspace: &Workspace) -> anyhow::Result<bool> {
    step("walls", || Ok(report(&walls::findings(workspace)?)))
}

/// Rules on licences, sources and banned packages.
///
/// # Errors
/// None of its own.
pub fn supply(workspace: &Workspace) -> anyhow::Result<bool> {
    step("supply", || {
        for note in supply::duplicates(&workspace.packages) {
            println!("    note: {note}");
        }
        Ok(report(&supply::findings(&workspace.packages)))
    })
}

fn clippy(packages: &[&str]) -> anyhow::Result<bool> {
    let mut command = cargo();
    command.args(["clippy", "--locked", "--all-targets"]);
    for package in packages {
        command.args(["--package", package]);
    }
    succeeds(command.args(["--", "--deny", "warnings"]))
}
