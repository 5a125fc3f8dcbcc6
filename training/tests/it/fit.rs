//! The fit finds what is there, agrees with an oracle, and survives columns and counts that carry nothing.

use linfa::{
    Dataset, ParamGuard,
    traits::{Fit, Predict},
};
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2, array};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tidegate_train::fit::{Block, FitError, FittedPoisson, LogLeastSquares, PoissonParams, RowSource, gram::Gram, rows::BLOCK_ROWS};

/// A Poisson draw by counting unit-rate arrivals, fine for small means.
fn poisson(rng: &mut ChaCha8Rng, mean: f64) -> f64 {
    let (mut count, mut time) = (0.0, -rng.random::<f64>().ln());
    while time < mean {
        count += 1.0;
        time -= rng.random::<f64>().ln();
    }
    count
}

fn drawn(n: usize, intercept: f64, coefficients: &[f64]) -> Dataset<f64, f64, ndarray::Ix1> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let x = Array2::from_shape_fn((n, coefficients.len()), |_| rng.random_range(-1.0..1.0));
    let beta = Array1::from(coefficients.to_vec());
    let y = x.dot(&beta).mapv(|eta: f64| poisson(&mut rng, (intercept + eta).exp()));
    Dataset::new(x, y)
}

fn fit(data: &Dataset<f64, f64, ndarray::Ix1>, ridge: f64) -> FittedPoisson {
    PoissonParams::default().ridge(ridge).fit(data).unwrap()
}

#[test]
fn known_coefficients_are_recovered() {
    let fitted = fit(&drawn(20_000, 0.7, &[0.5, -0.8, 0.0]), 0.0);
    assert!((fitted.intercept - 0.7).abs() < 0.02, "{fitted:?}");
    for (got, want) in fitted.coefficients.iter().zip([0.5, -0.8, 0.0]) {
        assert!((got - want).abs() < 0.03, "{fitted:?}");
    }
}

#[test]
fn a_yes_or_no_feature_gives_the_two_means() {
    let data = Dataset::new(array![[0.0], [0.0], [0.0], [1.0], [1.0]], array![0.0, 1.0, 5.0, 4.0, 8.0]);
    let fitted = fit(&data, 0.0);
    let means = fitted.predict(&array![[0.0], [1.0]]);
    assert!((means[0] - 2.0).abs() < 1e-7 && (means[1] - 6.0).abs() < 1e-7, "{means}");
}

#[test]
fn the_score_is_zero_at_the_fit() {
    let data = drawn(3_000, 0.2, &[1.0, -0.5]);
    let fitted = fit(&data, 0.0);
    let residual = data.targets() - &fitted.predict(data.records());
    let score = data.records().t().dot(&residual) / 3_000.0;
    assert!(residual.mean().unwrap().abs() < 1e-9 && score.iter().all(|s| s.abs() < 1e-9), "{score}");
}

#[test]
fn normal_equations_agree_with_linfa() {
    let data = drawn(500, 0.2, &[1.0, -0.5, 0.3]);
    let oracle = LinearRegression::new().fit(&data).unwrap();
    let (mut gram, mut block) = (Gram::new(3), Block::new(3));
    block.len = 500;
    for (to, from) in block.rows_mut().zip(data.records().rows()) {
        to.copy_from_slice(&from.to_vec());
    }
    gram.add(&block, &[1.0; 500], &data.targets().to_vec());
    let (intercept, coefficients) = gram.solve(0.0).unwrap();
    assert!((intercept - oracle.intercept()).abs() < 1e-10);
    assert!((&coefficients - oracle.params()).iter().all(|d| d.abs() < 1e-10));
}

#[test]
fn a_weight_counts_as_so_many_rows() {
    let (x, y) = (array![[0.1], [0.9], [0.4]], array![1.0, 4.0, 2.0]);
    let weighted = Dataset::new(x, y).with_weights(array![1.0_f32, 3.0, 2.0]);
    let repeated = Dataset::new(array![[0.1], [0.9], [0.9], [0.9], [0.4], [0.4]], array![1.0, 4.0, 4.0, 4.0, 2.0, 2.0]);
    let (a, b) = (fit(&weighted, 1e-3), fit(&repeated, 1e-3));
    assert!((a.intercept - b.intercept).abs() < 1e-9 && (a.coefficients[0] - b.coefficients[0]).abs() < 1e-9);
}

#[test]
fn columns_that_carry_nothing_do_no_harm() {
    let data = drawn(2_000, 0.5, &[0.6]);
    let plain = fit(&data, 1e-4);
    let first = data.records().column(0);
    let mut x = Array2::zeros((2_000, 5));
    x.column_mut(0).assign(&first);
    x.column_mut(1).assign(&first);
    x.column_mut(2).fill(1e6);
    x.column_mut(4).assign(&(&first * 1e6));
    let wide = fit(&Dataset::new(x.clone(), data.targets().clone()), 1e-4);
    assert_eq!((wide.coefficients[2], wide.coefficients[3]), (0.0, 0.0));
    let drift = wide.predict(&x) - plain.predict(data.records());
    assert!(drift.iter().all(|d| d.abs() < 1e-3), "{wide:?}");
}

#[test]
fn silence_is_learned_as_silence() {
    let data = Dataset::new(drawn(100, 0.0, &[1.0]).records().clone(), Array1::zeros(100));
    let fitted = fit(&data, 1e-4);
    assert!(fitted.predict(data.records()).iter().all(|&mu| (0.0..1e-5).contains(&mu)), "{fitted:?}");
}

#[test]
fn what_is_not_a_number_is_named() {
    let refuse = |x: Array2<f64>, y: Array1<f64>| PoissonParams::default().fit(&Dataset::new(x, y)).unwrap_err().to_string();
    assert!(refuse(array![[1.0, 0.0], [2.0, f64::NAN]], array![1.0, 1.0]).starts_with("row 1 has NaN as its feature 1"));
    assert!(refuse(array![[1.0, f64::INFINITY]], array![1.0]).contains("feature 1"));
    assert!(refuse(array![[1.0]], array![f64::NAN]).contains("count"));
    assert!(refuse(array![[1.0]], array![-1.0]).contains("count"));
    assert!(refuse(Array2::zeros((0, 1)), array![]).contains("no row"));
}

#[test]
fn parameters_are_checked_before_a_fit() {
    let data = drawn(10, 0.0, &[1.0]);
    for bad in [PoissonParams::default().ridge(-1.0), PoissonParams::default().passes(0), PoissonParams::default().tolerance(f64::NAN)] {
        assert!(matches!(bad.fit(&data), Err(FitError::Parameter { .. })), "{bad:?}");
        assert!(bad.check().is_err());
    }
}

/// Rows of one column of ones and random counts, of which those of 3 and more are known only as "at least 3".
struct Capped(Vec<f64>);

impl RowSource for Capped {
    fn columns(&self) -> usize {
        1
    }
    fn rows(&self) -> usize {
        self.0.len()
    }
    fn load(&self, from: usize, block: &mut Block) {
        block.len = BLOCK_ROWS.min(self.rows() - from);
        for k in 0..block.len {
            let y = self.0[from + k];
            block.x[[k, 0]] = 1.0;
            block.y[k] = y.min(3.0);
            block.at_least[k] = y >= 3.0;
        }
    }
}

#[test]
fn capped_counts_do_not_pull_the_mean_down() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let counts: Vec<f64> = (0..20_000).map(|_| poisson(&mut rng, 4.0)).collect();
    let fitted = PoissonParams::default().passes(200).check().unwrap().fit_rows(&Capped(counts)).unwrap();
    assert!((fitted.intercept.exp() - 4.0).abs() < 0.1, "{}", fitted.intercept.exp());
}

#[test]
fn the_shortcut_for_many_rows_leads_to_the_same_fit() {
    let data = drawn(120_000, 0.0, &[0.5, -0.4]);
    let fitted = fit(&data, 0.0);
    let residual = data.targets() - &fitted.predict(data.records());
    let score = data.records().t().dot(&residual) / 120_000.0;
    assert!(fitted.passes < 6 && score.iter().all(|s| s.abs() < 1e-9), "{fitted:?} {score}");
}

#[test]
fn the_challenger_is_right_on_average() {
    let data = drawn(20_000, 0.3, &[0.8, -0.2]);
    struct Rows(Dataset<f64, f64, ndarray::Ix1>);
    impl RowSource for Rows {
        fn columns(&self) -> usize {
            3
        }
        fn rows(&self) -> usize {
            self.0.targets().len()
        }
        fn load(&self, from: usize, block: &mut Block) {
            block.len = BLOCK_ROWS.min(self.rows() - from);
            for k in 0..block.len {
                block.x[[k, 0]] = self.0.records()[[from + k, 0]];
                block.x[[k, 1]] = self.0.records()[[from + k, 1]];
                block.x[[k, 2]] = block.x[[k, 0]];
                block.y[k] = self.0.targets()[from + k];
            }
        }
    }
    let rows = Rows(data);
    let fitted = LogLeastSquares::default().fit_rows(&rows).unwrap();
    let expected: f64 = rows.0.records().rows().into_iter().map(|r| fitted.mean([r[0], r[1], r[0]])).sum();
    assert!((expected / rows.0.targets().sum() - 1.0).abs() < 1e-9);
    assert!(fitted.coefficients.iter().all(|c| c.abs() < 2.0), "the duplicate column is tamed: {fitted:?}");
}
