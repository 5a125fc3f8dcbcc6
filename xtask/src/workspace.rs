//! What cargo knows about this workspace.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context;
use serde::Deserialize;

use crate::step;

/// One package of the dependency graph.
#[derive(Debug, Clone, Deserialize)]
pub struct Package {
    /// Its name on the registry.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, an SPDX expression.
    pub license: Option<String>,
    /// Where cargo takes it from; none for a package of this workspace.
    pub source: Option<String>,
    /// Its `Cargo.toml`.
    pub manifest_path: PathBuf,
    id: String,
}

/// The workspace and every package that its lock file names.
#[derive(Debug, Deserialize)]
pub struct Workspace {
    /// The directory that holds the root `Cargo.toml`.
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
    /// The directory that cargo builds into.
    #[serde(rename = "target_directory")]
    pub target: PathBuf,
    /// Every package, for all platforms.
    pub packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
}

impl Workspace {
    /// Asks cargo, which downloads what the lock file names and is not here yet.
    ///
    /// # Errors
    /// When cargo fails, for example because the lock file does not fit the manifests.
    pub fn load() -> anyhow::Result<Self> {
        let text = step::output(step::cargo().args(["metadata", "--locked", "--format-version", "1"]))?;
        serde_json::from_str(&text).context("cannot read what `cargo metadata` printed")
    }

    /// The packages of this workspace.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|p| self.workspace_members.contains(&p.id))
    }

    /// The names of the packages of this workspace.
    pub fn member_names(&self) -> BTreeSet<&str> {
        self.members().map(|p| p.name.as_str()).collect()
    }
}
