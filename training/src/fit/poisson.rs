//! Poisson regression with a log link: parameters, checked parameters, and the fitted model.

use linfa::{
    Float, ParamGuard,
    dataset::{AsSingleTargets, DatasetBase},
    traits::{Fit, PredictInplace},
};
use ndarray::{Array1, ArrayBase, Data, Ix2};

use super::{
    FitError, RowSource,
    family::Poisson,
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
    ridge: f64,
    prior: Option<Prior>,
    passes: usize,
    tolerance: f64,
}

/// Beliefs about the coefficients, one of each per feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// The coefficient, of the column as it comes.
    pub towards: Vec<f64>,
    /// How many times the ridge it takes to hold it there; 0 or more.
    pub stiffness: Vec<f64>,
}

impl Prior {
    pub(super) fn check(&self) -> Result<(), FitError> {
        if let Some(&value) = self.towards.iter().find(|v| !v.is_finite()) {
            return Err(FitError::Parameter { parameter: "prior", value, must_be: "a number" });
        }
        match self.stiffness.iter().find(|v| !(v.is_finite() && **v >= 0.0)) {
            Some(&value) => Err(FitError::Parameter { parameter: "stiffness", value, must_be: "zero or a positive number" }),
            None => Ok(()),
        }
    }
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
        Self(PoissonRegression { ridge: 1e-4, prior: None, passes: 50, tolerance: 1e-7 })
    }
}

impl PoissonParams {
    /// Penalty on the squared coefficients of standardised columns, per request counted (scikit-learn's `alpha` over the mean
    /// count); 0 or more.
    #[must_use]
    pub fn ridge(mut self, ridge: f64) -> Self {
        self.0.ridge = ridge;
        self
    }

    /// What is believed of the coefficients before any row is seen; by default, that all are 0.
    #[must_use]
    pub fn prior(mut self, prior: Prior) -> Self {
        self.0.prior = Some(prior);
        self
    }

    /// Most passes over the rows; at least 1.
    #[must_use]
    pub fn passes(mut self, passes: usize) -> Self {
        self.0.passes = passes;
        self
    }

    /// Change of every standardised coefficient below which the fit has converged; above 0.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.0.tolerance = tolerance;
        self
    }
}

impl ParamGuard for PoissonParams {
    type Checked = PoissonRegression;
    type Error = FitError;

    fn check_ref(&self) -> Result<&PoissonRegression, FitError> {
        let PoissonRegression { ridge, ref prior, passes, tolerance } = self.0;
        let refuse = |parameter, value, must_be| Err(FitError::Parameter { parameter, value, must_be });
        if !(ridge.is_finite() && ridge >= 0.0) {
            return refuse("ridge", ridge, "zero or a positive number");
        }
        prior.as_ref().map_or(Ok(()), Prior::check)?;
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
        if scale.mean_count <= MU_FLOOR {
            // Nothing was ever asked for: the likelihood has no maximum, and its supremum is the floor everywhere.
            return Ok(FittedPoisson { intercept: level, coefficients: Array1::zeros(rows.columns()), passes: 0 });
        }
        let unit = self.ridge * scale.weight * scale.mean_count;
        let how = Descent::new(self.prior.as_ref(), unit, &scale)?.within(self.passes, self.tolerance);
        let mut start = Point { intercept: level, coefficients: Array1::zeros(rows.columns()) };
        if rows.rows() >= WORTH_THINNING {
            start = first_look(rows, &scale, start, &how);
        }
        let (point, passes) = descend(&Poisson, rows, &scale, start, &how)?;
        let (intercept, coefficients) = scale.undo(point.intercept, &point.coefficients);
        Ok(FittedPoisson { intercept, coefficients, passes })
    }
}

/// A rough fit on a part of the rows. It may fail where the whole would not, and is then left out.
fn first_look(rows: &impl RowSource, scale: &Scale, start: Point, how: &Descent) -> Point {
    let part = Thinned::new(rows, STRIDE);
    let rough = Descent { ridge: &how.ridge / STRIDE as f64, tolerance: 1e-3, ..how.clone() };
    descend(&Poisson, &part, scale, start.clone(), &rough).map_or(start, |(point, _)| point)
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
