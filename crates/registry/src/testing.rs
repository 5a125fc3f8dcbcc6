//! A models directory in a temporary folder, and ways to damage it.

use std::{fs, path::PathBuf};

use tidegate_planner::{
    Model,
    features::COUNT,
    forecast::{Regression, STEPS, checksum},
};

use crate::Registry;

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn with_champion(id: &str) -> Self {
        let folder = Self::empty();
        folder.add(id);
        folder.write("active.json", &format!("{{\"champion\":\"{id}\"}}"));
        folder
    }

    pub(crate) fn registry(&self) -> Registry {
        Registry::new(self.0.path(), 30)
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs::write(self.path(file), text).unwrap();
    }

    pub(crate) fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).unwrap();
    }

    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        self.write(file, &text.replacen(from, to, 1));
    }

    /// Edits the model and its manifest's checksum.
    pub(crate) fn edit_signed(&self, id: &str, from: &str, to: &str) {
        self.edit(&format!("{id}/model.json"), from, to);
        let text = fs::read_to_string(self.path(&format!("{id}/model.json"))).unwrap();
        self.write_signed(id, &text);
    }

    /// Writes the model's text with a manifest that has its checksum.
    pub(crate) fn write_signed(&self, id: &str, text: &str) {
        self.write(&format!("{id}/model.json"), text);
        self.write(&format!("{id}/manifest.json"), &manifest(id, text));
    }

    pub(crate) fn add(&self, id: &str) {
        self.write_signed(id, &model(id));
    }
}

pub(crate) fn model(id: &str) -> String {
    let step = Regression { intercept: 0.5, coefficients: vec![0.25; COUNT] };
    serde_json::to_string(&Model::new(id, 30, vec![step; STEPS], 0.1)).unwrap()
}

pub(crate) fn manifest(id: &str, model: &str) -> String {
    let sha256 = checksum(model.as_bytes());
    format!(
        "{{\"id\":\"{id}\",\"created_at\":\"2026-11-21T20:00:00Z\",\"sha256\":\"{sha256}\",\"trainer\":\"0.1.0\",\"data\":{{}},\"metrics\":{{\"deviance\":1.5}}}}"
    )
}
