//! What operators and machines ask: overview, explanations, recommendations, models, metrics, the dashboard.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    reports::{START, WINDOW_S},
    service::{Service, one, problem},
};

#[tokio::test]
async fn the_overview_shows_what_was_reported_and_leased() {
    let service = Service::start().await;
    let before = service.overview().await;
    assert_eq!((&before["epoch"], &before["issued_at"], &before["interval_s"]), (&json!(0), &Value::Null, &json!(30)));
    service.plan_for("fra").await;
    let overview = service.overview_after(0).await;
    let (node, bucket) = (&overview["nodes"][0], &overview["buckets"][0]);
    assert_eq!((&node["node"], &node["reporting"], &node["demand_per_s"]), (&json!("fra"), &json!(true), &json!(10.0)));
    assert_eq!((&node["admitted_per_s"], &node["throttled_per_s"]), (&json!(9.0), &json!(1.0)));
    assert_eq!((&bucket["bucket"], &bucket["demand_per_s"]), (&json!("key:1"), &json!(10.0)));
    assert!(node["pool_refill_per_s"].as_f64().unwrap() > 0.0);
    let origin = &overview["origins"][0];
    assert!(origin["leased_per_s"].as_f64().unwrap() <= origin["sustained_per_s"].as_f64().unwrap());
    let last = overview["history"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["demand_per_s"], &last["at"]), (&json!(10.0), &json!(START.plus_secs(WINDOW_S).to_string())));
}

#[tokio::test]
async fn a_rate_is_explained() {
    let service = Service::start().await;
    service.plan_for("fra").await;
    let all: Value = service.get("/v1/buckets/key:1").send().await.unwrap().json().await.unwrap();
    assert_eq!((&all["bucket"], &all["nodes"][0]["node"], &all["nodes"][0]["policy"]), (&json!("key:1"), &json!("fra"), &json!("default")));
    assert!(all["nodes"][0]["bound_by"].is_string() && all["nodes"][0]["forecast"]["features"].is_object());
    let one: Value = service.get("/v1/buckets/key:1?node=fra").send().await.unwrap().json().await.unwrap();
    assert_eq!(one, all);
    problem(service.get("/v1/buckets/key:1?node=ams").send().await.unwrap(), 404, "unknown-bucket").await;
}

#[tokio::test]
async fn a_recommendation_touches_nothing() {
    let service = Service::start().await;
    let windows: Vec<Value> = (0..10)
        .map(|i| {
            let body = one("new", i, START.plus_secs(i as i64 * WINDOW_S), json!([{"bucket": "b", "requests": 300, "throttled": 0}]));
            serde_json::from_str::<Value>(&body).unwrap()["reports"][0].clone()
        })
        .collect();
    let answer = service.post("/v1/recommendations").json(&json!({"reports": windows})).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let recommended: Value = answer.json().await.unwrap();
    let quantiles: Vec<f64> = recommended["quantiles"].as_array().unwrap().iter().map(|q| q.as_f64().unwrap()).collect();
    assert!(quantiles.is_sorted() && quantiles[0] > 0.0, "{quantiles:?}");
    assert!(recommended["refill_per_s"].as_f64().unwrap() > 0.0);
    problem(service.get("/v1/buckets/b").send().await.unwrap(), 404, "unknown-bucket").await;
}

#[tokio::test]
async fn models_that_are_not_there_are_said_to_be_missing() {
    let service = Service::start().await;
    problem(service.post("/v1/models/nothing/promote").send().await.unwrap(), 404, "unknown-model").await;
    problem(service.post("/v1/models/..%2F..%2Fetc/promote").send().await.unwrap(), 404, "unknown-model").await;
    problem(service.post("/v1/models/rollback").send().await.unwrap(), 409, "no-previous-model").await;
}

#[tokio::test]
async fn retraining_runs_one_at_a_time() {
    let command = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
    let service = Service::with(|c| c.training.command = command(&["sh", "-c", "sleep 1000"])).await;
    let started = service.post("/v1/retrain").send().await.unwrap();
    assert_eq!(started.status(), StatusCode::ACCEPTED);
    problem(service.post("/v1/retrain").send().await.unwrap(), 409, "training-runs").await;
    let models: Value = service.get("/v1/models").send().await.unwrap().json().await.unwrap();
    assert!(models["last_training"]["started_at"].is_string() && models["last_training"]["outcome"].is_null(), "{models}");
    let (_dir, ended) = service.ask_to_stop().ended().await;
    ended.unwrap();
}

#[tokio::test]
async fn a_trainer_that_is_not_installed_hurts_nothing() {
    let service = Service::with(|c| c.training.command = vec!["/nowhere/tidegate-train".into()]).await;
    let refusal = problem(service.post("/v1/retrain").send().await.unwrap(), 503, "no-trainer").await;
    assert!(refusal.detail.contains("/nowhere/tidegate-train") && refusal.detail.contains("training.command"), "{}", refusal.detail);
    service.plan_for("fra").await;
}

#[tokio::test]
async fn metrics_are_told_without_a_label_per_bucket_or_node() {
    let service = Service::start().await;
    service.plan_for("fra-metrics").await;
    service.overview_after(0).await;
    // The store is written after the plan is served.
    let page = loop {
        let page = service.get("/metrics").send().await.unwrap().text().await.unwrap();
        if page.contains("tidegate_publish_seconds_count{store=\"embedded\"}") {
            break page;
        }
        tokio::task::yield_now().await;
    };
    for name in [
        "tidegate_reports_accepted_total",
        "tidegate_report_age_seconds_bucket",
        "tidegate_journal_bytes_total",
        "tidegate_journal_commit_seconds_bucket",
        "tidegate_tick_seconds_bucket",
        "tidegate_ingest_queue_commands",
        "tidegate_epoch",
        "tidegate_plan_tables",
        "tidegate_origin_leased_per_s{origin=\"default\"}",
        "tidegate_origin_sustained_per_s{origin=\"default\"}",
        "tidegate_http_requests_total{route=\"/v1/telemetry\",status=\"202\"}",
    ] {
        assert!(page.contains(name), "{name} is missing");
    }
    assert!(!page.contains("fra-metrics") && !page.contains("key:1"), "a label that grows with traffic");
}

#[tokio::test]
async fn the_dashboard_and_the_contract_are_served() {
    let service = Service::start().await;
    let page = service.get("/").send().await.unwrap();
    assert_eq!(page.headers()["content-security-policy"], "default-src 'self'");
    assert!(page.text().await.unwrap().contains("app.js"));
    let document: Value = service.get("/openapi.json").send().await.unwrap().json().await.unwrap();
    assert_eq!(document, tidegate::http::openapi::document());
}
