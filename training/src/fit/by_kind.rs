//! One regression for each kind of row, and one for all rows beneath them.

use linfa::{
    Dataset,
    dataset::{AsSingleTargets, DatasetBase},
    traits::{Fit, PredictInplace},
};
use ndarray::{Array1, ArrayBase, ArrayView1, Axis, Data, Ix2};

use super::{
    FitError, Prior,
    family::Poisson,
    glm::{FittedGlm, Glm},
};

/// Rows of a kind from which it gets a regression of its own; with fewer, that of all rows stands in.
const ENOUGH: usize = 1_000;

/// Parameters of a fit.
#[derive(Debug, Clone)]
pub struct ByKind {
    /// The regression of all rows; those of the kinds have its ridge.
    pub all: Glm<Poisson>,
    /// How many kinds there are.
    pub kinds: usize,
    /// The kind of a row of features, below `kinds`: told from the features alone, so that a forecaster can tell it too.
    pub kind_of: fn(ArrayView1<'_, f64>) -> usize,
    /// How many times the ridge holds a kind's coefficients to those of all rows; none: they have the prior of all rows.
    pub lean: Option<f64>,
}

/// A fitted regression for each kind.
#[derive(Debug, Clone)]
pub struct FittedByKind {
    kinds: Vec<FittedGlm<Poisson>>,
    kind_of: fn(ArrayView1<'_, f64>) -> usize,
}

impl ByKind {
    /// The regression of one kind, given that of all rows.
    fn of_kind(&self, all: &FittedGlm<Poisson>) -> Glm<Poisson> {
        let Some(lean) = self.lean else { return self.all.clone() };
        let firmest = |i: usize| self.all.prior.as_ref().map_or(lean, |p| p.stiffness[i].max(lean));
        let stiffness = (0..all.coefficients.len()).map(firmest).collect();
        Glm { prior: Some(Prior { towards: all.coefficients.to_vec(), stiffness }), ..self.all.clone() }
    }
}

impl<D: Data<Elem = f64>, T: AsSingleTargets<Elem = f64>> Fit<ArrayBase<D, Ix2>, T, FitError> for ByKind {
    type Object = FittedByKind;

    /// Fits a data set, its weights included.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<FittedByKind, FitError> {
        let all = self.all.fit(dataset)?;
        let regression = self.of_kind(&all);
        let (x, counts) = (dataset.records(), dataset.as_single_targets());
        let mut rows = vec![vec![]; self.kinds];
        for (i, row) in x.outer_iter().enumerate() {
            rows[(self.kind_of)(row)].push(i);
        }
        let fit = |rows: Vec<usize>| {
            if rows.len() < ENOUGH {
                return Ok(all.clone());
            }
            let weights = Array1::from_iter(rows.iter().map(|i| dataset.weight_for(*i)));
            regression.fit(&Dataset::new(x.select(Axis(0), &rows), counts.select(Axis(0), &rows)).with_weights(weights))
        };
        let kinds = rows.into_iter().map(fit).collect::<Result<_, FitError>>()?;
        Ok(FittedByKind { kinds, kind_of: self.kind_of })
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<f64>> for FittedByKind {
    fn predict_inplace(&self, x: &ArrayBase<D, Ix2>, y: &mut Array1<f64>) {
        *y = x.outer_iter().map(|row| self.kinds[(self.kind_of)(row)].mean(row)).collect();
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<f64> {
        Array1::zeros(x.nrows())
    }
}
