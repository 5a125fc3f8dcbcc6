//! Tokens: a node keeps to its own series and table, operators to the rest.

use reqwest::StatusCode;
use tidegate::{config::Config, http::auth::token_hash};

use crate::{
    reports::START,
    service::{Service, one, problem, telemetry},
};

fn tokens(config: &mut Config) {
    for (node, token) in [("fra", "fra-token"), ("ams", "ams-token")] {
        config.auth.nodes.insert(node.into(), token_hash(token));
    }
    config.auth.operators.insert("alice".into(), token_hash("alice-token"));
}

#[tokio::test]
async fn telemetry_is_taken_from_the_node_itself_alone() {
    let service = Service::with(tokens).await;
    let send = |token: &str| {
        let request = service.post("/v1/telemetry").header("content-type", "application/json").bearer_auth(token);
        request.body(telemetry("fra", 1, START)).send()
    };
    let nobody = service.send(telemetry("fra", 1, START)).await;
    assert_eq!(nobody.headers()["www-authenticate"], "Bearer");
    problem(nobody, 401, "unauthorized").await;
    problem(send("guess").await.unwrap(), 401, "unauthorized").await;
    let other = problem(send("ams-token").await.unwrap(), 403, "forbidden").await;
    assert!(other.detail.contains("\"ams\"") && !other.detail.contains("ams-token"), "{}", other.detail);
    problem(send("alice-token").await.unwrap(), 403, "forbidden").await;
    assert_eq!(send("fra-token").await.unwrap().status(), StatusCode::ACCEPTED);
    let page = service.get("/metrics").send().await.unwrap().text().await.unwrap();
    for reason in ["forbidden", "unauthorized"] {
        assert!(page.contains(&format!("tidegate_telemetry_refused_total{{problem=\"{reason}\"}}")), "{reason} is not counted");
    }
}

#[tokio::test]
async fn one_foreign_report_spoils_the_body() {
    let service = Service::with(tokens).await;
    let mut body: serde_json::Value = serde_json::from_str(&telemetry("fra", 1, START)).unwrap();
    let foreign: serde_json::Value = serde_json::from_str(&one("ams", 1, START, serde_json::json!([]))).unwrap();
    body["reports"].as_array_mut().unwrap().push(foreign["reports"][0].clone());
    let answer = service.post("/v1/telemetry").bearer_auth("fra-token").json(&body).send().await.unwrap();
    problem(answer, 403, "forbidden").await;
    let answer = service.post("/v1/telemetry").bearer_auth("fra-token").json(&serde_json::json!({"reports": [body["reports"][0]]}));
    let answer: tidegate_wire::Accepted = answer.send().await.unwrap().json().await.unwrap();
    assert_eq!((answer.accepted, answer.duplicates), (1, 0), "nothing of the refused body was taken");
}

#[tokio::test]
async fn a_table_is_read_by_the_node_itself_or_an_operator() {
    let service = Service::with(tokens).await;
    let get = |path: &str, token: &str| service.get(path).bearer_auth(token).send();
    problem(service.get("/v1/rates/fra").send().await.unwrap(), 401, "unauthorized").await;
    problem(get("/v1/rates/fra", "ams-token").await.unwrap(), 403, "forbidden").await;
    problem(get("/v1/rates/fra", "fra-token").await.unwrap(), 404, "unknown-node").await;
    problem(get("/v1/rates/fra", "alice-token").await.unwrap(), 404, "unknown-node").await;
}

#[tokio::test]
async fn the_rest_is_for_operators() {
    let service = Service::with(tokens).await;
    for path in ["/v1/models", "/v1/overview", "/v1/buckets/key:1"] {
        problem(service.get(path).send().await.unwrap(), 401, "unauthorized").await;
        problem(service.get(path).bearer_auth("fra-token").send().await.unwrap(), 403, "forbidden").await;
    }
    for path in ["/v1/models/m/promote", "/v1/models/rollback", "/v1/retrain", "/v1/recommendations"] {
        problem(service.post(path).send().await.unwrap(), 401, "unauthorized").await;
        problem(service.post(path).bearer_auth("fra-token").send().await.unwrap(), 403, "forbidden").await;
    }
    assert_eq!(service.get("/v1/models").bearer_auth("alice-token").send().await.unwrap().status(), StatusCode::OK);
    for path in ["/", "/healthz", "/readyz", "/metrics", "/openapi.json"] {
        assert_eq!(service.get(path).send().await.unwrap().status(), StatusCode::OK, "{path} holds no secret");
    }
}

#[tokio::test]
async fn without_tokens_a_page_from_elsewhere_is_shut_out() {
    let service = Service::start().await;
    let forged = service.post("/v1/models/rollback").header("origin", "https://evil.example").send().await.unwrap();
    problem(forged, 403, "forbidden").await;
    let rebound = service.get("/v1/overview").header("host", "evil.example").send().await.unwrap();
    problem(rebound, 403, "forbidden").await;
}
