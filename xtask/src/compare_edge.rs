//! Static rates against adaptive ones through the runtimes of the edge platforms: builds what is needed and hands over to `edge/harness`.

use crate::cargo_tool::VICEROY;
use crate::workspace::Workspace;
use crate::{build, npm};

/// Folder of the results below the target directory, unless the options name another one.
const OUT: &str = "compare-edge";

/// Runs the comparison with `options`, which `edge/harness/src/compare/options.ts` reads. Relative paths are those of the caller.
///
/// # Errors
/// When cargo, Node.js or npm cannot be started.
pub fn run(workspace: &Workspace, options: &[String]) -> anyhow::Result<bool> {
    let edge = npm::directory(workspace);
    if !(build::engine()? && build::replay()? && npm::install(&edge)?) {
        return Ok(false);
    }
    let programs = [(build::ENGINE_VARIABLE, build::ENGINE), (build::REPLAY_VARIABLE, build::REPLAY)];
    let mut programs = Vec::from(programs.map(|(variable, name)| (variable, build::program(workspace, name))));
    programs.extend(VICEROY.find()?.map(|program| (VICEROY.variable, program)));
    let out = ["--out".to_owned(), workspace.target.join(OUT).display().to_string()];
    npm::compare(&edge, &programs, out.into_iter().chain(options.iter().cloned()))
}
