//! Poisson regression with a log link: parameters, checked parameters, and the fitted model.

use linfa::{
    Float, ParamGuard,
    dataset::{AsSingleTargets, DatasetBase},
    traits::{Fit, PredictInplace},
};
use ndarray::{Array1, ArrayBase, Data, Ix2};

use super::{
    FitError, RowSource,
    irls::{Descent, MU_FLOOR, Point, descend},
    rows::{DatasetRows, Thinned},
    scale::Scale,
};

/// Rows from which a first fit on a part of them saves passes over all.
const WORTH_THINNING: usize = 100_000;
/// The part: one block in so many.
const STRIDE: usize = 16;

/// Parameters as a caller gives them. [`Fit::fit`] checks them first.
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonParams(PoissonRegression);

/// Parameters that have been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonRegression {
    descent: Descent,
}

/// A fitted Poisson regression: mean = exp(intercept + coefficients . features), on features as they come.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedPoisson {
    /// Log of the mean where every feature is zero.
    pub intercept: f64,
    /// One per feature.
    pub coefficients: Array1<f64>,
    /// Passes over all rows that the fit took.
    pub passes: usize,
}

impl Default for PoissonParams {
    fn default() -> Self {
        Self(PoissonRegression { descent: Descent { ridge: 1e-4, passes: 50, tolerance: 1e-7 } })
    }
}

impl PoissonParams {
    /// Penalty on the squared coefficients of standardised columns, per unit of weight (scikit-learn's `alpha`); 0 or more.
    #[must_use]
    pub fn ridge(mut self, ridge: f64) -> Self {
        self.0.descent.ridge = ridge;
        self
    }

    /// Most passes over the rows; at least 1.
    #[must_use]
    pub fn passes(mut self, passes: usize) -> Self {
        self.0.descent.passes = passes;
        self
    }

    /// Change of every standardised coefficient below which the fit has converged; above 0.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.0.descent.tolerance = tolerance;
        self
    }
}

impl ParamGuard for PoissonParams {
    type Checked = PoissonRegression;
    type Error = FitError;

    fn check_ref(&self) -> Result<&PoissonRegression, FitError> {
        let Descent { ridge, passes, tolerance } = self.0.descent;
        let refuse = |parameter, value, must_be| Err(FitError::Parameter { parameter, value, must_be });
        if !(ridge.is_finite() && ridge >= 0.0) {
            return refuse("ridge", ridge, "zero or a positive number");
        }
        if passes == 0 {
            return refuse("passes", 0.0, "at least 1");
        }
        if !(tolerance.is_finite() && tolerance > 0.0) {
            return refuse("tolerance", tolerance, "a positive number");
        }
        Ok(&self.0)
    }

    fn check(self) -> Result<PoissonRegression, FitError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl PoissonRegression {
    /// Fits rows that are read in blocks; memory does not grow with their number.
    ///
    /// # Errors
    /// [`FitError::NotANumber`] or [`FitError::NoRows`] for rows that cannot be used, [`FitError::Singular`] without a ridge.
    pub fn fit_rows(&self, rows: &impl RowSource) -> Result<FittedPoisson, FitError> {
        let scale = Scale::measure(rows)?;
        let level = scale.mean_count.max(MU_FLOOR).ln();
        let mut start = Point { intercept: level, coefficients: Array1::zeros(rows.columns()) };
        if scale.mean_count <= MU_FLOOR {
            // Nothing was ever asked for: the likelihood has no maximum, and its supremum is the floor everywhere.
            return Ok(FittedPoisson { intercept: level, coefficients: start.coefficients, passes: 0 });
        }
        if rows.rows() >= WORTH_THINNING {
            start = first_look(rows, &scale, start, self.descent)?;
        }
        let (point, passes) = descend(rows, &scale, start, self.descent)?;
        let (intercept, coefficients) = scale.undo(point.intercept, &point.coefficients);
        Ok(FittedPoisson { intercept, coefficients, passes })
    }
}

/// A rough fit on a part of the rows. It may fail where the whole would not, and is then left out.
fn first_look(rows: &impl RowSource, scale: &Scale, start: Point, how: Descent) -> Result<Point, FitError> {
    let part = Thinned::new(rows, STRIDE);
    let Ok(part_scale) = Scale::measure(&part) else { return Ok(start) };
    if part_scale.mean_count <= MU_FLOOR {
        return Ok(start);
    }
    let on_one_scale = Scale { weight: part_scale.weight, ..scale.clone() };
    let rough = Descent { tolerance: 1e-3, ..how };
    Ok(descend(&part, &on_one_scale, start.clone(), rough).map_or(start, |(point, _)| point))
}

impl<D: Data<Elem = f64>, T: AsSingleTargets<Elem = f64>> Fit<ArrayBase<D, Ix2>, T, FitError> for PoissonRegression {
    type Object = FittedPoisson;

    /// Fits a data set, its weights included.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<FittedPoisson, FitError> {
        self.fit_rows(&DatasetRows(dataset))
    }
}

impl FittedPoisson {
    /// Expected count for one row of features.
    pub fn mean<F: Float>(&self, row: impl IntoIterator<Item = F>) -> f64 {
        let eta = row.into_iter().zip(&self.coefficients).map(|(x, c)| x.to_f64().unwrap_or(f64::NAN) * c).sum::<f64>();
        (self.intercept + eta).exp()
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<f64>> for FittedPoisson {
    fn predict_inplace(&self, x: &ArrayBase<D, Ix2>, y: &mut Array1<f64>) {
        *y = (x.dot(&self.coefficients) + self.intercept).mapv(f64::exp);
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<f64> {
        Array1::zeros(x.nrows())
    }
}
