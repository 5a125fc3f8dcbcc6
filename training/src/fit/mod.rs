//! Fitting, through linfa's traits: unfitted parameters, checked parameters and fitted models are different types.
//!
//! In the order of use:
//! - [`rows`]: where the rows of a regression come from, a block at a time.
//! - [`scale`]: each column's mean and spread, and the check that every number is one.
//! - [`gram`]: weighted normal equations that add up over blocks, days and regions.
//! - [`family`]: what a row says of the linear predictor, by the distribution of its count.
//! - [`irls`]: the descent that all but least squares share.
//! - [`poisson`]: the Poisson regression with a log link.
//! - [`censored`]: what to expect of a count that is known only to be at least so much.
//! - [`least_squares`]: the challenger, linfa's own linear regression on a log scale.
//! - [`ridge`]: the same by normal equations, in one pass.
//! - [`glm`], [`hurdle`], [`by_kind`], [`apart`]: forms that were tried beside these, see `docs/decisions.md`.
//! - [`dispersion`]: how much wider than Poisson the counts spread.

pub mod apart;
pub mod by_kind;
pub mod censored;
pub mod dispersion;
pub mod family;
pub mod glm;
pub mod gram;
pub mod hurdle;
pub mod irls;
pub mod least_squares;
pub mod poisson;
pub mod ridge;
pub mod rows;
pub mod scale;

pub use least_squares::LogLeastSquares;
pub use poisson::{FittedPoisson, PoissonParams, PoissonRegression, Prior};
pub use ridge::RidgeRegression;
pub use rows::{Block, RowSource};

/// Why a regression was not fitted.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// A parameter that cannot be used.
    #[error("{parameter} is {value}, it must be {must_be}")]
    Parameter {
        /// Its name.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// What would do.
        must_be: &'static str,
    },
    /// Nothing to learn from.
    #[error("no row has a weight above zero; at least one is needed")]
    NoRows,
    /// A feature, a count or a weight that is not a finite number, or a negative count or weight.
    #[error("row {row} has {value} as its {what}; drop such rows before fitting")]
    NotANumber {
        /// Position among the rows given.
        row: usize,
        /// `feature N`, `count` or `weight`.
        what: String,
        /// The value.
        value: f64,
    },
    /// The normal equations have no solution.
    #[error("the normal equations cannot be solved: {0}; a larger ridge helps")]
    Singular(#[from] linfa_linalg::LinalgError),
    /// linfa's own linear regression refused.
    #[error("least squares: {0}")]
    LeastSquares(#[from] linfa_linear::LinearError<f64>),
    /// linfa refused the data set.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}
