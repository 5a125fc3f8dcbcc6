//! The programs of this workspace that other tasks start.

use std::path::PathBuf;

use crate::step::{cargo, step, succeeds};
use crate::workspace::Workspace;

/// The engine's program.
pub const ENGINE: &str = "tidegate";
/// The variable that names it to those who start it.
pub const ENGINE_VARIABLE: &str = "TIDEGATE_BIN";

/// The program that makes timetables of traces.
pub const REPLAY: &str = "tidegate-replay";
/// The variable that names it.
pub const REPLAY_VARIABLE: &str = "TIDEGATE_REPLAY_BIN";

/// Builds the engine by itself: together with other packages it would get features that it is not shipped with.
///
/// # Errors
/// When cargo cannot be started.
pub fn engine() -> anyhow::Result<bool> {
    step("build the engine", || built(ENGINE))
}

/// Builds the program that reads traces.
///
/// # Errors
/// When cargo cannot be started.
pub fn replay() -> anyhow::Result<bool> {
    step("build the reader of traces", || built(REPLAY))
}

fn built(name: &str) -> anyhow::Result<bool> {
    succeeds(cargo().args(["build", "--locked", "--package", name, "--bin", name]))
}

/// Where cargo puts the program `name`.
pub fn program(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.target.join("debug").join(name)
}
