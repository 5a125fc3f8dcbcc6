//! Each column's mean and spread. One ridge serves all columns only when they are on one scale.

use ndarray::Array1;

use super::{FitError, RowSource};

/// Spread, relative to the size of a column's values, below which the column counts as constant.
const CONSTANT: f64 = 1e-9;

/// Weighted mean and spread of every column.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// Mean of each column.
    pub mean: Array1<f64>,
    /// One over each column's standard deviation; 0 for a constant column, which thereby gets no coefficient.
    pub inverse: Array1<f64>,
    /// Sum of all weights.
    pub weight: f64,
    /// Weighted mean of the counts, lower bounds taken as they are.
    pub mean_count: f64,
}

impl Scale {
    /// Measures `rows` and sees to it that all their numbers are finite, no count and no weight negative.
    ///
    /// # Errors
    /// [`FitError::NotANumber`] with the first row that holds one, [`FitError::NoRows`] when no row counts.
    pub fn measure(rows: &impl RowSource) -> Result<Self, FitError> {
        let p = rows.columns();
        let (mut weight, mut count) = (0.0, 0.0);
        let (mut origin, mut sum, mut squares) = (None::<Vec<f64>>, vec![0.0; p], vec![0.0; p]);
        rows.each_block(|from, block| {
            for k in 0..block.len {
                let (y, w) = (block.y[k], block.weight[k]);
                let not_a_number = |what: String, value| FitError::NotANumber { row: from + k, what, value };
                if !(y.is_finite() && y >= 0.0) {
                    return Err(not_a_number("count".into(), y));
                }
                if !(w.is_finite() && w >= 0.0) {
                    return Err(not_a_number("weight".into(), w));
                }
                let x = block.row(k);
                // Squares are summed about the first row, or a large offset would drown the spread in rounding.
                let origin = origin.get_or_insert_with(|| x.to_vec());
                let mut all = 0.0;
                for (((x, origin), sum), square) in x.iter().zip(origin).zip(&mut sum).zip(&mut squares) {
                    let d = x - *origin;
                    *sum += w * d;
                    *square += w * d * d;
                    all += d;
                }
                if !all.is_finite() {
                    let j = x.iter().position(|v| !v.is_finite()).unwrap_or(0);
                    return Err(not_a_number(format!("feature {j}"), x[j]));
                }
                weight += w;
                count += w * y;
            }
            Ok(())
        })?;
        let Some(origin) = origin.filter(|_| weight > 0.0) else { return Err(FitError::NoRows) };
        let mut scale = Self { mean: Array1::zeros(p), inverse: Array1::zeros(p), weight, mean_count: count / weight };
        for j in 0..p {
            let shift = sum[j] / weight;
            let deviation = (squares[j] / weight - shift * shift).max(0.0).sqrt();
            scale.mean[j] = origin[j] + shift;
            if deviation > CONSTANT * (1.0 + scale.mean[j].abs()) {
                scale.inverse[j] = 1.0 / deviation;
            }
        }
        Ok(scale)
    }

    /// Turns an intercept and coefficients of standardised columns into those of the columns as they come.
    pub fn undo(&self, intercept: f64, standardised: &Array1<f64>) -> (f64, Array1<f64>) {
        let coefficients = standardised * &self.inverse;
        (intercept - coefficients.dot(&self.mean), coefficients)
    }
}
