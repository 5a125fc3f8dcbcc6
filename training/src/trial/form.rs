//! What is tried: forms that are linear in their core, fitted and asked through linfa's traits.

use linfa::{
    Dataset,
    traits::{Fit, Predict},
};
use ndarray::{Array1, Array2, ArrayView1, Axis, Ix1};
use tidegate_planner::features::{COUNT, NAMES};

use crate::{
    evaluate::backtest::{RIDGE, belief},
    fit::{
        FitError, LogLeastSquares, Prior, RowSource,
        apart::Apart,
        by_kind::ByKind,
        family::{Bernoulli, Poisson, PositivePoisson, Tweedie},
        glm::Glm,
        hurdle::Hurdle,
    },
    matrix::{Pattern, Samples, is_sparse},
};

/// Rows that are forecast at a time.
const BLOCK: usize = 4_096;
/// Highest mean, as the planner bounds it.
const MEAN_MAX: f64 = 8_886_110.0;
/// How many times the ridge holds a pattern's coefficients to those of all rows.
const LEAN: f64 = 3_000.0;

/// A form of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// Poisson regression, as it is served.
    Poisson,
    /// Least squares on a log scale by linfa, the served form's rival in each backtest.
    LogLeastSquares,
    /// Variance as this power of the mean.
    Tweedie(f64),
    /// Whether there is a request, times how many.
    Hurdle,
    /// The hurdle for sparse series, the served form for the others.
    SparseHurdle,
    /// A Poisson regression of their own for sparse series: what of the former's gain is due to being told apart.
    SparseApart,
    /// A Poisson regression for each pattern of demand.
    PerPattern,
    /// The same, each leaning on that of all rows.
    LeaningPerPattern,
}

impl Form {
    /// All that are tried; the first is the one that is served.
    pub const ALL: [Self; 9] = [
        Self::Poisson,
        Self::LogLeastSquares,
        Self::Tweedie(1.2),
        Self::Tweedie(1.5),
        Self::Hurdle,
        Self::SparseHurdle,
        Self::SparseApart,
        Self::PerPattern,
        Self::LeaningPerPattern,
    ];

    /// Its name, for tables.
    pub fn name(self) -> String {
        match self {
            Self::Poisson => "Poisson".into(),
            Self::LogLeastSquares => "log least squares".into(),
            Self::Tweedie(power) => format!("Tweedie {power}"),
            Self::Hurdle => "hurdle".into(),
            Self::SparseHurdle => "hurdle where sparse".into(),
            Self::SparseApart => "Poisson where sparse".into(),
            Self::PerPattern => "per pattern".into(),
            Self::LeaningPerPattern => "per pattern, leaning".into(),
        }
    }

    /// Fits `rows` and forecasts every row of `samples`, requests per window.
    ///
    /// # Errors
    /// [`FitError`] when there is nothing to learn from or a row cannot be used.
    pub fn fit_and_predict(self, rows: &Rows, samples: &Samples) -> Result<Vec<f32>, FitError> {
        let poisson = Glm { family: Poisson, ridge: RIDGE, prior: Some(belief()) };
        let per_pattern = |lean| ByKind { all: poisson.clone(), kinds: Pattern::ALL.len(), kind_of: number_of_pattern, lean };
        match self {
            Self::Poisson => forecast(&poisson, rows, samples),
            Self::LogLeastSquares => forecast(&LogLeastSquares { ridge: RIDGE, prior: Some(belief()) }, rows, samples),
            Self::Tweedie(power) => forecast(&Glm { family: Tweedie { power }, ridge: RIDGE, prior: Some(belief()) }, rows, samples),
            Self::Hurdle => forecast(&hurdle(), rows, samples),
            Self::SparseHurdle => forecast(&Apart { some: hurdle(), all: poisson, is_apart: of_sparse_series }, rows, samples),
            Self::SparseApart => forecast(&Apart { some: poisson.clone(), all: poisson, is_apart: of_sparse_series }, rows, samples),
            Self::PerPattern => forecast(&per_pattern(None), rows, samples),
            Self::LeaningPerPattern => forecast(&per_pattern(Some(LEAN)), rows, samples),
        }
    }
}

/// Whether there is a request is soon certain as the level rises, so that its odds are not held to the level as a mean is.
fn hurdle() -> Hurdle {
    let loose = Prior { stiffness: vec![1.0; COUNT], ..belief() };
    Hurdle {
        occurrence: Glm { family: Bernoulli, ridge: RIDGE, prior: Some(loose) },
        size: Glm { family: PositivePoisson, ridge: RIDGE, prior: Some(belief()) },
    }
}

fn number_of_pattern(x: ArrayView1<'_, f64>) -> usize {
    Pattern::of(|feature| x[feature]).number()
}

fn of_sparse_series(x: ArrayView1<'_, f64>) -> bool {
    is_sparse(|feature| x[feature])
}

/// Rows of one step ahead as linfa takes them.
pub type Rows = Dataset<f64, f64, Ix1>;

/// All of `source` as a data set. Counts that are lower bounds enter as they are: linfa has no other way to give them.
pub fn table(source: &impl RowSource) -> Rows {
    let n = source.rows();
    let (mut x, mut y, mut weight) = (Array2::zeros((n, source.columns())), Array1::zeros(n), Array1::<f32>::zeros(n));
    let done = source.each_block(|from, block| {
        for k in 0..block.len {
            x.row_mut(from + k).assign(&block.x.row(k));
            y[from + k] = block.y[k];
            weight[from + k] = block.weight[k] as f32;
        }
        Ok::<(), std::convert::Infallible>(())
    });
    let Ok(()) = done;
    Dataset::new(x, y).with_weights(weight).with_feature_names(NAMES.to_vec())
}

fn forecast<M>(model: &M, rows: &Rows, samples: &Samples) -> Result<Vec<f32>, FitError>
where
    M: Fit<Array2<f64>, Array1<f64>, FitError>,
    M::Object: for<'a> Predict<&'a Array2<f64>, Array1<f64>>,
{
    let fitted = model.fit(rows)?;
    let mut means = Vec::with_capacity(samples.len());
    for rows in samples.x.chunks(BLOCK * COUNT) {
        let mut x = Array2::zeros((rows.len() / COUNT, COUNT));
        for (mut to, from) in x.axis_iter_mut(Axis(0)).zip(rows.chunks_exact(COUNT)) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = f64::from(*from));
        }
        means.extend(fitted.predict(&x).iter().map(|mean| mean.min(MEAN_MAX) as f32));
    }
    Ok(means)
}
