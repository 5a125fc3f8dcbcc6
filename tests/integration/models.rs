//! The model API: a champion is changed, and taken back, without a restart.

use std::fs;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tidegate_planner::{
    Model,
    features::COUNT,
    forecast::{Regression, STEPS, checksum},
};
use tidegate_registry::Registry;

use crate::{
    reports::WINDOW_S,
    service::{Service, problem},
};

/// Installs a model that fits this version.
fn install(service: &Service, id: &str) {
    let step = Regression { intercept: 0.5, coefficients: vec![0.1; COUNT] };
    let model = serde_json::to_vec(&Model::new(id, WINDOW_S as u32, vec![step; STEPS], 0.1)).unwrap();
    let manifest = json!({"id": id, "created_at": "2026-11-21T20:00:00Z", "sha256": checksum(&model), "trainer": "0.1.0",
        "data": {}, "metrics": {"deviance": 1.5}});
    let registry = Registry::new(service.dir.path().join("models"), WINDOW_S as u32);
    registry.install(id, &[("manifest.json", manifest.to_string().as_bytes()), ("model.json", &model)]).unwrap();
}

async fn serving(service: &Service) -> Value {
    let models: Value = service.get("/v1/models").send().await.unwrap().json().await.unwrap();
    models["serving"].clone()
}

#[tokio::test]
async fn a_model_is_promoted_and_rolled_back() {
    let service = Service::start().await;
    for id in ["first", "second"] {
        install(&service, id);
        let promoted = service.post(&format!("/v1/models/{id}/promote")).send().await.unwrap();
        assert_eq!(promoted.status(), StatusCode::OK);
        assert_eq!(promoted.json::<Value>().await.unwrap(), json!({"champion": id}));
        assert_eq!(serving(&service).await, json!(id));
    }
    let back: Value = service.post("/v1/models/rollback").send().await.unwrap().json().await.unwrap();
    assert_eq!((&back["champion"], serving(&service).await), (&json!("first"), json!("first")));
    let models: Value = service.get("/v1/models").send().await.unwrap().json().await.unwrap();
    let champions: Vec<&Value> = models["models"].as_array().unwrap().iter().filter(|m| m["champion"] == json!(true)).collect();
    assert_eq!((champions.len(), &champions[0]["id"]), (1, &json!("first")));
    assert_eq!(champions[0]["manifest"]["metrics"]["deviance"], json!(1.5));
}

#[tokio::test]
async fn a_corrupt_model_is_refused_and_the_champion_stays() {
    let service = Service::start().await;
    install(&service, "good");
    install(&service, "broken");
    assert_eq!(service.post("/v1/models/good/promote").send().await.unwrap().status(), StatusCode::OK);
    let file = service.dir.path().join("models/broken/model.json");
    fs::write(&file, fs::read_to_string(&file).unwrap().replacen("0.1", "0.2", 1)).unwrap();
    let refusal = problem(service.post("/v1/models/broken/promote").send().await.unwrap(), 409, "unfit-model").await;
    assert!(refusal.detail.contains("does not match the manifest"), "{}", refusal.detail);
    assert_eq!(serving(&service).await, json!("good"));
    service.plan_for("fra").await;
}
