//! Rows of the table as a regression reads them: one step ahead, a part of the rows.

use tidegate_planner::{features::COUNT, forecast::STEPS};

use super::Samples;
use crate::{
    evaluate::Naive,
    fit::{Block, RowSource, rows::BLOCK_ROWS},
};

/// Dispersion that rows are weighted for: the busier a series, the less each of its requests tells.
const DISPERSION: f32 = 0.02;
/// How far sources are brought to one weight: 0 not at all, 1 entirely.
const BALANCE: f64 = 0.3;

/// Indices of rows, ascending.
pub type Part = Vec<u32>;

/// Rows of one step ahead.
pub struct StepRows<'a> {
    samples: &'a Samples,
    step: usize,
    rows: Vec<u32>,
    /// Factor of each source's weights.
    balance: Vec<f32>,
}

impl<'a> StepRows<'a> {
    /// Those rows of `part` whose demand at `step` is known, exactly or as a lower bound.
    ///
    /// Each row counts for as many as it stands for, less the busier its series (a log-linear mean fitted by Poisson
    /// likelihood alone would be that of the busiest series only), and sources weigh less the more requests they have.
    pub fn new(samples: &'a Samples, step: usize, part: &[u32]) -> Self {
        assert!(step < STEPS, "steps ahead are 0 to {}", STEPS - 1);
        let rows: Vec<u32> = part.iter().copied().filter(|&i| samples.known[i as usize] & (1 << step) != 0).collect();
        let balance = balance(samples, step, &rows);
        Self { samples, step, rows, balance }
    }

    /// Indices of the rows.
    pub fn indices(&self) -> &[u32] {
        &self.rows
    }
}

impl RowSource for StepRows<'_> {
    fn columns(&self) -> usize {
        COUNT
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn load(&self, from: usize, block: &mut Block) {
        let until = (from + BLOCK_ROWS).min(self.rows.len());
        block.len = until - from;
        for (to, &i) in block.rows_mut().zip(&self.rows[from..until]) {
            to.iter_mut().zip(self.samples.row(i as usize)).for_each(|(to, from)| *to = f64::from(*from));
        }
        for (k, &i) in self.rows[from..until].iter().enumerate() {
            let i = i as usize;
            block.y[k] = f64::from(self.samples.targets[self.step][i]);
            block.at_least[k] = self.samples.at_least[i] & (1 << self.step) != 0;
            let balance = self.balance[usize::from(self.samples.source[i])];
            block.weight[k] = f64::from(balance * precision(self.samples, i));
        }
    }
}

/// Weight of a row, less the busier its series.
fn precision(samples: &Samples, i: usize) -> f32 {
    let mean = samples.naive[i][Naive::Ewma5m as usize];
    samples.weight[i] / (1.0 + DISPERSION * mean.max(0.0))
}

/// Factors that bring the sources' information about the coefficients, the sum of weights x counts, nearer to each other.
fn balance(samples: &Samples, step: usize, rows: &[u32]) -> Vec<f32> {
    let mut information = vec![0.0_f64; samples.spans.len()];
    for &i in rows {
        let i = i as usize;
        information[usize::from(samples.source[i])] += f64::from(precision(samples, i) * samples.targets[step][i]);
    }
    let used = information.iter().filter(|&&x| x > 0.0).count().max(1) as f64;
    let mean = information.iter().sum::<f64>() / used;
    information.into_iter().map(|x| if x > 0.0 { (mean / x).powf(BALANCE) as f32 } else { 1.0 }).collect()
}
