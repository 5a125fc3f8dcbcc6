//! Rules on files and text that neither the compiler nor clippy keeps. Each is a function of a path and a text, and has a
//! test in which it goes red.
//!
//! - [`names`]: file names that say nothing.
//! - [`size`]: files that hold more than one idea, or data.
//! - [`words`]: what must not stand in a file: a machine's paths, unfinished work, tests that are switched off.
//! - [`links`]: links of the documentation that lead nowhere, tests that it cites and that are gone.
//! - [`packages`]: packages without the workspace's lints or without a sign at the door.

mod links;
mod names;
mod packages;
mod size;
mod words;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::step::output;
use crate::workspace::Workspace;

/// Every breach of a rule.
///
/// # Errors
/// When git cannot list the files or one cannot be read.
pub fn findings(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let paths = files(&workspace.root)?;
    let mut found = Vec::new();
    for path in &paths {
        let bytes = std::fs::read(workspace.root.join(path)).with_context(|| format!("cannot read {path}"))?;
        found.extend(names::check(path));
        found.extend(size::bytes(path, bytes.len()));
        let Ok(text) = String::from_utf8(bytes) else { continue };
        found.extend(size::lines(path, &text));
        found.extend(words::check(path, &text));
        found.extend(links::check(path, &text, &|target| text_at(&workspace.root.join(target))));
    }
    for member in workspace.members() {
        found.extend(packages::check(member, &workspace.root)?);
    }
    Ok(found)
}

/// What a link can lead to: a text, or something else that has none.
fn text_at(path: &Path) -> Option<String> {
    path.exists().then(|| std::fs::read_to_string(path).unwrap_or_default())
}

/// The files that git tracks or would track, by their paths from the root.
fn files(root: &Path) -> anyhow::Result<BTreeSet<String>> {
    let args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let list = output(Command::new("git").args(args).current_dir(root))?;
    Ok(list.split('\0').filter(|p| !p.is_empty() && root.join(p).is_file()).map(str::to_owned).collect())
}
