//! The service's own journal of acknowledged reports.

use std::path::Path;

use polars::prelude::*;
use tidegate_journal::Reader;
use tidegate_wire::Report;

use super::{
    DatasetError, Entry, NodeWindow, Source,
    source::Names,
    windows::{counts, numbers, per_window},
};

/// Rows per frame while the journal is read.
const CHUNK: usize = 1 << 20;
/// Number that stands for "no bucket": the node reported, and nothing was asked of it.
const NO_BUCKET: u32 = u32::MAX;

/// Reads all reports that the journal in `dir` still has into windows of `step_s` seconds. Damaged frames and a torn tail are
/// left out and counted. `progress` is told of each record.
///
/// # Errors
/// [`DatasetError`] when the folder cannot be read or holds no request.
pub fn read_journal(dir: &Path, step_s: u32, progress: &dyn Fn()) -> Result<Source, DatasetError> {
    let fail = |reason: String| DatasetError::Journal { path: dir.into(), reason };
    let mut reader = Reader::open(dir).map_err(|e| fail(e.to_string()))?;
    let mut columns = Columns::new(step_s);
    let mut unreadable = 0;
    for entry in reader.by_ref() {
        match entry {
            Ok(entry) => entry.record.reports().iter().for_each(|r| columns.push(r)),
            Err(_) => unreadable += 1,
        }
        progress();
    }
    let skipped = reader.skipped().frames + unreadable;
    columns.into_source(dir, skipped)
}

/// Reports, flattened to numbers: one row per bucket of a report, and one for the report itself.
struct Columns {
    step_s: u32,
    nodes: Names,
    buckets: Names,
    instances: Names,
    frames: Vec<DataFrame>,
    keys: [Vec<u32>; 3],
    window: Vec<i64>,
    start: Vec<i64>,
    sequence: Vec<u64>,
    sums: [Vec<u64>; 5],
    most: [Vec<Option<f64>>; 3],
    broken: Option<PolarsError>,
}

impl Columns {
    fn new(step_s: u32) -> Self {
        Self {
            step_s,
            nodes: Names::default(),
            buckets: Names::default(),
            instances: Names::default(),
            frames: vec![],
            keys: Default::default(),
            window: vec![],
            start: vec![],
            sequence: vec![],
            sums: Default::default(),
            most: Default::default(),
            broken: None,
        }
    }

    fn push(&mut self, report: &Report) {
        let node = self.nodes.number(&report.node);
        let instance = self.instances.number(report.instance.as_deref().unwrap_or(""));
        self.row(report, [node, instance, NO_BUCKET], [0; 5], [None, report.cpu, report.memory]);
        for b in &report.buckets {
            let bucket = self.buckets.number(&b.bucket);
            let sums = [b.requests, b.throttled.min(b.requests), b.retries.min(b.requests), b.errors.min(b.requests), b.bytes];
            self.row(report, [node, instance, bucket], sums, [b.peak_per_s, None, None]);
        }
        if self.window.len() >= CHUNK {
            self.flush();
        }
    }

    fn row(&mut self, report: &Report, keys: [u32; 3], sums: [u64; 5], most: [Option<f64>; 3]) {
        self.window.push(report.start.as_secs().div_euclid(i64::from(self.step_s)));
        self.start.push(report.start.as_millis());
        self.sequence.push(report.sequence);
        self.keys.iter_mut().zip(keys).for_each(|(column, v)| column.push(v));
        self.sums.iter_mut().zip(sums).for_each(|(column, v)| column.push(v));
        self.most.iter_mut().zip(most).for_each(|(column, v)| column.push(v));
    }

    fn flush(&mut self) {
        let height = self.window.len();
        let mut columns: Vec<Column> = vec![
            Column::new("window".into(), std::mem::take(&mut self.window)),
            Column::new("start".into(), std::mem::take(&mut self.start)),
            Column::new("sequence".into(), std::mem::take(&mut self.sequence)),
        ];
        for (name, values) in ["node", "instance", "bucket"].into_iter().zip(&mut self.keys) {
            columns.push(Column::new(name.into(), std::mem::take(values)));
        }
        for (name, values) in ["requests", "throttled", "retries", "errors", "bytes"].into_iter().zip(&mut self.sums) {
            columns.push(Column::new(name.into(), std::mem::take(values)));
        }
        for (name, values) in ["peak", "cpu", "memory"].into_iter().zip(&mut self.most) {
            columns.push(Column::new(name.into(), std::mem::take(values)));
        }
        match DataFrame::new(height, columns) {
            Ok(frame) => self.frames.push(frame),
            Err(error) => self.broken = Some(error),
        }
    }

    fn into_source(mut self, dir: &Path, skipped: u64) -> Result<Source, DatasetError> {
        self.flush();
        if let Some(error) = self.broken {
            return Err(DatasetError::polars(dir)(error));
        }
        let frame = collect(self.frames).map_err(DatasetError::polars(dir))?;
        let mut source = Source {
            name: "journal".into(),
            step_s: self.step_s,
            nodes: self.nodes.names,
            buckets: self.buckets.names,
            skipped,
            ..Source::default()
        };
        fill(&mut source, &frame).map_err(DatasetError::polars(dir))?;
        if source.requests() == 0 {
            return Err(DatasetError::Empty { path: dir.into() });
        }
        Ok(source)
    }
}

/// Leaves out reports that came twice, and adds up the instances of a node.
fn collect(frames: Vec<DataFrame>) -> PolarsResult<DataFrame> {
    let frames: Vec<LazyFrame> = frames.into_iter().map(IntoLazy::lazy).collect();
    let all = concat(frames, UnionArgs::default())?;
    let report = ["node", "instance", "sequence", "start", "bucket"];
    per_window(all.unique_stable(Some(cols(report)), UniqueKeepStrategy::First), col("peak").sum()).collect()
}

fn fill(source: &mut Source, frame: &DataFrame) -> PolarsResult<()> {
    let window: Vec<i64> = frame.column("window")?.i64()?.iter().flatten().collect();
    let key = |name: &str| -> PolarsResult<Vec<u32>> { Ok(frame.column(name)?.u32()?.iter().flatten().collect()) };
    let (node, bucket) = (key("node")?, key("bucket")?);
    let sums = [
        counts(frame, "requests")?,
        counts(frame, "throttled")?,
        counts(frame, "retries")?,
        counts(frame, "errors")?,
        counts(frame, "bytes")?,
    ];
    let (peak, cpu, memory) = (numbers(frame, "peak")?, numbers(frame, "cpu")?, numbers(frame, "memory")?);
    source.first = window.first().copied().unwrap_or(0);
    source.windows = window.last().map_or(0, |w| (w - source.first + 1) as u32);
    for i in 0..window.len() {
        let at = (window[i] - source.first) as u32;
        let end = source.entries.len();
        if source.reports.last().is_none_or(|r| (r.window, r.node) != (at, node[i])) {
            source.reports.push(NodeWindow { window: at, node: node[i], cpu: None, memory: None, entries: end..end });
        }
        let Some(report) = source.reports.last_mut() else { continue };
        if bucket[i] == NO_BUCKET {
            (report.cpu, report.memory) = (cpu[i], memory[i]);
            continue;
        }
        let [requests, throttled, retries, errors, bytes] = std::array::from_fn(|k| sums[k][i]);
        let peak_per_s = peak[i].unwrap_or(0.0);
        source.entries.push(Entry { bucket: bucket[i], requests, throttled, retries, errors, bytes, peak_per_s });
        report.entries.end = end + 1;
    }
    Ok(())
}
