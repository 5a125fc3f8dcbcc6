//! One column of a row group, decoded without arrow.

use std::{fs::File, path::Path};

use parquet::{
    basic::{LogicalType, TimeUnit, Type},
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{ByteArray, DataType},
    errors::ParquetError,
    file::reader::{FileReader, SerializedFileReader},
};

use crate::TraceError;

/// An open parquet file.
pub type Parquet = SerializedFileReader<File>;

/// A column of the file: where it stands and how it is told of in errors.
pub struct Column<'a> {
    path: &'a Path,
    name: &'static str,
    index: usize,
    wanted: &'static str,
}

impl<'a> Column<'a> {
    /// Finds the column `name`; `None` when the file has none.
    pub fn find(file: &Parquet, path: &'a Path, name: &'static str, wanted: &'static str) -> Option<Self> {
        let columns = file.metadata().file_metadata().schema_descr().columns();
        let index = columns.iter().position(|c| c.path().string() == name)?;
        Some(Self { path, name, index, wanted })
    }

    /// Like [`Column::find`], for a column without which nothing works.
    pub fn require(file: &Parquet, path: &'a Path, name: &'static str, wanted: &'static str) -> Result<Self, TraceError> {
        Self::find(file, path, name, wanted).ok_or_else(|| {
            let columns = file.metadata().file_metadata().schema_descr().columns();
            let names: Vec<&str> = columns.iter().map(|c| c.name()).collect();
            TraceError::Column { path: path.into(), column: name, found: format!("is missing among {}", names.join(", ")), wanted }
        })
    }

    /// Integers of row group `group`; null is `None`.
    pub fn integers(&self, file: &Parquet, group: usize) -> Result<Vec<Option<i64>>, TraceError> {
        let rows = self.rows(file, group);
        match self.open(file, group)? {
            ColumnReader::Int32ColumnReader(r) if self.is_unsigned(file) => {
                Ok(self.values(r, rows)?.into_iter().map(|v| v.map(|v| i64::from(v.cast_unsigned()))).collect())
            }
            ColumnReader::Int32ColumnReader(r) => Ok(self.values(r, rows)?.into_iter().map(|v| v.map(i64::from)).collect()),
            ColumnReader::Int64ColumnReader(r) => self.values(r, rows),
            _ => Err(self.wrong_type(file)),
        }
    }

    /// Floats of row group `group`; null is `None`.
    pub fn floats(&self, file: &Parquet, group: usize) -> Result<Vec<Option<f32>>, TraceError> {
        let rows = self.rows(file, group);
        match self.open(file, group)? {
            ColumnReader::FloatColumnReader(r) => self.values(r, rows),
            ColumnReader::DoubleColumnReader(r) => Ok(self.values(r, rows)?.into_iter().map(|v| v.map(|v| v as f32)).collect()),
            _ => Err(self.wrong_type(file)),
        }
    }

    /// Strings of row group `group`; null is `None`.
    pub fn strings(&self, file: &Parquet, group: usize) -> Result<Vec<Option<ByteArray>>, TraceError> {
        match self.open(file, group)? {
            ColumnReader::ByteArrayColumnReader(r) => self.values(r, self.rows(file, group)),
            _ => Err(self.wrong_type(file)),
        }
    }

    /// Units of this timestamp column that make a second.
    pub fn ticks_per_second(&self, file: &Parquet) -> Result<i64, TraceError> {
        let column = file.metadata().file_metadata().schema_descr().column(self.index);
        let Some(LogicalType::Timestamp(timestamp)) = column.logical_type_ref() else {
            return Err(self.wrong_type(file));
        };
        if !timestamp.is_adjusted_to_u_t_c {
            return Err(self.wrong_type(file));
        }
        Ok(match timestamp.unit {
            TimeUnit::MILLIS => 1_000,
            TimeUnit::MICROS => 1_000_000,
            TimeUnit::NANOS => 1_000_000_000,
        })
    }

    /// Whether this is the column `name`.
    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// The error for `row`.
    pub fn refuse(&self, row: usize, reason: impl Into<String>) -> TraceError {
        TraceError::Value { path: self.path.into(), column: self.name, row, reason: reason.into() }
    }

    /// The error for a file in which nothing is requested.
    pub fn no_request(&self) -> TraceError {
        TraceError::Empty { path: self.path.into() }
    }

    fn open(&self, file: &Parquet, group: usize) -> Result<ColumnReader, TraceError> {
        file.get_row_group(group).and_then(|g| g.get_column_reader(self.index)).map_err(|e| self.broken(e))
    }

    fn rows(&self, file: &Parquet, group: usize) -> usize {
        usize::try_from(file.metadata().row_group(group).num_rows()).unwrap_or(0)
    }

    fn values<T: DataType>(&self, mut reader: ColumnReaderImpl<T>, rows: usize) -> Result<Vec<Option<T::T>>, TraceError> {
        let (mut values, mut levels) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        reader.read_records(rows, Some(&mut levels), None, &mut values).map_err(|e| self.broken(e))?;
        // A column that is declared not null has no levels.
        if levels.is_empty() {
            return Ok(values.into_iter().map(Some).collect());
        }
        let mut present = values.into_iter();
        Ok(levels.into_iter().map(|level| if level > 0 { present.next() } else { None }).collect())
    }

    fn is_unsigned(&self, file: &Parquet) -> bool {
        let column = file.metadata().file_metadata().schema_descr().column(self.index);
        matches!(column.logical_type_ref(), Some(LogicalType::Integer(integer)) if !integer.is_signed)
    }

    fn wrong_type(&self, file: &Parquet) -> TraceError {
        let column = file.metadata().file_metadata().schema_descr().column(self.index);
        let physical: Type = column.physical_type();
        let found = match column.logical_type_ref() {
            Some(logical) => format!("is {physical} ({logical:?})"),
            None => format!("is {physical}"),
        };
        TraceError::Column { path: self.path.into(), column: self.name, found, wanted: self.wanted }
    }

    fn broken(&self, source: ParquetError) -> TraceError {
        TraceError::Parquet { path: self.path.into(), source }
    }
}
