//! Bad input: a clear answer each, counted, and nothing lost of what was accepted.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use prost::Message;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tidegate_wire::{Accepted, proto};

use crate::{
    reports::{START, WINDOW_S},
    service::{Service, one, problem, telemetry},
};

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_with_the_place_of_the_fault() {
    let service = Service::start().await;
    let valid = telemetry("fra", 1, START);
    let cases = [
        ("{\"reports\":", 400, "malformed-json", "EOF"),
        ("", 400, "malformed-json", "EOF"),
        ("[1,2]", 422, "invalid-body", "invalid type"),
        ("{}", 422, "invalid-body", "missing field `reports`"),
        (&valid.replace("300", "NaN"), 400, "malformed-json", "reports[0].buckets[0].requests"),
        (&valid.replace("300", "-300"), 422, "invalid-body", "reports[0].buckets[0].requests"),
        (&valid.replace("300", "3.5"), 422, "invalid-body", "reports[0].buckets[0].requests"),
        (&valid.replace("300", "\"300\""), 422, "invalid-body", "reports[0].buckets[0].requests"),
        (&valid.replace("300", "1e400"), 400, "malformed-json", "reports[0].buckets[0].requests"),
        (&valid.replace("2027-01-15T08:00:00Z", "yesterday"), 422, "invalid-body", "reports[0].start"),
        (&valid.replace("{\"reports\"", "{\"version\":2,\"reports\""), 422, "unknown-version", "send version 1"),
    ];
    for (body, status, kind, says) in cases {
        let problem = problem(service.send(body.to_owned()).await, status, kind).await;
        assert!(problem.detail.contains(says), "{body}: {}", problem.detail);
    }
    let answer = service.send(valid).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED, "the service is none the worse");
}

#[tokio::test]
async fn an_impossible_report_is_rejected_by_itself_and_the_others_are_taken() {
    let service = Service::start().await;
    let good: Value = serde_json::from_str(&telemetry("fra", 1, START)).unwrap();
    let changed = |pointer: &str, value: Value| {
        let mut report = good["reports"][0].clone();
        *report.pointer_mut(pointer).unwrap() = value;
        report
    };
    let end = START.plus_secs(WINDOW_S);
    let bad = [
        ("invalid-value", changed("/buckets/0/throttled", json!(301))),
        ("invalid-value", changed("/buckets/0/requests", json!(u64::MAX))),
        ("clock-skew", changed("/start", json!(end.plus_secs(10 * WINDOW_S).to_string()))),
        ("clock-skew", changed("/start", json!(START.plus_secs(-86_400).to_string()))),
        ("invalid-window", changed("/start", json!(START.plus_secs(-7).to_string()))),
        ("invalid-window", changed("/seconds", json!(10))),
        ("invalid-id", changed("/node", json!("a/b"))),
        ("invalid-id", changed("/buckets/0/bucket", json!("Bearer abc"))),
    ];
    let mut reports = vec![good["reports"][0].clone()];
    reports.extend(bad.iter().map(|(_, report)| report.clone()));
    let answer = service.send(json!({"reports": reports}).to_string()).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let answer: Accepted = answer.json().await.unwrap();
    assert_eq!((answer.accepted, answer.rejected.len()), (1, bad.len()));
    for (i, (kind, report)) in bad.iter().enumerate() {
        let rejected = &answer.rejected[i];
        assert_eq!((rejected.index, rejected.problem.kind.as_str()), (i + 1, format!("/problems/{kind}").as_str()), "{report}");
    }
    let page = service.get("/metrics").send().await.unwrap().text().await.unwrap();
    for reason in ["invalid-value", "clock-skew", "invalid-window", "invalid-id"] {
        assert!(page.contains(&format!("tidegate_reports_rejected_total{{problem=\"{reason}\"}}")), "{reason} is not counted");
    }
}

#[tokio::test]
async fn not_a_number_is_no_share_in_protobuf_either() {
    let service = Service::start().await;
    let mut telemetry: tidegate_wire::Telemetry = serde_json::from_str(&telemetry("fra", 1, START)).unwrap();
    let send = |t: &tidegate_wire::Telemetry| {
        let body = proto::Telemetry::from(t).encode_to_vec();
        service.post("/v1/telemetry").header("content-type", proto::CONTENT_TYPE).body(body).send()
    };
    telemetry.reports[0].cpu = Some(f64::NAN);
    let answer: Accepted = send(&telemetry).await.unwrap().json().await.unwrap();
    assert_eq!(answer.rejected[0].problem.kind, "/problems/invalid-value");
    telemetry.reports[0].cpu = Some(0.5);
    let answer: Accepted = send(&telemetry).await.unwrap().json().await.unwrap();
    assert_eq!((answer.accepted, answer.rejected.len()), (1, 0));
    let broken = service.post("/v1/telemetry").header("content-type", proto::CONTENT_TYPE).body(vec![0xFF; 9]).send().await.unwrap();
    problem(broken, 400, "malformed-protobuf").await;
}

#[tokio::test]
async fn a_body_of_100_mb_is_refused_and_costs_nothing() {
    let service = Service::start().await;
    let problem = problem(service.send(vec![b' '; 100 << 20]).await, 413, "body-too-large").await;
    assert!(problem.detail.contains("at most 8388608 bytes"), "{}", problem.detail);
    assert_eq!(service.send(telemetry("fra", 1, START)).await.status(), StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_packed_body_is_taken_but_no_bomb() {
    let service = Service::with(|c| (c.server.body_limit_bytes, c.server.unpacked_limit_bytes) = (64 << 10, 1 << 20)).await;
    let send = |bytes: Vec<u8>, encoding: &str| {
        service.post("/v1/telemetry").header("content-type", "application/json").header("content-encoding", encoding).body(bytes).send()
    };
    let answer = send(gzip(telemetry("fra", 1, START).as_bytes()), "gzip").await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let bomb = problem(send(gzip(&vec![b' '; 8 << 20]), "gzip").await.unwrap(), 413, "body-too-large").await;
    assert!(bomb.detail.contains("once unpacked"), "{}", bomb.detail);
    problem(send(b"not gzip".to_vec(), "gzip").await.unwrap(), 400, "broken-gzip").await;
    problem(send(b"{}".to_vec(), "br").await.unwrap(), 415, "unsupported-media-type").await;
}

#[tokio::test]
async fn another_media_type_is_refused() {
    let service = Service::start().await;
    for content_type in ["text/plain", "application/xml", "application/jsonx"] {
        let answer = service.post("/v1/telemetry").header("content-type", content_type).body("{}").send().await.unwrap();
        problem(answer, 415, "unsupported-media-type").await;
    }
    problem(service.post("/v1/telemetry").body("{}").send().await.unwrap(), 415, "unsupported-media-type").await;
}

#[tokio::test]
async fn a_node_with_endless_buckets_is_bounded() {
    let service = Service::with(|c| {
        c.ingest.buckets_per_report = 2_000;
        c.planner.limits.series_per_node = 50;
    })
    .await;
    let buckets = |n: usize, tag: usize| (0..n).map(|i| json!({"bucket": format!("k{tag}-{i}"), "requests": 1, "throttled": 0})).collect();
    let too_many: Accepted = service.send(one("fra", 1, START, buckets(2_001, 0))).await.json().await.unwrap();
    assert_eq!(too_many.rejected[0].problem.kind, "/problems/too-many-buckets");
    for tag in 0..5 {
        let body = one("fra", 2 + tag as u64, START, buckets(2_000, tag));
        let answer: Accepted = service.send(body).await.json().await.unwrap();
        assert_eq!(answer.accepted, 1, "what is beyond the bound is counted, not refused");
    }
    service.close(START);
    let overview = service.overview_after(0).await;
    assert!(overview["buckets"].as_array().unwrap().len() <= 51, "{}", overview["buckets"].as_array().unwrap().len());
    assert_eq!(overview["nodes"][0]["demand_per_s"], json!(10_000.0 / 30.0), "no request is lost");
}

#[tokio::test]
async fn every_other_error_is_a_problem_too() {
    let service = Service::start().await;
    problem(service.get("/v2/telemetry").send().await.unwrap(), 404, "not-found").await;
    problem(service.get("/app.exe").send().await.unwrap(), 404, "not-found").await;
    let wrong_method = service.get("/v1/telemetry").send().await.unwrap();
    assert_eq!(wrong_method.headers()["allow"], "POST");
    problem(wrong_method, 405, "method-not-allowed").await;
    problem(service.get("/v1/rates/fra?wait=soon").send().await.unwrap(), 400, "bad-request").await;
    problem(service.get("/v1/rates/nobody").send().await.unwrap(), 404, "unknown-node").await;
    problem(service.get("/v1/buckets/nothing").send().await.unwrap(), 404, "unknown-bucket").await;
    let nothing = service.post("/v1/recommendations").json(&json!({"reports": []})).send().await.unwrap();
    problem(nothing, 422, "invalid-windows").await;
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(vec![], Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}
