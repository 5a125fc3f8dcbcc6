//! From a [`Trace`] to a parquet file of the form that [`Trace::read`] reads.

use std::{fs::File, io::Write, path::Path, sync::Arc};

use parquet::{
    basic::{Compression, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, DataType, FloatType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};

use crate::{Trace, TraceError};

const SCHEMA: &str = "message trace {
    required int64 ts (TIMESTAMP(MILLIS, true));
    required binary node (UTF8);
    required binary bucket (UTF8);
    required int32 requests (INTEGER(32, false));
    optional float bytes_mean;
    required int32 errors (INTEGER(32, false));
}";

impl Trace {
    /// Writes the trace as parquet, compressed with zstd; an existing file is replaced.
    ///
    /// # Errors
    /// [`TraceError`] naming the file.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), TraceError> {
        let path = path.as_ref();
        let file = File::create(path).map_err(|source| TraceError::Io { path: path.into(), source })?;
        self.encode(file).map_err(|source| TraceError::Parquet { path: path.into(), source })
    }

    fn encode(&self, file: File) -> Result<(), ParquetError> {
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let mut file = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
        let mut group = file.next_row_group()?;
        let ts: Vec<i64> = self.seconds.iter().map(|&s| (self.start + i64::from(s)) * 1000).collect();
        put::<Int64Type, _>(&mut group, &ts, None)?;
        put::<ByteArrayType, _>(&mut group, &named(&self.nodes, &self.node_names), None)?;
        put::<ByteArrayType, _>(&mut group, &named(&self.buckets, &self.bucket_names), None)?;
        put::<Int32Type, _>(&mut group, &signed(&self.requests), None)?;
        let known: Vec<f32> = self.bytes_mean.iter().copied().filter(|b| !b.is_nan()).collect();
        let levels: Vec<i16> = self.bytes_mean.iter().map(|b| i16::from(!b.is_nan())).collect();
        put::<FloatType, _>(&mut group, &known, Some(&levels))?;
        put::<Int32Type, _>(&mut group, &signed(&self.errors), None)?;
        group.close()?;
        file.close().map(drop)
    }
}

fn put<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<W>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("more columns than the schema has".into()));
    };
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

fn named(indices: &[u32], names: &[String]) -> Vec<ByteArray> {
    let names: Vec<ByteArray> = names.iter().map(|n| ByteArray::from(n.as_str())).collect();
    indices.iter().map(|&i| names[i as usize].clone()).collect()
}

fn signed(counts: &[u32]) -> Vec<i32> {
    counts.iter().map(|c| c.cast_signed()).collect()
}
