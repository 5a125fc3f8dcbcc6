//! Arrays as numpy reads them.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::Context;

/// Writes `values` as an array of rows of `width` single-precision numbers; of one dimension when `width` is 1.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, values: &[f32], width: usize) -> anyhow::Result<()> {
    let rows = values.len() / width;
    let shape = if width == 1 { format!("({rows},)") } else { format!("({rows}, {width})") };
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    // The header ends with a newline, and the data start at a multiple of 64 bytes.
    while !(10 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let write = || {
        let mut out = BufWriter::new(File::create(path)?);
        out.write_all(b"\x93NUMPY\x01\x00")?;
        out.write_all(&(header.len() as u16).to_le_bytes())?;
        out.write_all(header.as_bytes())?;
        values.iter().try_for_each(|v| out.write_all(&v.to_le_bytes()))?;
        out.flush()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
