//! Packages without the workspace's lints, or without a sign at the door that says what is inside.

use std::path::Path;

use anyhow::Context;

use crate::workspace::Package;

/// What is wrong with a package of this workspace.
///
/// # Errors
/// When its manifest or its first source file cannot be read.
pub fn check(package: &Package, root: &Path) -> anyhow::Result<Vec<String>> {
    let read = |path: &Path| std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let directory = package.manifest_path.parent().unwrap_or(root);
    let doors = ["src/lib.rs", "src/main.rs"].map(|door| directory.join(door));
    let mut found = Vec::from_iter(lints(&package.name, &read(&package.manifest_path)?));
    for door in doors.iter().filter(|door| door.exists()) {
        let shown = door.strip_prefix(root).unwrap_or(door).display().to_string();
        found.extend(sign(&shown, &read(door)?));
    }
    Ok(found)
}

fn lints(name: &str, manifest: &str) -> Option<String> {
    let follows = manifest.contains("[lints]\nworkspace = true");
    (!follows).then(|| format!("{name}: its Cargo.toml does not say `[lints] workspace = true`"))
}

/// The first line of a crate says more than its name.
fn sign(path: &str, source: &str) -> Option<String> {
    let first = source.lines().next().unwrap_or_default();
    let words = first.strip_prefix("//!").map_or(0, |doc| doc.split_whitespace().count());
    (words < 3).then(|| format!("{path}: its first line does not say what the crate is for (`//! ...`)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_without_lints_is_refused() {
        assert!(lints("a", "[package]\nname = \"a\"\n").is_some());
        assert_eq!(lints("a", "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"), None);
    }

    #[test]
    fn a_crate_without_a_sign_is_refused() {
        for source in ["", "fn main() {}", "//! planner\n", "// a comment of many words\n"] {
            assert!(sign("src/main.rs", source).is_some(), "{source:?}");
        }
        assert_eq!(sign("src/main.rs", "//! Serves the leases.\n"), None);
    }
}
