//! Files that are replaced whole.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use crate::RegistryError;

/// Writes `bytes` to a new file and its length to disk.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), RegistryError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(RegistryError::io(path))
}

/// Renames `from` to `to`, durably.
pub(crate) fn rename_synced(from: &Path, to: &Path) -> Result<(), RegistryError> {
    fs::rename(from, to).map_err(RegistryError::io(to))?;
    let Some(parent) = to.parent() else { return Ok(()) };
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(RegistryError::io(parent))
}
