//! Programs that cargo builds from a pinned release, once per machine, into [`tool_cache`]. They take too long for `cargo xtask test` to
//! build them by itself: tests that need one that is missing are left out, and [`CargoTool::absence`] says so.

use std::path::{Path, PathBuf};

use crate::step::{cargo, succeeds};
use crate::tool_cache;

/// A program of a package that cargo can install.
pub struct CargoTool {
    /// Name of the package and of its program.
    pub name: &'static str,
    /// The release that the tests were written against.
    pub version: &'static str,
    /// Names a program that is to be used instead.
    pub variable: &'static str,
    /// What is left out without it.
    pub needed_by: &'static str,
    /// What building it takes.
    pub cost: &'static str,
}

/// Fastly's local runtime.
pub const VICEROY: CargoTool = CargoTool {
    name: "viceroy",
    version: "0.22.0",
    variable: "VICEROY",
    needed_by: "the tests of edge/harness that run the worker for Fastly on Fastly's local runtime",
    cost: "half an hour of two cores, 2 GB on disk meanwhile, 60 MB after",
};

/// All of them.
pub const ALL: &[CargoTool] = &[VICEROY];

impl CargoTool {
    /// The program, where the variable, the cache or the search path have it.
    ///
    /// # Errors
    /// When the variable names no file, or there is no home to keep a cache in.
    pub fn find(&self) -> anyhow::Result<Option<PathBuf>> {
        let named = std::env::var_os(self.variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
        self.find_in(named, &self.root()?, &directories)
    }

    fn find_in(&self, named: Option<PathBuf>, root: &Path, directories: &[PathBuf]) -> anyhow::Result<Option<PathBuf>> {
        if let Some(named) = named {
            anyhow::ensure!(named.is_file(), "{} is {}, which is no file: unset it or name the program", self.variable, named.display());
            return Ok(Some(named));
        }
        let on_path = directories.iter().map(|directory| directory.join(self.name));
        Ok(std::iter::once(self.program(root)).chain(on_path).find(|program| program.is_file()))
    }

    /// Builds it into the cache unless it is there.
    ///
    /// # Errors
    /// When cargo cannot be started.
    pub fn install(&self) -> anyhow::Result<bool> {
        let root = self.root()?;
        let program = self.program(&root);
        if !program.is_file() {
            println!("    building {} {}: {}", self.name, self.version, self.cost);
            let mut install = cargo();
            install.args(["install", self.name, "--version", self.version, "--locked", "--root"]).arg(&root);
            if !succeeds(&mut install)? {
                return Ok(false);
            }
        }
        println!("    {}", program.display());
        Ok(true)
    }

    /// One line for those who run the tests without it.
    pub fn absence(&self) -> String {
        let Self { name, version, needed_by, cost, .. } = self;
        format!("left out: {needed_by}; `cargo xtask tools {name}` builds {name} {version} ({cost})")
    }

    fn root(&self) -> anyhow::Result<PathBuf> {
        tool_cache::root(self.name, self.version)
    }

    fn program(&self, root: &Path) -> PathBuf {
        root.join("bin").join(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(directory: &Path) -> std::io::Result<PathBuf> {
        std::fs::create_dir_all(directory)?;
        std::fs::write(directory.join(VICEROY.name), "")?;
        Ok(directory.join(VICEROY.name))
    }

    #[test]
    fn what_is_named_goes_before_the_cache_and_the_cache_before_the_search_path() -> anyhow::Result<()> {
        let [root, elsewhere, mine] = [tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?];
        let path = [elsewhere.path().to_owned()];
        let find = |named: Option<PathBuf>| VICEROY.find_in(named, root.path(), &path);
        assert_eq!(find(None)?, None);
        let on_path = place(elsewhere.path())?;
        assert_eq!(find(None)?, Some(on_path));
        let cached = place(&root.path().join("bin"))?;
        assert_eq!(find(None)?, Some(cached));
        let named = place(mine.path())?;
        assert_eq!(find(Some(named.clone()))?, Some(named));
        Ok(())
    }

    #[test]
    fn a_name_without_a_file_is_refused_rather_than_passed_over() {
        let refused = VICEROY.find_in(Some("no/such/program".into()), Path::new(""), &[]);
        assert!(refused.is_err_and(|error| error.to_string().contains("VICEROY is no/such/program")));
    }
}
