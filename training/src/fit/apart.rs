//! A form of its own for some rows, beside the one of all rows.

use linfa::{
    Dataset,
    dataset::DatasetBase,
    traits::{Fit, Predict, PredictInplace},
};
use ndarray::{Array1, Array2, ArrayView1, Axis};

use super::FitError;

/// Parameters of both.
#[derive(Debug, Clone)]
pub struct Apart<S, A> {
    /// Fitted on the rows that are told apart, and asked about them.
    pub some: S,
    /// Fitted on all rows, and asked about the others: what is told apart changes nothing for these.
    pub all: A,
    /// Which rows of features are told apart.
    pub is_apart: fn(ArrayView1<'_, f64>) -> bool,
}

/// Both, fitted.
#[derive(Debug, Clone)]
pub struct FittedApart<S, A> {
    some: S,
    all: A,
    is_apart: fn(ArrayView1<'_, f64>) -> bool,
}

fn positions(x: &Array2<f64>, is_apart: fn(ArrayView1<'_, f64>) -> bool) -> Vec<usize> {
    x.outer_iter().enumerate().filter(|(_, row)| is_apart(*row)).map(|(i, _)| i).collect()
}

impl<S, A> Fit<Array2<f64>, Array1<f64>, FitError> for Apart<S, A>
where
    S: Fit<Array2<f64>, Array1<f64>, FitError>,
    A: Fit<Array2<f64>, Array1<f64>, FitError>,
{
    type Object = FittedApart<S::Object, A::Object>;

    /// Fits a data set, its weights included; there must be a row that is told apart.
    fn fit(&self, dataset: &DatasetBase<Array2<f64>, Array1<f64>>) -> Result<Self::Object, FitError> {
        let rows = positions(dataset.records(), self.is_apart);
        let weights = Array1::from_iter(rows.iter().map(|i| dataset.weight_for(*i)));
        let part = Dataset::new(dataset.records().select(Axis(0), &rows), dataset.targets().select(Axis(0), &rows));
        let (some, all) = (self.some.fit(&part.with_weights(weights))?, self.all.fit(dataset)?);
        Ok(FittedApart { some, all, is_apart: self.is_apart })
    }
}

impl<S, A> PredictInplace<Array2<f64>, Array1<f64>> for FittedApart<S, A>
where
    S: PredictInplace<Array2<f64>, Array1<f64>>,
    A: PredictInplace<Array2<f64>, Array1<f64>>,
{
    fn predict_inplace(&self, x: &Array2<f64>, y: &mut Array1<f64>) {
        self.all.predict_inplace(x, y);
        let rows = positions(x, self.is_apart);
        let apart: Array1<f64> = self.some.predict(&x.select(Axis(0), &rows));
        rows.into_iter().zip(apart).for_each(|(row, mean)| y[row] = mean);
    }

    fn default_target(&self, x: &Array2<f64>) -> Array1<f64> {
        Array1::zeros(x.nrows())
    }
}
