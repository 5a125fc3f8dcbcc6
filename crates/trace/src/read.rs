//! From a parquet file to a [`Trace`].

use std::{collections::HashMap, fs::File, path::Path};

use parquet::{data_type::ByteArray, file::reader::FileReader};

use crate::{
    Trace, TraceError,
    column::{Column, Parquet},
};

const INTEGER: &str = "an unsigned integer, for example u32";
const FLOAT: &str = "a float";
const STRING: &str = "a string";
const TIMESTAMP: &str = "a timestamp in UTC";

impl Trace {
    /// Reads a trace file. Rows that are out of order are sorted, rows without requests are dropped.
    ///
    /// # Errors
    /// [`TraceError`] naming the file and the column, or the row, and what would do instead.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TraceError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|source| TraceError::Io { path: path.into(), source })?;
        let file = Parquet::new(file).map_err(|source| TraceError::Parquet { path: path.into(), source })?;
        let columns = Columns::find(&file, path)?;
        let mut rows = Rows::default();
        for group in 0..file.num_row_groups() {
            rows.append(&file, &columns, group)?;
        }
        rows.into_trace(&columns.ts)
    }
}

struct Columns<'a> {
    ts: Column<'a>,
    ticks_per_second: i64,
    node: Option<Column<'a>>,
    bucket: Column<'a>,
    requests: Column<'a>,
    bytes_mean: Option<Column<'a>>,
    errors: Option<Column<'a>>,
}

impl<'a> Columns<'a> {
    fn find(file: &Parquet, path: &'a Path) -> Result<Self, TraceError> {
        let ts = Column::require(file, path, "ts", TIMESTAMP)?;
        Ok(Self {
            ticks_per_second: ts.ticks_per_second(file)?,
            ts,
            node: Column::find(file, path, "node", STRING),
            bucket: Column::require(file, path, "bucket", STRING)?,
            requests: Column::require(file, path, "requests", INTEGER)?,
            bytes_mean: Column::find(file, path, "bytes_mean", FLOAT),
            errors: Column::find(file, path, "errors", INTEGER),
        })
    }
}

/// Names in order of first appearance.
#[derive(Default)]
struct Names {
    list: Vec<String>,
    index: HashMap<String, u32>,
}

impl Names {
    fn intern(&mut self, name: &ByteArray) -> Option<u32> {
        let name = name.as_utf8().ok()?;
        if let Some(&known) = self.index.get(name) {
            return Some(known);
        }
        let new = u32::try_from(self.list.len()).ok()?;
        self.list.push(name.to_owned());
        self.index.insert(name.to_owned(), new);
        Some(new)
    }
}

struct Row {
    second: i64,
    node: u32,
    bucket: u32,
    requests: u32,
    bytes_mean: f32,
    errors: u32,
}

#[derive(Default)]
struct Rows {
    rows: Vec<Row>,
    read: usize,
    nodes: Names,
    buckets: Names,
}

impl Rows {
    fn append(&mut self, file: &Parquet, columns: &Columns, group: usize) -> Result<(), TraceError> {
        let ts = columns.ts.integers(file, group)?;
        let requests = columns.requests.integers(file, group)?;
        let bytes = columns.bytes_mean.as_ref().map(|c| c.floats(file, group)).transpose()?;
        let errors = columns.errors.as_ref().map(|c| c.integers(file, group)).transpose()?;
        let nodes = self.names(columns.node.as_ref(), file, group)?;
        let buckets = self.names(Some(&columns.bucket), file, group)?.unwrap_or_default();
        for i in 0..ts.len() {
            let row = self.read + i;
            let ticks = ts[i].ok_or_else(|| columns.ts.refuse(row, "is null"))?;
            let requests = count(&columns.requests, row, requests[i])?;
            if requests == 0 {
                continue;
            }
            let errors = match (&columns.errors, &errors) {
                (Some(column), Some(errors)) if errors[i].is_some() => count(column, row, errors[i])?,
                _ => 0,
            };
            self.rows.push(Row {
                second: ticks.div_euclid(columns.ticks_per_second),
                node: nodes.as_ref().map_or(0, |n| n[i]),
                bucket: buckets[i],
                requests,
                bytes_mean: bytes.as_ref().and_then(|b| b[i]).unwrap_or(f32::NAN),
                errors: errors.min(requests),
            });
        }
        self.read += ts.len();
        Ok(())
    }

    fn names(&mut self, column: Option<&Column>, file: &Parquet, group: usize) -> Result<Option<Vec<u32>>, TraceError> {
        let Some(column) = column else { return Ok(None) };
        let names = if column.is("node") { &mut self.nodes } else { &mut self.buckets };
        let mut indices = vec![];
        for (i, name) in column.strings(file, group)?.into_iter().enumerate() {
            let index = name.and_then(|n| names.intern(&n));
            indices.push(index.ok_or_else(|| column.refuse(self.read + i, "must be a UTF-8 string and not null"))?);
        }
        Ok(Some(indices))
    }

    fn into_trace(mut self, ts: &Column) -> Result<Trace, TraceError> {
        self.rows.sort_by_key(|r| (r.second, r.node, r.bucket));
        let (Some(first), Some(last)) = (self.rows.first(), self.rows.last()) else { return Err(ts.no_request()) };
        let start = first.second;
        let length = u32::try_from(last.second - start + 1).map_err(|_| ts.refuse(self.read - 1, "lies over a century after the first"))?;
        if self.nodes.list.is_empty() {
            self.nodes.list.push("all".to_owned());
        }
        let mut trace = Trace { start, length, node_names: self.nodes.list, bucket_names: self.buckets.list, ..Trace::default() };
        for row in &self.rows {
            // Fits: it is below `length`.
            trace.seconds.push((row.second - start) as u32);
            trace.nodes.push(row.node);
            trace.buckets.push(row.bucket);
            trace.requests.push(row.requests);
            trace.bytes_mean.push(row.bytes_mean);
            trace.errors.push(row.errors);
        }
        Ok(trace)
    }
}

fn count(column: &Column, row: usize, value: Option<i64>) -> Result<u32, TraceError> {
    let value = value.ok_or_else(|| column.refuse(row, "is null; leave the row out instead"))?;
    u32::try_from(value).map_err(|_| column.refuse(row, format!("{value} is not a count from 0 to {}", u32::MAX)))
}
