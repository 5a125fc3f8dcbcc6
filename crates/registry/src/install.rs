//! Adding an artefact: all of its files at once, or none.

use std::{fs, process};

use crate::{
    Registry, RegistryError, check_id,
    replace::{rename_synced, write_synced},
};

impl Registry {
    /// Adds the artefact `id` with `files` (name and content): they appear together. The same manifest again changes nothing.
    ///
    /// # Errors
    /// [`RegistryError::Exists`] when the id is taken by another artefact, [`RegistryError::Id`] when the id or a file's
    /// name is not one path component, [`RegistryError::Io`] when the disk refuses.
    pub fn install(&self, id: &str, files: &[(&str, &[u8])]) -> Result<(), RegistryError> {
        check_id(id)?;
        let target = self.dir().join(id);
        if target.exists() {
            return self.same_manifest(id, files);
        }
        let partial = self.dir().join(format!(".{id}.{}.tmp", process::id()));
        fs::create_dir_all(&partial).map_err(RegistryError::io(&partial))?;
        for (name, bytes) in files {
            check_id(name)?;
            write_synced(&partial.join(name), bytes)?;
        }
        rename_synced(&partial, &target)
    }

    fn same_manifest(&self, id: &str, files: &[(&str, &[u8])]) -> Result<(), RegistryError> {
        let there = self.read(id, "manifest.json")?;
        let same = files.iter().any(|(name, bytes)| *name == "manifest.json" && *bytes == there);
        if same { Ok(()) } else { Err(RegistryError::Exists { id: id.to_owned() }) }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Folder, manifest, model};

    #[test]
    fn an_installed_artefact_loads_and_is_not_overwritten() {
        let folder = Folder::empty();
        let registry = folder.registry();
        let text = model("m");
        let sidecar = manifest("m", &text);
        let files = [("manifest.json", sidecar.as_bytes()), ("model.json", text.as_bytes())];
        registry.install("m", &files).unwrap();
        registry.install("m", &files).unwrap();
        assert_eq!(registry.load("m").unwrap().model.id, "m");
        let other = [("manifest.json", &b"{}"[..])];
        assert_eq!(registry.install("m", &other).unwrap_err().kind(), "exists");
        assert_eq!(registry.install("n", &[("../x", b"")]).unwrap_err().kind(), "id");
        assert!(!folder.path("n").exists(), "an artefact appears whole or not at all");
    }
}
