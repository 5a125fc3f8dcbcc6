//! Durable reports per second through the whole HTTP stack, beside a bare handler that parses the same body and drops it.
//!
//! Both servers run in this process, clients come over loopback on keep-alive connections, one report of 20 buckets a body.
//! Bodies are made outside the timed part. `cargo bench --bench ingest` prints the table; the more connections, the more
//! reports share one `fdatasync`.

#[path = "../tests/integration/connection.rs"]
mod connection;

use std::{
    fs::File,
    io::Write,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    routing::post,
};
use connection::Connection;
use prost::Message;
use tidegate::{
    app::App,
    clock::{Clock, SystemClock},
    config::{Config, Server},
};
use tidegate_wire::{BucketCounts, Report, Telemetry, Timestamp, proto};
use tokio::net::TcpListener;

const CONNECTIONS: [usize; 4] = [1, 8, 32, 128];
const BODIES_PER_CONNECTION: u64 = 300;
const BUCKETS: usize = 20;
const ROUNDS: u64 = 3;
const JSON: &str = "application/json";

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    println!("4 KiB and fdatasync on this disk, median: {:.2} ms", sync_median(dir.path())?.as_secs_f64() * 1e3);
    let durable = runtime.block_on(serve_durable(dir.path()))?;
    let bare = runtime.block_on(serve_bare())?;
    println!("\n| body | bytes | connections | durable reports/s | bare reports/s | durable / bare |");
    println!("|---|---|---|---|---|---|");
    let mut run = 0;
    for form in [JSON, proto::CONTENT_TYPE] {
        for connections in CONNECTIONS {
            let mut best = [0.0_f64; 2];
            for _ in 0..ROUNDS {
                run += 1;
                let bodies = bodies(form, connections, run)?;
                for (rate, address) in best.iter_mut().zip([durable, bare]) {
                    *rate = rate.max(reports_per_s(address, form, &bodies)?);
                }
            }
            let [durable, bare] = best;
            let bytes = bodies(form, 1, 0)?[0][0].len();
            let name = form.trim_start_matches("application/");
            println!("| {name} | {bytes} | {connections} | {durable:.0} | {bare:.0} | {:.2} |", durable / bare);
        }
    }
    Ok(())
}

/// The service itself, with its journal in `dir`.
async fn serve_durable(dir: &Path) -> anyhow::Result<SocketAddr> {
    let server = Server { data_dir: dir.into(), ..Server::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let app = App::start(Config { server, ..Config::default() }, Arc::new(SystemClock::new()), listener).await?;
    let address = app.address();
    tokio::spawn(app.run(std::future::pending()));
    Ok(address)
}

/// What any service must do at least: read the body and parse it.
async fn serve_bare() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/v1/telemetry", post(parse_and_drop));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

async fn parse_and_drop(headers: HeaderMap, body: Bytes) -> (StatusCode, &'static str) {
    let parsed = match headers.get(header::CONTENT_TYPE).is_some_and(|v| v == JSON) {
        true => serde_json::from_slice::<Telemetry>(&body).is_ok_and(|t| t.reports.len() == 1),
        false => proto::Telemetry::decode(body).is_ok_and(|t| t.reports.len() == 1),
    };
    let status = if parsed { StatusCode::ACCEPTED } else { StatusCode::BAD_REQUEST };
    (status, r#"{"accepted":1,"duplicates":0,"rejected":[]}"#)
}

/// The bodies that each connection of a run sends.
fn bodies(form: &str, connections: usize, run: u64) -> anyhow::Result<Vec<Vec<Vec<u8>>>> {
    let window = SystemClock::new().now().as_secs() / 30 * 30 - 30;
    let body = |connection: usize, sequence: u64| {
        let report = report(connection, run, sequence, Timestamp::from_secs(window));
        let telemetry = Telemetry { version: Some(1), reports: vec![report] };
        if form == JSON { Ok(serde_json::to_vec(&telemetry)?) } else { Ok(proto::Telemetry::from(&telemetry).encode_to_vec()) }
    };
    (0..connections).map(|c| (0..BODIES_PER_CONNECTION).map(|s| body(c, s)).collect()).collect()
}

fn report(connection: usize, run: u64, sequence: u64, start: Timestamp) -> Report {
    let counts = |i: usize| BucketCounts {
        bucket: format!("key:{:04x}", connection * BUCKETS + i),
        requests: 1_200 + sequence,
        throttled: 13,
        retries: 4,
        errors: 2,
        bytes: 482_133,
        peak_per_s: Some(71.0),
    };
    Report {
        node: format!("node-{connection}"),
        instance: Some(format!("run-{run}")),
        sequence,
        epoch: Some(1),
        staleness_ms: None,
        start,
        seconds: 30,
        cpu: Some(0.41),
        memory: Some(0.63),
        buckets: (0..BUCKETS).map(counts).collect(),
    }
}

/// Sends all bodies, a thread for each connection, and returns how many were answered 202 in a second.
fn reports_per_s(address: SocketAddr, form: &str, bodies: &[Vec<Vec<u8>>]) -> anyhow::Result<f64> {
    let ready = Barrier::new(bodies.len() + 1);
    let began = thread::scope(|scope| {
        let senders: Vec<_> = bodies.iter().map(|b| scope.spawn(|| send_all(address, form, b, &ready))).collect();
        ready.wait();
        let began = Instant::now();
        let done: anyhow::Result<Vec<()>> =
            senders.into_iter().map(|s| s.join().unwrap_or_else(|_| anyhow::bail!("a sender panicked"))).collect();
        done.map(|_| began)
    })?;
    let reports: usize = bodies.iter().map(Vec::len).sum();
    Ok(reports as f64 / began.elapsed().as_secs_f64())
}

fn send_all(address: SocketAddr, form: &str, bodies: &[Vec<u8>], ready: &Barrier) -> anyhow::Result<()> {
    let connection = Connection::open(address);
    ready.wait();
    let mut connection = connection.context("cannot connect")?;
    for body in bodies {
        let (status, answer) = connection.send("POST", "/v1/telemetry", form, body)?;
        ensure!(status == 202 && answer.starts_with(br#"{"accepted":1"#), "{status}: {}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

fn sync_median(dir: &Path) -> anyhow::Result<Duration> {
    let mut file = File::create(dir.join("sync"))?;
    let mut times = vec![];
    for _ in 0..200 {
        let began = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}
