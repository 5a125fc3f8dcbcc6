//! Embeds what `models/` ships into the binary, so that a new installation forecasts from its first tick.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("models");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = vec![];
    collect(&root, &mut files)?;
    files.sort();
    let is_part = |path: &&PathBuf| path.parent() != Some(&root) || path.ends_with("active.json");
    let rows: String = files.iter().filter(is_part).filter_map(|path| row(&root, path)).collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("shipped_models.rs"), format!("&[\n{rows}]\n"))
}

/// Every file below `dir` that is not hidden.
fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        match path.is_dir() {
            _ if hidden => {}
            true => collect(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

/// `(path below models/, content),`
fn row(root: &Path, path: &Path) -> Option<String> {
    let name = path.strip_prefix(root).ok()?.to_str()?.replace('\\', "/");
    Some(format!("    ({name:?}, include_bytes!({path:?})),\n"))
}
