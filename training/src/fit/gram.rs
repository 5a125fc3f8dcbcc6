//! Weighted normal equations. They are sums over rows, so those of blocks, days or regions add up.

use linfa_linalg::cholesky::SolveC;
use ndarray::{Array1, Array2, Axis, Slice, linalg::general_mat_mul};

use super::{Block, FitError, rows::BLOCK_ROWS};

/// Normal equations of a weighted least-squares fit with an intercept.
#[derive(Debug, Clone, PartialEq)]
pub struct Gram {
    /// Σ w x xᵀ, columns x columns.
    xx: Array2<f64>,
    /// Σ w x.
    x: Array1<f64>,
    /// Σ w x z, where z is the response.
    xz: Array1<f64>,
    /// Σ w z.
    z: f64,
    /// Σ w.
    weight: f64,
    /// Weighted rows of the block being added: kept, so that a block costs no allocation.
    weighted: Array2<f64>,
}

impl Gram {
    /// The empty sum for `columns` features.
    pub fn new(columns: usize) -> Self {
        Self {
            xx: Array2::zeros((columns, columns)),
            x: Array1::zeros(columns),
            xz: Array1::zeros(columns),
            z: 0.0,
            weight: 0.0,
            weighted: Array2::zeros((BLOCK_ROWS, columns)),
        }
    }

    /// Adds the rows of `block` with these weights and responses, one of each per row.
    pub fn add(&mut self, block: &Block, weight: &[f64], response: &[f64]) {
        let Self { xx, x, xz, z, weight: total, weighted } = self;
        let [x, xz] = [x, xz].map(|v| v.as_slice_mut().expect("a vector made by zeros is contiguous"));
        let out = weighted.as_slice_mut().expect("a matrix made by zeros is contiguous");
        let columns = x.len().max(1);
        for (k, out) in out.chunks_exact_mut(columns).enumerate().take(block.len) {
            let (w, wz) = (weight[k], weight[k] * response[k]);
            for (((out, v), x), xz) in out.iter_mut().zip(block.row(k)).zip(&mut *x).zip(&mut *xz) {
                *out = w * v;
                *x += w * v;
                *xz += wz * v;
            }
            *z += wz;
            *total += w;
        }
        let weighted = weighted.slice_axis(Axis(0), Slice::from(..block.len));
        general_mat_mul(1.0, &block.features().t(), &weighted, 1.0, xx);
    }

    /// Adds the sums of other rows.
    pub fn merge(&mut self, other: &Self) {
        self.xx += &other.xx;
        self.x += &other.x;
        self.xz += &other.xz;
        self.z += other.z;
        self.weight += other.weight;
    }

    /// Lets all rows so far count for `factor` of what they did: older days fade.
    pub fn decay(&mut self, factor: f64) {
        self.xx *= factor;
        self.x *= factor;
        self.xz *= factor;
        self.z *= factor;
        self.weight *= factor;
    }

    /// Intercept and coefficients of least weighted squares plus `ridge` x the coefficients' squares; the intercept is free.
    ///
    /// # Errors
    /// [`FitError::Singular`] when the equations have no solution, which a ridge above 0 rules out.
    pub fn solve(&self, ridge: f64) -> Result<(f64, Array1<f64>), FitError> {
        let p = self.x.len();
        self.solve_towards(&Array1::from_elem(p, ridge), &Array1::zeros(p))
    }

    /// The same with a ridge of its own for each coefficient, which pulls it towards a value of its own.
    ///
    /// # Errors
    /// As [`Gram::solve`].
    pub fn solve_towards(&self, ridge: &Array1<f64>, towards: &Array1<f64>) -> Result<(f64, Array1<f64>), FitError> {
        let p = self.x.len();
        let centre = &self.x / self.weight;
        let outer = centre.view().insert_axis(Axis(1)).dot(&self.x.view().insert_axis(Axis(0)));
        let mut lhs = &self.xx - &outer;
        for j in 0..p {
            lhs[[j, j]] += ridge[j];
        }
        let rhs = &self.xz - &(&centre * self.z) + &(ridge * towards);
        let coefficients = lhs.solvec(&rhs.insert_axis(Axis(1)))?.remove_axis(Axis(1));
        let intercept = self.z / self.weight - coefficients.dot(&centre);
        Ok((intercept, coefficients))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn of(x: &Array2<f64>, w: &[f64], z: &[f64]) -> Gram {
        let mut block = Block::new(x.ncols());
        block.len = x.nrows();
        for (to, from) in block.rows_mut().zip(x.rows()) {
            to.copy_from_slice(&from.to_vec());
        }
        let mut g = Gram::new(x.ncols());
        g.add(&block, w, z);
        g
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let x = array![[1.0, 2.0], [0.5, -1.0], [3.0, 0.1], [-2.0, 4.0]];
        let (w, z) = ([1.0, 2.0, 0.5, 1.5], [1.0, 0.0, 2.0, -3.0]);
        let whole = of(&x, &w, &z).solve(0.1).unwrap();
        let mut merged = of(&x.slice_axis(Axis(0), Slice::from(..2)).to_owned(), &w[..2], &z[..2]);
        merged.merge(&of(&x.slice_axis(Axis(0), Slice::from(2..)).to_owned(), &w[2..], &z[2..]));
        let merged = merged.solve(0.1).unwrap();
        assert!((whole.0 - merged.0).abs() < 1e-12 && (&whole.1 - &merged.1).iter().all(|d| d.abs() < 1e-12));
    }

    #[test]
    fn decayed_rows_count_for_less() {
        let x = array![[0.0], [1.0]];
        let mut old = of(&x, &[1.0, 1.0], &[0.0, 1.0]);
        old.decay(1e-9);
        old.merge(&of(&x, &[1.0, 1.0], &[5.0, 8.0]));
        let (intercept, coefficients) = old.solve(0.0).unwrap();
        assert!((intercept - 5.0).abs() < 1e-6 && (coefficients[0] - 3.0).abs() < 1e-6);
    }

    #[test]
    fn a_dependent_column_needs_a_ridge() {
        let x = array![[-1.0, -1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, 1.0]];
        let g = of(&x, &[1.0; 4], &[1.0, 2.0, 3.0, 4.0]);
        assert!(matches!(g.solve(0.0), Err(FitError::Singular(_))));
        assert!(g.solve(1e-6).unwrap().1.iter().all(|c| c.abs() < 1.0));
    }
}
