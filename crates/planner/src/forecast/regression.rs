//! Evaluating a model on rows of features, behind linfa's trait.

use linfa::traits::PredictInplace;
use ndarray::{Array2, ArrayView2};

use super::{Model, STEPS};
use crate::features::{COUNT, fast};

/// Highest log of a mean: e^16 is nine million requests per window.
const LOG_MEAN_MAX: f32 = 16.0;

/// A model's coefficients in single precision, as the tick uses them.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    intercept: [f32; STEPS],
    coefficients: [[f32; COUNT]; STEPS],
}

impl From<&Model> for Compiled {
    fn from(model: &Model) -> Self {
        let step = |s: usize| &model.steps[s];
        Self {
            intercept: std::array::from_fn(|s| step(s).intercept as f32),
            coefficients: std::array::from_fn(|s| std::array::from_fn(|f| step(s).coefficients[f] as f32)),
        }
    }
}

/// `x`: rows × [`COUNT`] features; `y`: rows × [`STEPS`] expected requests.
impl PredictInplace<ArrayView2<'_, f32>, Array2<f32>> for Compiled {
    fn predict_inplace<'a>(&'a self, x: &'a ArrayView2<'_, f32>, y: &mut Array2<f32>) {
        for step in 0..STEPS {
            let mut means = y.column_mut(step);
            means.fill(self.intercept[step]);
            for (feature, coefficient) in self.coefficients[step].iter().enumerate() {
                means.scaled_add(*coefficient, &x.column(feature));
            }
            means.mapv_inplace(|log| fast::exp(log.min(LOG_MEAN_MAX)));
        }
    }

    fn default_target(&self, x: &ArrayView2<'_, f32>) -> Array2<f32> {
        // Fortran order: a step is one contiguous column, as the features are.
        Array2::zeros((STEPS, x.nrows())).reversed_axes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::Regression;

    #[test]
    fn the_mean_is_the_exponential_of_the_linear_form() {
        let mut coefficients = vec![0.0; COUNT];
        coefficients[3] = 0.5;
        let steps = (0..STEPS).map(|s| Regression { intercept: s as f64, coefficients: coefficients.clone() }).collect();
        let compiled = Compiled::from(&Model::new("m", 30, steps, 0.0));
        let mut x = Array2::zeros((2, COUNT));
        x[[1, 3]] = 2.0;
        let x = x.view();
        let mut y = compiled.default_target(&x);
        compiled.predict_inplace(&x, &mut y);
        assert!((y[[0, 2]] - 2f32.exp()).abs() < 1e-3);
        assert!((y[[1, 2]] - 3f32.exp()).abs() < 1e-3);
    }
}
