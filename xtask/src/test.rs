//! Runs every test of the workspace, goes on after a failure, and counts.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::build;
use crate::cargo_tool::{self, CargoTool};
use crate::npm;
use crate::step::{cargo, step};
use crate::tally::Tally;
use crate::tools::{self, Variables};
use crate::workspace::Workspace;

/// Packages that are built by themselves: cargo unifies features over what it builds together, and the service would be
/// tested with features that polars turns on and that it does not have when it is shipped.
pub const ALONE: &[&str] = &["tidegate", "tidegate-train"];

/// Packages with models that loom runs: tests of the library, under `--cfg loom`.
const MODELLED: &[&str] = &["tidegate-token-bucket"];

/// Provides what the tests need, runs them all, and prints the sum as the last line.
///
/// # Errors
/// When cargo cannot be started or a tool cannot be had.
pub fn run(workspace: &Workspace) -> anyhow::Result<bool> {
    let mut programs = Variables::new();
    step("tools that tests start", || {
        programs = tools::provide()?;
        Ok(true)
    })?;
    let mut sum = Tally::default();
    for group in groups(workspace) {
        step(&format!("tests of {}", group.join(", ")), || {
            let tally = run_group(&group, &programs)?;
            sum += tally;
            Ok(tally.failed == 0)
        })?;
    }
    for package in MODELLED {
        step(&format!("models of {package}"), || {
            let tally = counted(models(workspace, package))?;
            sum += tally;
            Ok(tally.failed == 0)
        })?;
    }
    let (mut found, missing) = built()?;
    found.push((build::ENGINE_VARIABLE, build::program(workspace, build::ENGINE)));
    step("tests of edge/", || {
        let edge = npm::directory(workspace);
        let is_ready = build::engine()? && npm::install(&edge)?;
        let tally = if is_ready { npm::test(&edge, &found)? } else { Tally { passed: 0, failed: 1 } };
        sum += tally;
        Ok(tally.failed == 0)
    })?;
    for tool in missing {
        println!("{}", tool.absence());
    }
    println!("{}", sum.line());
    Ok(sum.failed == 0)
}

/// The tools that take too long to be built here: each one's variable and path, and those that are missing.
fn built() -> anyhow::Result<(Variables, Vec<&'static CargoTool>)> {
    let (mut found, mut missing) = (Variables::new(), vec![]);
    for tool in cargo_tool::ALL {
        match tool.find()? {
            Some(program) => found.push((tool.variable, program)),
            None => missing.push(tool),
        }
    }
    Ok((found, missing))
}

/// The workspace's packages, in the groups that are built together.
pub fn groups(workspace: &Workspace) -> Vec<Vec<&str>> {
    let together = workspace.member_names().into_iter().filter(|name| !ALONE.contains(name)).collect();
    std::iter::once(together).chain(ALONE.iter().map(|name| vec![*name])).collect()
}

/// Tests of some packages, told where the programs are that they start.
fn run_group(packages: &[&str], programs: &Variables) -> anyhow::Result<Tally> {
    let mut command = cargo();
    command.args(["test", "--locked", "--no-fail-fast"]);
    for package in packages {
        command.args(["--package", package]);
    }
    for (variable, program) in programs {
        command.env(variable, program);
    }
    counted(command)
}

/// The models of `package`. They have a target directory of their own, so that the flag makes nothing else be built anew.
fn models(workspace: &Workspace, package: &str) -> Command {
    let mut command = cargo();
    command.args(["test", "--locked", "--no-fail-fast", "--lib", "--package", package, "--target-dir"]);
    command.arg(workspace.target.join("loom")).env("RUSTFLAGS", "--cfg loom").arg("models");
    command
}

/// Runs `cargo test` and counts. What fails without a failed test, such as a build, counts as one failure.
fn counted(mut command: Command) -> anyhow::Result<Tally> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start cargo test")?;
    let stdout = child.stdout.take().context("cargo test has no output")?;
    let mut tally = Tally::default();
    for line in BufReader::new(stdout).lines() {
        let line = line.context("cannot read the output of cargo test")?;
        println!("{line}");
        tally += Tally::parse(&line).unwrap_or_default();
    }
    let status = child.wait().context("cannot wait for cargo test")?;
    if !status.success() && tally.failed == 0 {
        println!("    cargo test failed before its tests ended: {status}");
        tally.failed = 1;
    }
    Ok(tally)
}
