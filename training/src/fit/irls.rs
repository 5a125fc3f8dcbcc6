//! Iteratively reweighted least squares: Fisher scoring on Gram matrices, which for a Poisson mean with a log link is Newton's method.

use ndarray::Array1;

use super::{
    Block, FitError, Prior, RowSource,
    family::{ETA_MAX, Family},
    gram::Gram,
    scale::Scale,
};

/// Smallest mean, so that a working response never divides by zero.
pub const MU_FLOOR: f64 = 1e-6;

/// A point in the space of intercepts and coefficients of standardised columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Linear predictor where every standardised feature is zero.
    pub intercept: f64,
    /// One per column.
    pub coefficients: Array1<f64>,
}

impl Point {
    fn towards(&self, other: &Self, share: f64) -> Self {
        let mix = |a: f64, b: f64| a + share * (b - a);
        let mut coefficients = self.coefficients.clone();
        coefficients.zip_mut_with(&other.coefficients, |a, &b| *a = mix(*a, b));
        Self { intercept: mix(self.intercept, other.intercept), coefficients }
    }

    fn distance(&self, other: &Self) -> f64 {
        let apart = (&self.coefficients - &other.coefficients).iter().fold(0.0_f64, |m, d| m.max(d.abs()));
        apart.max((self.intercept - other.intercept).abs())
    }
}

/// When to stop and how far to shrink.
#[derive(Debug, Clone, PartialEq)]
pub struct Descent {
    /// Ridge of each coefficient, on standardised columns.
    pub ridge: Array1<f64>,
    /// What each coefficient is pulled towards.
    pub towards: Array1<f64>,
    /// Most passes over the rows.
    pub passes: usize,
    /// Change of every standardised coefficient below which the fit has converged.
    pub tolerance: f64,
}

impl Descent {
    /// Brings a prior and its ridge `unit`, that of a stiffness of 1, from the columns as they come to the standardised ones.
    ///
    /// # Errors
    /// [`FitError::Parameter`] when the prior holds no usable numbers, or not one for each column.
    pub fn new(prior: Option<&Prior>, unit: f64, scale: &Scale) -> Result<Self, FitError> {
        let columns = scale.mean.len();
        let none = Prior { towards: vec![0.0; columns], stiffness: vec![1.0; columns] };
        let prior = prior.unwrap_or(&none);
        prior.check()?;
        if prior.towards.len() != columns || prior.stiffness.len() != columns {
            let value = prior.towards.len() as f64;
            return Err(FitError::Parameter { parameter: "number of prior beliefs", value, must_be: "the number of features" });
        }
        let spread = |inverse: f64| if inverse > 0.0 { 1.0 / inverse } else { 0.0 };
        let towards = prior.towards.iter().zip(&scale.inverse).map(|(b, i)| b * spread(*i)).collect();
        let ridge = prior.stiffness.iter().map(|s| s * unit).collect();
        Ok(Self { ridge, towards, passes: 1, tolerance: f64::INFINITY })
    }

    /// The same with a bound on passes, and the change of coefficients below which it has converged.
    #[must_use]
    pub fn within(self, passes: usize, tolerance: f64) -> Self {
        Self { passes, tolerance, ..self }
    }

    fn penalty(&self, at: &Point) -> f64 {
        let off = &at.coefficients - &self.towards;
        0.5 * (&off * &off).dot(&self.ridge)
    }
}

/// Walks from `start` to the penalised maximum of the likelihood of `rows`. Returns it and the passes it took.
///
/// # Errors
/// [`FitError::Singular`] when a step cannot be solved, which a ridge above 0 rules out.
pub fn descend(
    family: &impl Family,
    rows: &impl RowSource,
    scale: &Scale,
    start: Point,
    how: &Descent,
) -> Result<(Point, usize), FitError> {
    let (mut here, mut best) = (start, None::<(f64, Point)>);
    for pass in 1..=how.passes {
        let (gram, loss) = sweep(family, rows, scale, &here)?;
        let objective = loss + how.penalty(&here);
        let downhill = |least: f64| objective <= least + 1e-12 * (1.0 + least.abs());
        if let Some((least, from)) = &best
            && !downhill(*least)
        {
            // The step overshot: half of it, or half of that, goes downhill, since the loss is convex.
            here = from.towards(&here, 0.5);
            if here.distance(from) < how.tolerance {
                return Ok((from.clone(), pass));
            }
            continue;
        }
        let (intercept, coefficients) = gram.solve_towards(&how.ridge, &how.towards)?;
        let next = Point { intercept, coefficients };
        let moved = here.distance(&next);
        best = Some((objective, here));
        here = next;
        if moved < how.tolerance {
            return Ok((here, pass));
        }
    }
    Ok((best.map_or(here, |(_, point)| point), how.passes))
}

/// One pass at `point`: the normal equations of the next step, and the loss up to a constant.
fn sweep(family: &impl Family, rows: &impl RowSource, scale: &Scale, point: &Point) -> Result<(Gram, f64), FitError> {
    let p = rows.columns();
    let mut gram = Gram::new(p);
    let mut loss = 0.0;
    let (mut weight, mut response) = (vec![], vec![]);
    rows.each_block(|_, block| {
        standardise(block, scale);
        let eta = block.features().dot(&point.coefficients);
        weight.clear();
        response.clear();
        for (k, eta) in eta.iter().enumerate() {
            let eta = (point.intercept + eta).clamp(-ETA_MAX, ETA_MAX);
            let local = family.at(eta, block.y[k], block.at_least[k]);
            let w = block.weight[k];
            loss += w * local.loss;
            weight.push(w * local.curvature);
            response.push(eta + local.step);
        }
        gram.add(block, &weight, &response);
        Ok::<(), FitError>(())
    })?;
    Ok((gram, loss))
}

/// Brings a block's columns to mean 0 and spread 1; constant columns to 0.
pub fn standardise(block: &mut Block, scale: &Scale) {
    let [mean, inverse] = [&scale.mean, &scale.inverse].map(|v| v.as_slice().expect("a vector made by zeros is contiguous"));
    for row in block.rows_mut() {
        for ((v, mean), inverse) in row.iter_mut().zip(mean).zip(inverse) {
            *v = (*v - mean) * inverse;
        }
    }
}
