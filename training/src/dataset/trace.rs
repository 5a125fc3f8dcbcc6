//! Request traces counted per second: parquet with one row per second, node and bucket in which something was requested.

use std::path::Path;

use polars::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{
    DatasetError, Entry, NodeWindow, Source,
    source::Names,
    spread::{Spread, node_of, scatter},
    windows::{counts, numbers, per_window},
};

/// Length of a window in seconds.
pub const STEP_S: u32 = 30;
/// Windows of silence in a busy trace from which nothing was recorded, rather than nothing requested.
const GAP_WINDOWS: u32 = 10;
/// Mean requests per window from which a trace is busy in that sense.
const GAP_BUSY: f64 = 100.0;

/// Reads a trace into windows of [`STEP_S`] seconds; the requests of a trace with one node are spread over `nodes`.
///
/// # Errors
/// [`DatasetError`] when the file is not a trace or holds no request.
pub fn read_trace(path: &Path, nodes: usize) -> Result<Source, DatasetError> {
    let (frame, first_s) = query(path)?;
    let rows = Rows::of(&frame, first_s).map_err(DatasetError::polars(path))?;
    if rows.requests.iter().all(|&r| r == 0) {
        return Err(DatasetError::Empty { path: path.into() });
    }
    let name = path.file_stem().map_or_else(|| "trace".into(), |s| s.to_string_lossy().into_owned());
    Ok(rows.into_source(name, nodes))
}

/// Counts per window, and the first second.
fn query(path: &Path) -> Result<(DataFrame, i64), DatasetError> {
    let fail = |source| DatasetError::Polars { path: path.into(), source };
    let refuse = |reason: String| DatasetError::Trace { path: path.into(), reason };
    let mut scan = PlRefPath::try_from_path(path).and_then(|p| LazyFrame::scan_parquet(p, ScanArgsParquet::default())).map_err(fail)?;
    let schema = scan.collect_schema().map_err(fail)?;
    let per_s = match schema.get("ts") {
        Some(DataType::Datetime(TimeUnit::Milliseconds, _)) => 1_000,
        Some(DataType::Datetime(TimeUnit::Microseconds, _)) => 1_000_000,
        Some(DataType::Datetime(TimeUnit::Nanoseconds, _)) => 1_000_000_000,
        Some(other) => return Err(refuse(format!("ts is {other}, not a time"))),
        None => return Err(refuse("there is no column ts".into())),
    };
    if let Some(missing) = ["bucket", "requests"].into_iter().find(|c| schema.get(c).is_none()) {
        return Err(refuse(format!("there is no column {missing}")));
    }
    let or = |name: &str, otherwise: Expr| if schema.get(name).is_some() { col(name) } else { otherwise };
    let second = col("ts").cast(DataType::Int64).floor_div(lit(per_s));
    let requests = col("requests").cast(DataType::UInt64);
    let rows = scan.select([
        ((second.clone() - second.min()).floor_div(lit(i64::from(STEP_S)))).alias("window"),
        (col("ts").cast(DataType::Int64).min().floor_div(lit(per_s))).alias("first_s"),
        or("node", lit("all")).cast(DataType::String).alias("node"),
        col("bucket").cast(DataType::String),
        requests.clone().alias("requests"),
        lit(0_u64).alias("throttled"),
        lit(0_u64).alias("retries"),
        or("errors", lit(0_u64)).cast(DataType::UInt64).fill_null(lit(0_u64)).alias("errors"),
        (or("bytes_mean", lit(0.0_f32)).cast(DataType::Float64).fill_nan(lit(0.0)).fill_null(lit(0.0))
            * requests.clone().cast(DataType::Float64))
        .round(0, RoundMode::HalfAwayFromZero)
        .cast(DataType::UInt64)
        .alias("bytes"),
        requests.cast(DataType::Float64).alias("peak"),
        lit(NULL).cast(DataType::Float64).alias("cpu"),
        lit(NULL).cast(DataType::Float64).alias("memory"),
    ]);
    let first = rows.clone().select([col("first_s").min()]);
    let frame = per_window(rows, col("peak").max()).collect().map_err(fail)?;
    let first = first.collect().and_then(|f| f.column("first_s")?.i64().map(|c| c.get(0))).map_err(fail)?;
    let Some(first) = first else { return Err(DatasetError::Empty { path: path.into() }) };
    Ok((frame, first))
}

/// One row per window, node and bucket, as columns.
struct Rows {
    first_s: i64,
    window: Vec<u64>,
    node: Vec<u32>,
    bucket: Vec<u32>,
    requests: Vec<u64>,
    errors: Vec<u64>,
    bytes: Vec<u64>,
    peak: Vec<Option<f64>>,
    nodes: Vec<String>,
    buckets: Vec<String>,
}

impl Rows {
    fn of(frame: &DataFrame, first_s: i64) -> PolarsResult<Self> {
        let (node, nodes) = numbered(frame, "node")?;
        let (bucket, buckets) = numbered(frame, "bucket")?;
        Ok(Self {
            first_s,
            window: counts(frame, "window")?,
            node,
            bucket,
            requests: counts(frame, "requests")?,
            errors: counts(frame, "errors")?,
            bytes: counts(frame, "bytes")?,
            peak: numbers(frame, "peak")?,
            nodes,
            buckets,
        })
    }

    fn into_source(self, name: String, nodes: usize) -> Source {
        let spread = Spread::of(self.nodes.len(), self.buckets.len(), nodes);
        let windows = self.window.last().map_or(0, |&w| w as u32 + 1);
        let node_count = if spread == Spread::Own { self.nodes.len() } else { nodes };
        let mut source = Source {
            name,
            step_s: STEP_S,
            first: self.first_s.div_euclid(i64::from(STEP_S)),
            windows,
            nodes: (0..node_count).map(|n| format!("n{n}")).collect(),
            ..Source::default()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut placed: Vec<(u32, u32, Entry)> = Vec::with_capacity(self.window.len());
        for i in 0..self.window.len() {
            for (node, entry) in self.place(i, spread, &mut rng) {
                placed.push((self.window[i] as u32, node, entry));
            }
        }
        placed.sort_by_key(|(window, node, e)| (*window, *node, e.bucket));
        let silent = self.gaps(windows);
        source.buckets = self.buckets;
        fill(&mut source, &placed, &silent);
        source
    }

    /// Row `i` at the nodes that its requests reach.
    fn place(&self, i: usize, spread: Spread, rng: &mut ChaCha8Rng) -> Vec<(u32, Entry)> {
        let whole = Entry {
            bucket: self.bucket[i],
            requests: self.requests[i],
            errors: self.errors[i].min(self.requests[i]),
            bytes: self.bytes[i],
            peak_per_s: self.peak[i].unwrap_or(0.0),
            ..Entry::default()
        };
        match spread {
            Spread::Own => vec![(self.node[i], whole)],
            Spread::Hash(nodes) => vec![(node_of(&self.buckets[whole.bucket as usize], nodes), whole)],
            Spread::Scatter(nodes) => {
                let parts = scatter(whole.requests, nodes, rng);
                let share = |part: u64, of: u64| (of as f64 * part as f64 / whole.requests.max(1) as f64).round() as u64;
                let part = |requests: u64| Entry {
                    requests,
                    errors: share(requests, whole.errors).min(requests),
                    bytes: share(requests, whole.bytes),
                    peak_per_s: (whole.peak_per_s / nodes as f64).max(1.0),
                    ..whole
                };
                parts.into_iter().enumerate().filter(|(_, r)| *r > 0).map(|(n, r)| (n as u32, part(r))).collect()
            }
        }
    }

    /// Which windows lie in a stretch where nothing was recorded.
    fn gaps(&self, windows: u32) -> Vec<bool> {
        let mut silent = vec![false; windows as usize];
        let total: u64 = self.requests.iter().sum();
        if (total as f64) < GAP_BUSY * f64::from(windows) {
            return silent;
        }
        for pair in self.window.windows(2) {
            if pair[1] - pair[0] > u64::from(GAP_WINDOWS) {
                silent[pair[0] as usize + 1..pair[1] as usize].fill(true);
            }
        }
        silent
    }
}

/// Gives every node a report of every window in which something was recorded.
fn fill(source: &mut Source, placed: &[(u32, u32, Entry)], silent: &[bool]) {
    let mut next = 0;
    for window in (0..source.windows).filter(|&w| !silent[w as usize]) {
        for node in 0..source.nodes.len() as u32 {
            let here = placed[next..].iter().take_while(|(w, n, _)| (*w, *n) == (window, node));
            let start = source.entries.len();
            source.entries.extend(here.map(|(_, _, e)| *e));
            next += source.entries.len() - start;
            source.reports.push(NodeWindow { window, node, cpu: None, memory: None, entries: start..source.entries.len() });
        }
    }
}

/// A column of names as numbers, and the names.
fn numbered(frame: &DataFrame, name: &str) -> PolarsResult<(Vec<u32>, Vec<String>)> {
    let mut names = Names::default();
    let numbers = frame.column(name)?.str()?.iter().map(|v| names.number(v.unwrap_or("-"))).collect();
    Ok((numbers, names.names))
}
