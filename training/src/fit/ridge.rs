//! Ridge regression on Gram matrices: one pass over the rows, whatever their number.

use super::{FitError, FittedPoisson, RowSource, gram::Gram, irls::standardise, scale::Scale};

/// Least squares on ln(1 + count) with a ridge, by the normal equations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RidgeRegression {
    /// Penalty on the squared coefficients of standardised columns, per unit of weight.
    pub ridge: f64,
}

impl RidgeRegression {
    /// Fits `rows`.
    ///
    /// # Errors
    /// [`FitError`] for rows that cannot be used.
    pub fn fit_rows(&self, rows: &impl RowSource) -> Result<FittedPoisson, FitError> {
        let scale = Scale::measure(rows)?;
        let mut gram = Gram::new(rows.columns());
        let mut logs = vec![];
        rows.each_block(|_, block| {
            standardise(block, &scale);
            logs.clear();
            logs.extend(block.y.iter().take(block.len).map(|y| y.ln_1p()));
            let weight = block.weight.to_vec();
            gram.add(block, &weight, &logs);
            Ok::<(), FitError>(())
        })?;
        let (intercept, coefficients) = gram.solve(self.ridge * scale.weight)?;
        let (intercept, coefficients) = scale.undo(intercept, &coefficients);
        Ok(FittedPoisson { intercept, coefficients, passes: 1 })
    }
}
