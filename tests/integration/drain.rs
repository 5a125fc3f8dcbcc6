//! Stopping: readiness goes first, waiting requests end, nothing acknowledged is lost.

use reqwest::{StatusCode, header::IF_NONE_MATCH};
use tidegate::app::RunError;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    reports::START,
    service::{Service, problem, telemetry},
};

#[tokio::test]
async fn readiness_goes_first_and_long_polls_end() {
    let service = Service::with(|c| c.server.drain_notice_s = 3_600).await;
    assert_eq!(service.get("/readyz").send().await.unwrap().status(), StatusCode::OK);
    let table = service.plan_for("fra").await;
    let known = format!("\"{}\"", table.epoch);
    let waiting = tokio::spawn(service.get("/v1/rates/fra?wait=60").header(IF_NONE_MATCH, known).send());
    let unknown = tokio::spawn(service.get("/v1/rates/nobody?wait=60").send());
    let stopping = service.ask_to_stop();
    let refusal = stopping.until("/readyz", StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(refusal.headers().contains_key("retry-after"));
    problem(refusal, 503, "draining").await;
    stopping.until("/healthz", StatusCode::OK).await;
    assert_eq!(waiting.await.unwrap().unwrap().status(), StatusCode::NOT_MODIFIED);
    problem(unknown.await.unwrap().unwrap(), 404, "unknown-node").await;
}

#[tokio::test]
async fn a_drain_ends_well_and_leaves_a_snapshot() {
    let service = Service::start().await;
    assert_eq!(service.send(telemetry("fra", 1, START)).await.status(), StatusCode::ACCEPTED);
    let (dir, ended) = service.ask_to_stop().ended().await;
    ended.unwrap();
    let snapshots = std::fs::read_dir(dir.path().join("data/snapshots")).unwrap().count();
    assert!(snapshots > 0);
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_off_after_the_grace() {
    let service = Service::with(|c| c.server.drain_grace_s = 0).await;
    // A worker that promises a body and does not send it.
    let mut worker = TcpStream::connect(service.address()).await.unwrap();
    worker.write_all(b"POST /v1/telemetry HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n").await.unwrap();
    let mut line = [0; 12];
    worker.read_exact(&mut line).await.unwrap();
    assert_eq!(&line, b"HTTP/1.1 100", "the handler is waiting for the body");
    let (dir, ended) = service.ask_to_stop().ended().await;
    assert!(matches!(ended, Err(RunError::Grace { grace_s: 0 })), "{ended:?}");
    assert!(std::fs::read_dir(dir.path().join("data/snapshots")).unwrap().count() > 0, "the state is kept all the same");
}
