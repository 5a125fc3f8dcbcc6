//! The challenger: linfa's linear regression of the logarithm of a count, corrected to be right on average.

use linfa::{
    Dataset,
    dataset::{AsSingleTargets, DatasetBase},
    traits::Fit,
};
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2, ArrayBase, Axis, Data, Ix2, Slice};

use super::{
    FitError, FittedPoisson, Prior, RowSource,
    irls::standardise,
    rows::{DatasetRows, Thinned},
    scale::Scale,
};

/// Most rows given to linfa, whose QR holds several copies of them; more are thinned evenly.
const MOST_ROWS: usize = 200_000;

/// Least squares on ln(1 + count).
///
/// linfa's `LinearRegression` ignores weights and lets dependent columns blow up. So rows are scaled by the root of their
/// weight, with an own column of ones for the intercept, and one further row per column holds the ridge.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLeastSquares {
    /// Penalty on the squared coefficients of standardised columns, per unit of weight; above 0.
    pub ridge: f64,
    /// What is believed of the coefficients before any row is seen; none when they are believed to be 0.
    pub prior: Option<Prior>,
}

impl Default for LogLeastSquares {
    fn default() -> Self {
        Self { ridge: 1e-4, prior: None }
    }
}

impl LogLeastSquares {
    /// Fits `rows`; a count that is a lower bound is left out.
    ///
    /// # Errors
    /// [`FitError`] for rows that cannot be used.
    pub fn fit_rows(&self, rows: &impl RowSource) -> Result<FittedPoisson, FitError> {
        if !(self.ridge.is_finite() && self.ridge > 0.0) {
            return Err(FitError::Parameter { parameter: "ridge", value: self.ridge, must_be: "a positive number" });
        }
        let part = Thinned::new(rows, rows.rows().div_ceil(MOST_ROWS).max(1));
        let scale = Scale::measure(&part)?;
        let (x, z) = self.design(&part, &scale)?;
        let fitted = LinearRegression::new().with_intercept(false).fit(&Dataset::new(x, z))?;
        let p = rows.columns();
        let (intercept, coefficients) = scale.undo(fitted.params()[p], &fitted.params().slice_axis(Axis(0), Slice::from(..p)).to_owned());
        let raw = FittedPoisson { intercept, coefficients, passes: 1 };
        let log_bias = log_bias(&part, &raw)?;
        Ok(FittedPoisson { intercept: intercept + log_bias, ..raw })
    }

    /// Standardised rows and a column of ones, all times the root of the weight, and below them the ridge.
    fn design(&self, rows: &impl RowSource, scale: &Scale) -> Result<(Array2<f64>, Array1<f64>), FitError> {
        let (n, p) = (rows.rows(), rows.columns());
        let mut x = Array2::zeros((n + p, p + 1));
        let mut z = Array1::zeros(n + p);
        rows.each_block(|from, block| {
            standardise(block, scale);
            for k in 0..block.len {
                let root = if block.at_least[k] { 0.0 } else { block.weight[k].sqrt() };
                let mut row = x.row_mut(from + k);
                row.slice_axis_mut(Axis(0), Slice::from(..p)).assign(&block.x.row(k));
                row[p] = 1.0;
                row *= root;
                z[from + k] = root * block.y[k].ln_1p();
            }
            Ok::<(), FitError>(())
        })?;
        for j in 0..p {
            let (towards, stiffness) = self.prior.as_ref().map_or((0.0, 1.0), |prior| (prior.towards[j], prior.stiffness[j]));
            let root = (self.ridge * stiffness * scale.weight).sqrt();
            x[[n + j, j]] = root;
            z[n + j] = if scale.inverse[j] > 0.0 { root * towards / scale.inverse[j] } else { 0.0 };
        }
        Ok((x, z))
    }
}

impl<D: Data<Elem = f64>, T: AsSingleTargets<Elem = f64>> Fit<ArrayBase<D, Ix2>, T, FitError> for LogLeastSquares {
    type Object = FittedPoisson;

    /// Fits a data set, its weights included.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<FittedPoisson, FitError> {
        self.fit_rows(&DatasetRows(dataset))
    }
}

/// Logarithm of the factor by which `raw` must be multiplied to expect as many requests as there were: the mean of a
/// logarithm is not the logarithm of the mean (Duan's smearing, as a ratio of sums).
fn log_bias(rows: &impl RowSource, raw: &FittedPoisson) -> Result<f64, FitError> {
    let (mut seen, mut expected) = (0.0, 0.0);
    rows.each_block(|_, block| {
        for k in (0..block.len).filter(|&k| !block.at_least[k]) {
            seen += block.weight[k] * block.y[k];
            expected += block.weight[k] * raw.mean(block.x.row(k).iter().copied());
        }
        Ok::<(), FitError>(())
    })?;
    let factor = seen / expected;
    Ok(if factor.is_finite() { factor.max(super::irls::MU_FLOOR).ln() } else { 0.0 })
}
