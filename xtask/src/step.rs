//! How a task shows what it does: a line when a step starts, a line with its time when it ends.

use std::process::Command;
use std::time::Instant;

use anyhow::Context;

/// Runs `work` between its two lines and returns what it returns; `Ok(false)` is a step that found something wrong.
pub fn step(name: &str, work: impl FnOnce() -> anyhow::Result<bool>) -> anyhow::Result<bool> {
    println!("==> {name}");
    let start = Instant::now();
    let well = work().with_context(|| name.to_owned())?;
    let verdict = if well { "ok" } else { "FAILED" };
    println!("    {name}: {verdict} ({:.1} s)", start.elapsed().as_secs_f64());
    Ok(well)
}

/// The cargo that runs this task.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command whose output goes to the terminal; `Ok(false)` when it fails.
///
/// # Errors
/// When it cannot be started.
pub fn succeeds(command: &mut Command) -> anyhow::Result<bool> {
    let status = command.status().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    Ok(status.success())
}

/// Standard output of a command that has to succeed.
///
/// # Errors
/// When it cannot be started, fails, or prints something else than UTF-8.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let done = command.stderr(std::process::Stdio::inherit()).output();
    let done = done.with_context(|| format!("cannot start {:?}", command.get_program()))?;
    anyhow::ensure!(done.status.success(), "{command:?} failed: {}", done.status);
    String::from_utf8(done.stdout).with_context(|| format!("{command:?} did not print UTF-8"))
}

/// Prints each finding on a line of its own; well when there is none.
pub fn report(findings: &[String]) -> bool {
    for finding in findings {
        println!("    {finding}");
    }
    findings.is_empty()
}
