//! Rate tables as workers fetch them.

use reqwest::{StatusCode, header::IF_NONE_MATCH};
use tidegate_wire::RateTable;

use crate::{
    reports::{START, WINDOW_S},
    service::{Service, one, telemetry},
};

#[tokio::test]
async fn a_table_is_known_by_the_etag_of_its_epoch() {
    let service = Service::start().await;
    let table = service.plan_for("fra").await;
    assert!(table.epoch > 0 && table.pool.refill_per_s[0] > 0.0, "{table:?}");
    let answer = service.get("/v1/rates/fra").send().await.unwrap();
    let etag = answer.headers()["etag"].clone();
    assert_eq!(etag, format!("\"{}\"", table.epoch));
    assert_eq!(answer.json::<RateTable>().await.unwrap(), table);
    let same = service.get("/v1/rates/fra").header(IF_NONE_MATCH, &etag).send().await.unwrap();
    assert_eq!((same.status(), &same.headers()["etag"]), (StatusCode::NOT_MODIFIED, &etag));
    assert_eq!(same.bytes().await.unwrap().len(), 0);
    let other = service.get("/v1/rates/fra").header(IF_NONE_MATCH, "\"0\"").send().await.unwrap();
    assert_eq!(other.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_long_poll_is_answered_by_the_next_table() {
    let service = Service::start().await;
    let first = service.plan_for("fra").await;
    let waiting = tokio::spawn(service.get("/v1/rates/fra?wait=60").header(IF_NONE_MATCH, format!("\"{}\"", first.epoch)).send());
    let mut start = START;
    // A table within the dead-band of the one before is not issued anew, so demand is made to grow.
    for sequence in 2..20 {
        start = start.plus_secs(WINDOW_S);
        let buckets = serde_json::json!([{"bucket": "key:1", "requests": 300 << sequence.min(6), "throttled": 0}]);
        assert_eq!(service.send(one("fra", sequence, start, buckets)).await.status(), StatusCode::ACCEPTED);
        let epoch = service.overview().await["epoch"].as_u64().unwrap();
        service.close(start);
        service.overview_after(epoch).await;
        if waiting.is_finished() {
            break;
        }
    }
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.json::<RateTable>().await.unwrap().epoch > first.epoch);
}

#[tokio::test]
async fn a_long_poll_that_sees_nothing_new_ends_with_304() {
    let service = Service::with(|c| c.server.long_poll_max_s = 0).await;
    let table = service.plan_for_at_once("fra").await;
    let etag = format!("\"{}\"", table.epoch);
    let answer = service.get("/v1/rates/fra?wait=86400").header(IF_NONE_MATCH, etag).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "the wait is cut to the service's bound");
}

#[tokio::test]
async fn rates_are_there_right_after_a_restart() {
    let service = Service::start().await;
    let before = service.plan_for("fra").await;
    let (dir, ended) = service.ask_to_stop().ended().await;
    ended.unwrap();
    let again = Service::with(|c| c.server.data_dir = dir.path().join("data")).await;
    let after = again.get("/v1/rates/fra").send().await.unwrap().json::<RateTable>().await.unwrap();
    assert_eq!(after, before);
    let repeated: tidegate_wire::Accepted = again.send(telemetry("fra", 1, START)).await.json().await.unwrap();
    assert_eq!(repeated.duplicates, 1, "what was acknowledged is remembered");
}
