//! Reading: the champion's name, an artefact, and whether either has changed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use tidegate_planner::{Model, forecast::Manifest};

use crate::{Active, RegistryError, check_id};

/// Largest file read from an artefact; a model has a few hundred numbers.
const FILE_MAX: u64 = 16 << 20;

/// A models directory, and the interval that its models must fit.
#[derive(Debug, Clone)]
pub struct Registry {
    dir: PathBuf,
    step_s: u32,
}

/// An artefact that has passed every check.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The model.
    pub model: Model,
    /// What stands beside it; its `sha256` is that of the model's file.
    pub manifest: Manifest,
}

/// What the champion depends on: equal fingerprints mean that reading it again would tell nothing new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    active: Option<Vec<u8>>,
    files: [Option<(u64, SystemTime)>; 2],
}

impl Registry {
    /// The registry of `dir`, which need not exist yet, for windows of `step_s` seconds.
    pub fn new(dir: impl Into<PathBuf>, step_s: u32) -> Self {
        Self { dir: dir.into(), step_s }
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Reads `active.json`.
    ///
    /// # Errors
    /// [`RegistryError::Missing`], [`RegistryError::Corrupt`] or [`RegistryError::Io`].
    pub fn active(&self) -> Result<Active, RegistryError> {
        let path = self.active_path();
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => RegistryError::Missing { path: path.clone() },
            _ => RegistryError::Io { path: path.clone(), source },
        })?;
        serde_json::from_slice(&bytes).map_err(|source| RegistryError::Corrupt { path, source })
    }

    /// Loads the champion.
    ///
    /// # Errors
    /// As [`Registry::active`] and [`Registry::load`]; [`RegistryError::NoChampion`] before the first promotion.
    pub fn champion(&self) -> Result<Loaded, RegistryError> {
        let path = self.active_path();
        let id = self.active()?.champion.ok_or(RegistryError::NoChampion { path })?;
        self.load(&id)
    }

    /// Loads a model and checks its name, checksum, form, features, values and interval.
    ///
    /// # Errors
    /// One [`RegistryError`] per thing that can be wrong.
    pub fn load(&self, id: &str) -> Result<Loaded, RegistryError> {
        check_id(id)?;
        let manifest = self.read(id, "manifest.json")?;
        let model = self.read(id, "model.json")?;
        let (model, manifest) =
            Model::from_artefact(&manifest, &model).map_err(|source| RegistryError::Unfit { id: id.to_owned(), source })?;
        if let Some(found) = [&model.id, &manifest.id].into_iter().find(|found| *found != id) {
            return Err(RegistryError::Misnamed { id: id.to_owned(), found: found.clone() });
        }
        if model.step_s != self.step_s {
            return Err(RegistryError::Interval { id: id.to_owned(), found: model.step_s, expected: self.step_s });
        }
        Ok(Loaded { model, manifest })
    }

    /// Takes the fingerprint of the champion: the content of `active.json`, and length and time of the artefact's files.
    pub fn fingerprint(&self) -> Fingerprint {
        let active = fs::read(self.active_path()).ok();
        let champion = self.active().ok().and_then(|a| a.champion).filter(|id| check_id(id).is_ok());
        let stat = |file: &str| {
            let meta = fs::metadata(self.dir.join(champion.as_ref()?).join(file)).ok()?;
            Some((meta.len(), meta.modified().ok()?))
        };
        Fingerprint { active, files: [stat("manifest.json"), stat("model.json")] }
    }

    pub(crate) fn active_path(&self) -> PathBuf {
        self.dir.join("active.json")
    }

    /// Reads one file of an artefact whose id has been checked.
    pub(crate) fn read(&self, id: &str, file: &str) -> Result<Vec<u8>, RegistryError> {
        let path = self.dir.join(id).join(file);
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => RegistryError::Unknown { id: id.to_owned(), path: path.clone() },
            _ => RegistryError::Io { path: path.clone(), source },
        };
        let bytes = fs::metadata(&path).map_err(refused)?.len();
        if bytes > FILE_MAX {
            return Err(RegistryError::TooLarge { path, bytes, max: FILE_MAX });
        }
        fs::read(&path).map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn a_champion_that_fits_is_loaded() {
        let folder = Folder::with_champion("good");
        let loaded = folder.registry().champion().unwrap();
        assert_eq!(loaded.model.id, "good");
        assert_eq!(loaded.manifest.sha256.len(), 64);
    }

    #[test]
    fn each_unfit_artefact_is_refused_for_its_own_reason() {
        type Damage = fn(&Folder);
        let cases: [(&str, Damage, &str); 10] = [
            ("unknown", |f| f.remove("m/model.json"), "there is no"),
            ("corrupt", |f| f.write("m/manifest.json", "{"), "manifest.json cannot be read"),
            ("corrupt", |f| f.write_signed("m", "{\"id\":"), "model.json cannot be read"),
            ("checksum", |f| f.edit("m/model.json", "0.25", "0.26"), "does not match the manifest"),
            ("corrupt", |f| f.edit_signed("m", "0.25", "NaN"), "model.json cannot be read"),
            ("corrupt", |f| f.edit_signed("m", "0.25", "1e999"), "model.json cannot be read"),
            ("unfit", |f| f.edit_signed("m", "log_level", "log_levels"), "other features"),
            ("unfit", |f| f.edit_signed("m", "\"dispersion\":0.1", "\"dispersion\":-1.0"), "not a finite number"),
            ("unfit", |f| f.edit_signed("m", "\"step_s\":30", "\"step_s\":60"), "windows of 60 s"),
            ("unfit", |f| f.edit_signed("m", "\"id\":\"m\"", "\"id\":\"n\""), "are about n"),
        ];
        for (kind, damage, says) in cases {
            let folder = Folder::with_champion("m");
            damage(&folder);
            let error = folder.registry().champion().unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn each_unusable_active_file_is_refused_for_its_own_reason() {
        let cases = [
            (None, "missing"),
            (Some("{\"champion\":"), "corrupt"),
            (Some("[]"), "corrupt"),
            (Some("{\"champion\":null}"), "missing"),
            (Some("{\"champion\":\"../m\"}"), "id"),
            (Some("{\"champion\":\"other\"}"), "unknown"),
        ];
        for (content, kind) in cases {
            let folder = Folder::with_champion("m");
            match content {
                Some(text) => folder.write("active.json", text),
                None => folder.remove("active.json"),
            }
            assert_eq!(folder.registry().champion().unwrap_err().kind(), kind, "{content:?}");
        }
    }

    #[test]
    fn a_file_larger_than_any_model_is_not_read() {
        let folder = Folder::with_champion("m");
        let file = fs::OpenOptions::new().write(true).open(folder.path("m/model.json")).unwrap();
        file.set_len(FILE_MAX + 1).unwrap();
        assert_eq!(folder.registry().champion().unwrap_err().kind(), "too_large");
    }

    #[test]
    fn the_fingerprint_changes_with_the_champion_and_with_its_files() {
        let folder = Folder::with_champion("m");
        let registry = folder.registry();
        let before = registry.fingerprint();
        assert_eq!(registry.fingerprint(), before);
        folder.edit_signed("m", "0.25", "0.255");
        let edited = registry.fingerprint();
        assert_ne!(edited, before);
        folder.write("active.json", "{\"champion\":null}");
        assert_ne!(registry.fingerprint(), edited);
    }
}
