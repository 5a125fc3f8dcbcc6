//! What is measured of the service as a whole; a module that measures itself records under its own names. No label grows with
//! traffic: there is none per bucket, node or path.

use std::sync::OnceLock;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tidegate_planner::Plan;

use crate::{publish, registry};

/// Bounds of all histograms of seconds: from a millisecond to a minute.
const SECONDS: [f64; 11] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0];
/// Bounds of the age of a report: a negative one is a clock that is ahead.
const AGE: [f64; 10] = [-10.0, -1.0, 0.0, 1.0, 3.0, 10.0, 30.0, 60.0, 300.0, 900.0];
/// Bounds of batches that became durable together.
const GROUP: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 1024.0];

/// Installs the process's recorder, once, and returns the handle that renders it.
///
/// # Errors
/// [`BuildError`] when the program has installed another recorder before.
pub fn recorder() -> Result<PrometheusHandle, BuildError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full("tidegate_report_age_seconds".into()), &AGE)?
        .set_buckets_for_metric(Matcher::Full("tidegate_ingest_group_batches".into()), &GROUP)?
        .install_recorder()?;
    describe();
    publish::describe_metrics();
    registry::describe_metrics();
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Records the totals of a plan.
pub fn record_plan(plan: &Plan) {
    let s = &plan.summary;
    gauge!("tidegate_epoch").set(plan.epoch as f64);
    gauge!("tidegate_nodes").set(s.nodes as f64);
    gauge!("tidegate_nodes_reporting").set(s.nodes_reporting as f64);
    gauge!("tidegate_series").set(s.series as f64);
    gauge!("tidegate_series_on_naive").set(s.series_on_naive as f64);
    gauge!("tidegate_plan_tables").set(plan.tables.len() as f64);
    gauge!("tidegate_plan_buckets").set(plan.tables.values().map(|t| t.buckets.len()).sum::<usize>() as f64);
    gauge!("tidegate_model_degraded").set(f64::from(u8::from(s.degraded.is_some())));
    for (state, requests) in [("offered", s.demand), ("admitted", s.admitted), ("throttled", s.throttled), ("expected", s.forecast)] {
        gauge!("tidegate_window_requests", "state" => state).set(requests);
    }
    for origin in &s.origins {
        let name = &origin.name;
        gauge!("tidegate_origin_sustained_per_s", "origin" => name.clone()).set(origin.sustained_per_s);
        gauge!("tidegate_origin_leased_per_s", "origin" => name.clone()).set(origin.leased_per_s);
        gauge!("tidegate_origin_burst", "origin" => name.clone()).set(origin.burst);
        gauge!("tidegate_origin_leased_burst", "origin" => name.clone()).set(origin.leased_burst);
        gauge!("tidegate_origin_price", "origin" => name.clone()).set(origin.price);
    }
}

/// Says which model forecasts: 1 for it, 0 for the one before.
pub fn record_model(before: Option<&str>, now: Option<&str>) {
    if let Some(id) = before {
        gauge!("tidegate_model_info", "id" => id.to_owned()).set(0.0);
    }
    if let Some(id) = now {
        gauge!("tidegate_model_info", "id" => id.to_owned()).set(1.0);
    }
}

fn describe() {
    describe_counter!("tidegate_http_requests_total", "Requests answered, by route and status");
    describe_histogram!("tidegate_http_request_seconds", Unit::Seconds, "Time to answer, by route");
    describe_counter!("tidegate_telemetry_refused_total", "Bodies of telemetry refused as a whole, by kind of problem");
    describe_counter!("tidegate_reports_accepted_total", "Reports made durable");
    describe_counter!("tidegate_reports_duplicate_total", "Reports that had come before");
    describe_counter!("tidegate_reports_rejected_total", "Reports refused, by kind of problem");
    describe_histogram!(
        "tidegate_report_age_seconds",
        Unit::Seconds,
        "From the end of a window to the arrival of its report: delay and clock skew"
    );
    describe_counter!("tidegate_buckets_folded_total", "Buckets beyond the bound per node, counted as unlisted traffic");
    describe_counter!("tidegate_ingest_shed_total", "Bodies refused because too many waited for the journal");
    describe_histogram!("tidegate_ingest_group_batches", "Bodies made durable by one fsync");
    describe_gauge!("tidegate_ingest_queue_commands", "Commands that wait for the engine, as of the last group");
    describe_histogram!("tidegate_journal_commit_seconds", Unit::Seconds, "Time to make a group durable: write and fsync");
    describe_counter!("tidegate_journal_bytes_total", Unit::Bytes, "Bytes made durable in the journal");
    describe_histogram!("tidegate_tick_seconds", Unit::Seconds, "Time of a tick: forecast, allocation, plan");
    describe_counter!("tidegate_journal_errors_total", "Writes that the journal could not take");
    describe_counter!("tidegate_snapshot_errors_total", "Snapshots that could not be written");
    describe_gauge!("tidegate_epoch", "Epoch of the newest plan");
    describe_gauge!("tidegate_nodes", "Nodes that are known");
    describe_gauge!("tidegate_nodes_reporting", "Nodes that reported in the last window");
    describe_gauge!("tidegate_series", "Series that are kept");
    describe_gauge!("tidegate_series_on_naive", "Series whose forecast is a naive expert's, because the model loses to it");
    describe_gauge!("tidegate_plan_tables", "Rate tables of the newest plan");
    describe_gauge!("tidegate_plan_buckets", "Buckets listed by all tables of the newest plan");
    describe_gauge!("tidegate_model_degraded", "1 while the model is not used");
    describe_gauge!("tidegate_model_info", "1 for the model that forecasts");
    describe_gauge!("tidegate_window_requests", "Requests of the last window, all nodes; expected: of the next one");
    describe_gauge!("tidegate_origin_sustained_per_s", "Capacity of an origin, requests per second");
    describe_gauge!("tidegate_origin_leased_per_s", "Refill rates leased on an origin, tokens per second");
    describe_gauge!("tidegate_origin_burst", "Burst of an origin, requests");
    describe_gauge!("tidegate_origin_leased_burst", "Bursts leased on an origin, tokens");
    describe_gauge!("tidegate_origin_price", "Probability that one more token at any unclamped node would be used");
    describe_counter!("tidegate_training_runs_total", "Runs of the trainer, by outcome");
    // A counter that has not counted yet is shown all the same, so that an alert on it has something to watch.
    for name in [
        "tidegate_reports_accepted_total",
        "tidegate_reports_duplicate_total",
        "tidegate_ingest_shed_total",
        "tidegate_journal_errors_total",
    ] {
        counter!(name).absolute(0);
    }
}
