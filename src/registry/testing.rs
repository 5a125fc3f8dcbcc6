//! A models directory and an engine that follows it, in a temporary folder.

use std::{fs, path::PathBuf, sync::Arc};

use tidegate_planner::{
    Model, Planner, Settings,
    features::COUNT,
    forecast::{Regression, STEPS, checksum},
};
use tidegate_registry::Registry;
use tidegate_wire::Timestamp;

use super::Follower;
use crate::{
    clock::ManualClock,
    config::Config,
    engine::{self, Engine, Options},
};

/// The text of a model whose coefficients are all the same.
pub(super) fn artefact(id: &str, coefficient: f64) -> String {
    let step = Regression { intercept: 0.5, coefficients: vec![coefficient; COUNT] };
    serde_json::to_string(&Model::new(id, 30, vec![step; STEPS], 0.1)).unwrap()
}

fn manifest(id: &str, model: &str) -> String {
    let sha256 = checksum(model.as_bytes());
    serde_json::json!({"id": id, "created_at": "2026-11-21T20:00:00Z", "sha256": sha256, "trainer": "0.1.0", "data": {}, "metrics": {}})
        .to_string()
}

/// An artefact as `models/` ships it: path and content.
pub(super) fn files_of(id: &str, model: &str) -> [(&'static str, &'static [u8]); 2] {
    let file = |name: &str, text: String| -> (&'static str, &'static [u8]) { (format!("{id}/{name}").leak(), text.leak().as_bytes()) };
    [file("manifest.json", manifest(id, model)), file("model.json", model.to_owned())]
}

/// A models directory, and an engine without a model.
pub(super) struct Site {
    dir: tempfile::TempDir,
    pub(super) registry: Registry,
    pub(super) clock: Arc<ManualClock>,
    engine: Engine,
}

impl Site {
    pub(super) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::new(dir.path().join("models"), 30);
        fs::create_dir(registry.dir()).unwrap();
        let mut config = Config::default();
        config.server.data_dir = dir.path().join("data");
        let engine = engine::start(&Options::new(&config, 0), Planner::new(Settings::default(), None).unwrap()).unwrap().engine;
        Self { dir, registry, clock: Arc::new(ManualClock::new(Timestamp::default())), engine }
    }

    pub(super) fn follower(&self) -> Follower {
        Follower::new(self.registry.clone(), self.engine.clone())
    }

    /// The model that the planner uses.
    pub(super) async fn in_force(&self) -> Option<String> {
        self.engine.query(|planner| planner.model().map(|m| m.id.clone())).await.unwrap()
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join("models").join(file)
    }

    pub(super) fn install(&self, id: &str, model: &str) {
        let sidecar = manifest(id, model);
        self.registry.install(id, &[("manifest.json", sidecar.as_bytes()), ("model.json", model.as_bytes())]).unwrap();
    }

    /// Makes a model the champion as somebody would who edits the files by hand.
    pub(super) fn promote_unchecked(&self, id: &str, model: &str) {
        fs::create_dir_all(self.path(id)).unwrap();
        fs::write(self.path(&format!("{id}/model.json")), model).unwrap();
        fs::write(self.path(&format!("{id}/manifest.json")), manifest(id, model)).unwrap();
        fs::write(self.path("active.json"), format!("{{\"champion\":\"{id}\"}}")).unwrap();
    }
}
