//! Where the rows of a regression come from, a block at a time, so that memory does not grow with their number.

use linfa::dataset::{AsSingleTargets, DatasetBase};
use ndarray::{Array1, Array2, ArrayBase, ArrayView2, Axis, Data, Ix2, Slice};

/// Rows that fit into the processor's cache together with the Gram matrix they are added to.
pub const BLOCK_ROWS: usize = 512;

/// A block of rows. Only the first [`Block::len`] rows hold anything.
#[derive(Debug, Clone)]
pub struct Block {
    /// Features, [`BLOCK_ROWS`] x columns.
    pub x: Array2<f64>,
    /// Counts.
    pub y: Array1<f64>,
    /// How much each row counts for.
    pub weight: Array1<f64>,
    /// Whether the count is a lower bound of what it would have been.
    pub at_least: Vec<bool>,
    /// Rows in use.
    pub len: usize,
}

impl Block {
    /// An empty block for rows of `columns` features.
    pub fn new(columns: usize) -> Self {
        Self {
            x: Array2::zeros((BLOCK_ROWS, columns)),
            y: Array1::zeros(BLOCK_ROWS),
            weight: Array1::ones(BLOCK_ROWS),
            at_least: vec![false; BLOCK_ROWS],
            len: 0,
        }
    }

    /// Features of row `k`.
    pub fn row(&self, k: usize) -> &[f64] {
        let columns = self.x.ncols();
        &self.x.as_slice().expect("a block is made contiguous and stays so")[k * columns..(k + 1) * columns]
    }

    /// Features of the rows in use, one slice a row, to be changed: in the inner loops slices cost less than array views.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        let columns = self.x.ncols().max(1);
        self.x.as_slice_mut().expect("a block is made contiguous and stays so").chunks_exact_mut(columns).take(self.len)
    }

    /// Features of the rows in use.
    pub fn features(&self) -> ArrayView2<'_, f64> {
        self.x.slice_axis(Axis(0), Slice::from(..self.len))
    }
}

/// A table of features, counts and weights that is read from the start any number of times.
pub trait RowSource {
    /// Features of a row.
    fn columns(&self) -> usize;

    /// Number of rows.
    fn rows(&self) -> usize;

    /// Fills `block` with as many rows as it holds from row `from` on, and sets its length.
    fn load(&self, from: usize, block: &mut Block);

    /// Gives all rows to `visit`, block by block, with the position of each block's first row.
    ///
    /// # Errors
    /// The first that `visit` returns.
    fn each_block<E>(&self, mut visit: impl FnMut(usize, &mut Block) -> Result<(), E>) -> Result<(), E> {
        let mut block = Block::new(self.columns());
        for from in (0..self.rows()).step_by(BLOCK_ROWS) {
            self.load(from, &mut block);
            visit(from, &mut block)?;
        }
        Ok(())
    }
}

/// A plain table of single-precision features and counts, each row of weight 1, read round and round up to a number of rows.
#[derive(Debug)]
pub struct TableRows<'a> {
    x: &'a [f32],
    y: &'a [f32],
    columns: usize,
    rows: usize,
}

impl<'a> TableRows<'a> {
    /// `rows` rows of `x`, which holds `columns` values for each value of `y`.
    pub fn new(x: &'a [f32], y: &'a [f32], columns: usize, rows: usize) -> Self {
        Self { x, y, columns, rows }
    }
}

impl RowSource for TableRows<'_> {
    fn columns(&self) -> usize {
        self.columns
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn load(&self, from: usize, block: &mut Block) {
        block.len = BLOCK_ROWS.min(self.rows - from);
        let place = |k: usize| (from + k) % self.y.len();
        for (k, to) in block.rows_mut().enumerate() {
            let start = place(k) * self.columns;
            to.iter_mut().zip(&self.x[start..start + self.columns]).for_each(|(to, from)| *to = f64::from(*from));
        }
        for k in 0..block.len {
            block.y[k] = f64::from(self.y[place(k)]);
        }
    }
}

/// Every `stride`-th row of another source: a cheap first look at it.
#[derive(Debug)]
pub struct Thinned<'a, S> {
    source: &'a S,
    stride: usize,
}

impl<'a, S: RowSource> Thinned<'a, S> {
    /// Rows 0, `stride`, 2 x `stride` and so on of `source`.
    pub fn new(source: &'a S, stride: usize) -> Self {
        Self { source, stride: stride.max(1) }
    }
}

impl<S: RowSource> RowSource for Thinned<'_, S> {
    fn columns(&self) -> usize {
        self.source.columns()
    }

    fn rows(&self) -> usize {
        // Whole blocks are taken, since a source loads no less: block 0, `stride`, and so on.
        let blocks = self.source.rows().div_ceil(BLOCK_ROWS);
        let taken = blocks.div_ceil(self.stride);
        let last_is_taken = blocks > 0 && (blocks - 1).is_multiple_of(self.stride);
        let missing = if last_is_taken { blocks * BLOCK_ROWS - self.source.rows() } else { 0 };
        taken * BLOCK_ROWS - missing
    }

    fn load(&self, from: usize, block: &mut Block) {
        self.source.load(from * self.stride, block);
    }
}

/// A linfa data set as a source of rows; its weights count, no count is a lower bound.
pub(super) struct DatasetRows<'a, D: Data<Elem = f64>, T: AsSingleTargets<Elem = f64>>(pub &'a DatasetBase<ArrayBase<D, Ix2>, T>);

impl<D: Data<Elem = f64>, T: AsSingleTargets<Elem = f64>> RowSource for DatasetRows<'_, D, T> {
    fn columns(&self) -> usize {
        self.0.records().ncols()
    }

    fn rows(&self) -> usize {
        self.0.records().nrows()
    }

    fn load(&self, from: usize, block: &mut Block) {
        let until = (from + BLOCK_ROWS).min(self.rows());
        let targets = self.0.as_single_targets();
        block.len = until - from;
        for (k, row) in (from..until).enumerate() {
            block.x.row_mut(k).assign(&self.0.records().row(row));
            block.y[k] = targets[row];
            block.weight[k] = f64::from(self.0.weight_for(row));
        }
    }
}
