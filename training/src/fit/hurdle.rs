//! The hurdle: whether anything is asked for, times how much if so (Mullahy 1986, "Specification and testing of some modified
//! count data models").

use linfa::{
    Dataset,
    dataset::{AsSingleTargets, DatasetBase},
    traits::{Fit, Predict, PredictInplace},
};
use ndarray::{Array1, ArrayBase, Axis, Data, Ix2};

use super::{
    FitError,
    family::{Bernoulli, PositivePoisson},
    glm::{FittedGlm, Glm},
};

/// Parameters of both parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Hurdle {
    /// Whether there is a request: logistic regression on all rows.
    pub occurrence: Glm<Bernoulli>,
    /// How many there are: Poisson regression without zeros, on the rows that have one.
    pub size: Glm<PositivePoisson>,
}

/// Both parts, fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedHurdle {
    /// Probability of a request.
    pub occurrence: FittedGlm<Bernoulli>,
    /// Expected requests if there is one; none when no row had one.
    pub size: Option<FittedGlm<PositivePoisson>>,
}

impl<D: Data<Elem = f64>, T: AsSingleTargets<Elem = f64>> Fit<ArrayBase<D, Ix2>, T, FitError> for Hurdle {
    type Object = FittedHurdle;

    /// Fits a data set, its weights included.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<FittedHurdle, FitError> {
        let (x, counts) = (dataset.records(), dataset.as_single_targets());
        let weights = Array1::from_iter((0..x.nrows()).map(|i| dataset.weight_for(i)));
        let occurs = counts.mapv(|y| if y > 0.0 { 1.0 } else { 0.0 });
        let occurrence = self.occurrence.fit(&DatasetBase::new(x.view(), occurs).with_weights(weights.clone()))?;
        let positive: Vec<usize> = counts.indexed_iter().filter(|(_, y)| **y > 0.0).map(|(i, _)| i).collect();
        if positive.is_empty() {
            return Ok(FittedHurdle { occurrence, size: None });
        }
        let sizes = Dataset::new(x.select(Axis(0), &positive), counts.select(Axis(0), &positive));
        let size = self.size.fit(&sizes.with_weights(weights.select(Axis(0), &positive)))?;
        Ok(FittedHurdle { occurrence, size: Some(size) })
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<f64>> for FittedHurdle {
    /// Expected requests: the probability of one times their number if there is one.
    fn predict_inplace(&self, x: &ArrayBase<D, Ix2>, y: &mut Array1<f64>) {
        self.occurrence.predict_inplace(x, y);
        if let Some(size) = &self.size {
            *y *= &size.predict(x);
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<f64> {
        Array1::zeros(x.nrows())
    }
}
