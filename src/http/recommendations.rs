//! `POST /v1/recommendations`: the rate that a series would get, without touching state.

use std::sync::Arc;

use axum::{Json, body::Body, extract::State, http::HeaderMap};
use tidegate_planner::Recommendation;
use tidegate_wire::{Problem, Report, Telemetry};

use super::{Api, auth::Caller, body, json, refusal::Refusal};

/// Most windows that are looked at: a day of 30 s ones.
const WINDOWS_MAX: usize = 2880;

/// Recommend a rate for a series
#[utoipa::path(
    post,
    path = "/v1/recommendations",
    operation_id = "recommend_rate",
    tag = "operation",
    request_body(content = Telemetry, description = "Recent windows of one bucket at one node, oldest first: one report each"),
    responses(
        (status = 200, description = "Rate, forecast and features; nothing is kept", body = Recommendation),
        (status = 400, description = "The body cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token that is known", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator's token", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too many bytes or windows", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not the windows of one series", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn recommend(
    State(api): State<Arc<Api>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Recommendation>, Refusal> {
    caller.may_operate()?;
    json::expect(&headers)?;
    let body = body::read(&headers, body, api.body_bounds).await?;
    let windows = json::parse::<Telemetry>(&body)?.reports;
    check(&windows, api.rules.interval_s).map_err(|reason| Refusal::invalid("invalid-windows", reason))?;
    let recommendation = api.engine.query(move |planner| planner.recommend(&windows)).await?;
    recommendation.map(Json).ok_or_else(|| Refusal::invalid("invalid-windows", "nothing can be said from these windows"))
}

/// Checks that `windows` are those of one series, oldest first.
fn check(windows: &[Report], interval_s: u32) -> Result<(), String> {
    let Some(first) = windows.first() else { return Err("reports: at least one window is needed".into()) };
    if windows.len() > WINDOWS_MAX {
        return Err(format!("reports: {} windows; at most {WINDOWS_MAX} are looked at", windows.len()));
    }
    let Some(bucket) = first.buckets.first().map(|b| &b.bucket) else { return Err("reports[0].buckets: one bucket is needed".into()) };
    for (i, window) in windows.iter().enumerate() {
        let [counts] = &window.buckets[..] else { return Err(format!("reports[{i}].buckets: exactly one bucket is needed")) };
        if window.node != first.node || counts.bucket != *bucket {
            return Err(format!("reports[{i}]: all windows are of one bucket at one node"));
        }
        if window.seconds != interval_s || window.start.as_millis().rem_euclid(i64::from(interval_s) * 1000) != 0 {
            return Err(format!("reports[{i}]: a window here is {interval_s} s long and starts at a multiple of that"));
        }
        if i > 0 && window.start <= windows[i - 1].start {
            return Err(format!("reports[{i}].start: windows go from oldest to newest"));
        }
        if counts.throttled > counts.requests {
            return Err(format!("reports[{i}].buckets[0].throttled: is more than requests, which counts the throttled ones too"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tidegate_wire::{BucketCounts, Timestamp};

    use super::*;

    fn windows() -> Vec<Report> {
        let counts = BucketCounts { bucket: "b".into(), requests: 5, ..Default::default() };
        let window = |i: u32| Report {
            node: "a".into(),
            instance: None,
            sequence: i.into(),
            epoch: None,
            staleness_ms: None,
            start: Timestamp::from_secs(30 * i64::from(i)),
            seconds: 30,
            cpu: None,
            memory: None,
            buckets: vec![counts.clone()],
        };
        (1..4).map(window).collect()
    }

    #[test]
    fn only_windows_of_one_series_in_order_will_do() {
        assert_eq!(check(&windows(), 30), Ok(()));
        type Change = fn(&mut Vec<Report>);
        let cases: [(Change, &str); 7] = [
            (|w| w.clear(), "at least one"),
            (|w| w[0].buckets.clear(), "reports[0].buckets"),
            (|w| w[2].node = "other".into(), "one bucket at one node"),
            (|w| w[1].seconds = 60, "reports[1]: a window here is 30 s"),
            (|w| w.swap(0, 1), "oldest to newest"),
            (|w| w[2].buckets[0].throttled = 6, "reports[2].buckets[0].throttled"),
            (|w| *w = vec![w[0].clone(); WINDOWS_MAX + 1], "at most"),
        ];
        for (change, says) in cases {
            let mut changed = windows();
            change(&mut changed);
            let reason = check(&changed, 30).unwrap_err();
            assert!(reason.contains(says), "{reason}");
        }
    }
}
