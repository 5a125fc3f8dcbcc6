//! A generalised linear model of any [`Family`], behind linfa's traits.

use linfa::{
    dataset::{AsSingleTargets, DatasetBase},
    traits::{Fit, PredictInplace},
};
use ndarray::{Array1, ArrayBase, ArrayView1, Data, Ix2};

use super::{
    FitError, Prior, RowSource,
    family::Family,
    irls::{Descent, MU_FLOOR, Point, descend},
    rows::DatasetRows,
    scale::Scale,
};

/// Most passes over the rows, and the change of every standardised coefficient below which the fit has converged.
const PASSES: usize = 50;
const TOLERANCE: f64 = 1e-6;

/// Parameters of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Glm<F> {
    /// Distribution of the counts.
    pub family: F,
    /// Penalty on the squared coefficients of standardised columns, as a share of what all rows together tell of one at the mean
    /// count; 0 or more.
    pub ridge: f64,
    /// What is believed of the coefficients before any row is seen; none when they are believed to be 0.
    pub prior: Option<Prior>,
}

/// A fitted model: the family's mean at intercept + coefficients . features, on features as they come.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedGlm<F> {
    /// Distribution of the counts.
    pub family: F,
    /// Linear predictor where every feature is zero.
    pub intercept: f64,
    /// One per feature.
    pub coefficients: Array1<f64>,
}

impl<F: Family + Clone> Glm<F> {
    /// Fits rows that are read in blocks.
    ///
    /// # Errors
    /// [`FitError::Parameter`] for a ridge or a prior that cannot be used, [`FitError::NotANumber`] or [`FitError::NoRows`] for such
    /// rows, [`FitError::Singular`] without a ridge.
    pub fn fit_rows(&self, rows: &impl RowSource) -> Result<FittedGlm<F>, FitError> {
        if !(self.ridge.is_finite() && self.ridge >= 0.0) {
            return Err(FitError::Parameter { parameter: "ridge", value: self.ridge, must_be: "zero or a positive number" });
        }
        let scale = Scale::measure(rows)?;
        let (least, most) = F::MEANS;
        let mean = scale.mean_count.clamp(least + MU_FLOOR, most - MU_FLOOR);
        let start = Point { intercept: self.family.level(mean), coefficients: Array1::zeros(rows.columns()) };
        if mean != scale.mean_count {
            // All counts are at an end of what the family can have: the likelihood has no maximum, and its supremum is that end.
            return Ok(self.fitted(start.intercept, start.coefficients));
        }
        let unit = self.ridge * scale.weight * self.family.at(start.intercept, mean, false).curvature;
        let how = Descent::new(self.prior.as_ref(), unit, &scale)?.within(PASSES, TOLERANCE);
        let (point, _) = descend(&self.family, rows, &scale, start, &how)?;
        let (intercept, coefficients) = scale.undo(point.intercept, &point.coefficients);
        Ok(self.fitted(intercept, coefficients))
    }

    fn fitted(&self, intercept: f64, coefficients: Array1<f64>) -> FittedGlm<F> {
        FittedGlm { family: self.family.clone(), intercept, coefficients }
    }
}

impl<F: Family> FittedGlm<F> {
    /// Expected count for one row of features.
    pub fn mean(&self, row: ArrayView1<'_, f64>) -> f64 {
        self.family.mean(self.intercept + row.dot(&self.coefficients))
    }
}

impl<F, D, T> Fit<ArrayBase<D, Ix2>, T, FitError> for Glm<F>
where
    F: Family + Clone,
    D: Data<Elem = f64>,
    T: AsSingleTargets<Elem = f64>,
{
    type Object = FittedGlm<F>;

    /// Fits a data set, its weights included.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<FittedGlm<F>, FitError> {
        self.fit_rows(&DatasetRows(dataset))
    }
}

impl<F: Family, D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<f64>> for FittedGlm<F> {
    fn predict_inplace(&self, x: &ArrayBase<D, Ix2>, y: &mut Array1<f64>) {
        *y = (x.dot(&self.coefficients) + self.intercept).mapv(|eta| self.family.mean(eta));
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<f64> {
        Array1::zeros(x.nrows())
    }
}
