//! The list of artefacts, fit and unfit.

use std::fs;

use serde::Serialize;
use tidegate_planner::forecast::Manifest;

use crate::{Registry, RegistryError, check_id};

/// One artefact of the directory.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// The folder's name.
    pub id: String,
    /// Whether `active.json` names it the champion.
    pub champion: bool,
    /// Why it cannot serve; none when it can.
    pub error: Option<String>,
    /// The manifest, where it can be read: where the model came from and how it did.
    pub manifest: Option<Manifest>,
}

impl Registry {
    /// Lists every artefact, by id, each with the reason why it cannot serve, if any.
    ///
    /// # Errors
    /// [`RegistryError::Io`] when the directory cannot be read; one that does not exist is empty.
    pub fn entries(&self) -> Result<Vec<Entry>, RegistryError> {
        if !self.dir().exists() {
            return Ok(vec![]);
        }
        let champion = self.active().ok().and_then(|a| a.champion);
        let mut entries = vec![];
        for folder in fs::read_dir(self.dir()).map_err(RegistryError::io(self.dir()))? {
            let folder = folder.map_err(RegistryError::io(self.dir()))?;
            let Ok(id) = folder.file_name().into_string() else { continue };
            if check_id(&id).is_ok() && folder.path().is_dir() {
                entries.push(self.entry(id, champion.as_deref()));
            }
        }
        entries.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(entries)
    }

    fn entry(&self, id: String, champion: Option<&str>) -> Entry {
        let champion = champion == Some(id.as_str());
        match self.load(&id) {
            Ok(loaded) => Entry { id, champion, error: None, manifest: Some(loaded.manifest) },
            Err(error) => {
                let manifest = self.read(&id, "manifest.json").ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
                Entry { id, champion, error: Some(error.to_string()), manifest }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Folder;

    #[test]
    fn fit_and_unfit_artefacts_are_listed_with_the_reason() {
        let folder = Folder::with_champion("b-good");
        folder.add("a-bad");
        folder.edit("a-bad/model.json", "0.25", "0.26");
        folder.write("notes.txt", "not an artefact");
        folder.write(".half.tmp/model.json", "still being written");
        let entries = folder.registry().entries().unwrap();
        let seen: Vec<_> = entries.iter().map(|e| (e.id.as_str(), e.champion, e.error.is_some(), e.manifest.is_some())).collect();
        assert_eq!(seen, [("a-bad", false, true, true), ("b-good", true, false, true)]);
        assert_eq!(entries[1].manifest.as_ref().unwrap().metrics["deviance"], 1.5);
    }

    #[test]
    fn a_directory_that_does_not_exist_is_empty() {
        let folder = Folder::empty();
        let nowhere = crate::Registry::new(folder.path("nowhere"), 30);
        assert_eq!(nowhere.entries().unwrap(), []);
    }
}
