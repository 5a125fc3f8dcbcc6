//! The npm workspace `edge/`: its packages from the lock file, its types, its tests, its format and lints.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::step::{output, step, succeeds};
use crate::tally::Tally;
use crate::tools::Variables;
use crate::workspace::Workspace;

/// Oldest Node.js that the tests run on: that of `engines` in `edge/package.json`.
const NODE: (u32, u32) = (20, 19);

/// The workspace's folder.
pub fn directory(workspace: &Workspace) -> PathBuf {
    workspace.root.join("edge")
}

/// Installs what the lock file names and nothing else; no package gets to run a script.
///
/// # Errors
/// When Node.js is missing or too old, or npm cannot be started.
pub fn install(edge: &Path) -> anyhow::Result<bool> {
    let version = output(Command::new("node").arg("--version")).context(mend())?;
    anyhow::ensure!(is_new_enough(&version), "node is {}; {}", version.trim(), mend());
    step("npm ci", || succeeds(npm(edge).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])))
}

/// Checks the types, then runs every test with `variables` in its environment. Types that do not fit count as one failed test.
///
/// # Errors
/// When npm cannot be started.
pub fn test(edge: &Path, variables: &Variables) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    if !step("typecheck", || succeeds(npm(edge).args(["run", "typecheck"])))? {
        tally.failed += 1;
    }
    tally += vitest(edge, variables)?;
    Ok(tally)
}

/// Format and lints.
///
/// # Errors
/// When npm cannot be started.
pub fn check(edge: &Path) -> anyhow::Result<bool> {
    succeeds(npm(edge).args(["run", "check"]))
}

/// The comparison of static and adaptive rates, with `programs` in its environment.
///
/// # Errors
/// When npm cannot be started.
pub fn compare(edge: &Path, programs: &[(&str, PathBuf)], options: impl Iterator<Item = String>) -> anyhow::Result<bool> {
    let mut command = npm(edge);
    command.args(["run", "--silent", "compare", "--workspace", "@tidegate/harness", "--"]).args(options);
    // npm runs the script in its package: paths in the options are meant from where this was called.
    let here = std::env::current_dir().context("the current directory cannot be read")?;
    succeeds(command.envs(programs.iter().map(|(name, value)| (name, value))).env("TIDEGATE_CALLED_FROM", here))
}

/// All tests. What fails without a failed test, such as a file that cannot be loaded, counts as one failure.
fn vitest(edge: &Path, variables: &Variables) -> anyhow::Result<Tally> {
    let variables = variables.iter().map(|(name, value)| (name, value));
    let mut child = npm(edge).args(["test"]).envs(variables).stdout(Stdio::piped()).spawn().context("cannot start npm test")?;
    let stdout = child.stdout.take().context("npm test has no output")?;
    let mut tally = Tally::default();
    for line in BufReader::new(stdout).lines() {
        let line = line.context("cannot read the output of npm test")?;
        println!("{line}");
        tally += Tally::parse_vitest(&line).unwrap_or_default();
    }
    let status = child.wait().context("cannot wait for npm test")?;
    if !status.success() && tally.failed == 0 {
        println!("    npm test failed beside its tests: {status}");
        tally.failed = 1;
    }
    Ok(tally)
}

fn npm(edge: &Path) -> Command {
    let mut command = Command::new("npm");
    // Colours would stand in the middle of the counts.
    command.current_dir(edge).env("NO_COLOR", "1").env_remove("FORCE_COLOR");
    command
}

fn mend() -> String {
    format!("the tests of edge/ need Node.js {}.{} or newer with its npm", NODE.0, NODE.1)
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.trim().trim_start_matches('v').split('.').map_while(|part| part.parse().ok());
    matches!((parts.next(), parts.next()), (Some(major), Some(minor)) if (major, minor) >= NODE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_is_refused() {
        for old in ["v18.19.0", "v20.18.3", "", "node", "v20"] {
            assert!(!is_new_enough(old), "{old:?}");
        }
        for new in ["v20.19.0\n", "v20.20.2", "v24.1.0"] {
            assert!(is_new_enough(new), "{new:?}");
        }
    }
}
