//! Where tools are kept that come from a package registry: outside the checkout, so that every clone finds them, by name and version, so
//! that a new pin is a new folder.

use std::path::PathBuf;

use anyhow::Context;

/// The folder of a tool: `tidegate-tools/NAME-VERSION` under `XDG_CACHE_HOME`, or under `.cache` in the home directory.
///
/// # Errors
/// When neither variable is set.
pub fn root(name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    let cache = cache.context("neither XDG_CACHE_HOME nor HOME is set: one of them has to say where tools are kept")?;
    Ok(cache.join("tidegate-tools").join(format!("{name}-{version}")))
}
