//! Forms beside the Poisson regression: each finds what it is made for.

use linfa::{
    Dataset,
    traits::{Fit, Predict},
};
use ndarray::{Array1, Array2, array};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tidegate_train::fit::{
    FitError, PoissonParams,
    apart::Apart,
    by_kind::ByKind,
    family::{Bernoulli, Family, Poisson, PositivePoisson, Tweedie},
    glm::Glm,
    hurdle::Hurdle,
};

use crate::demand::poisson;

fn glm<F>(family: F) -> Glm<F> {
    Glm { family, ridge: 1e-6, prior: None }
}

fn hurdle() -> Hurdle {
    Hurdle { occurrence: glm(Bernoulli), size: glm(PositivePoisson) }
}

/// Rows of one feature from -1 to 1 and what `draw` makes of it.
fn drawn(n: usize, mut draw: impl FnMut(&mut ChaCha8Rng, f64) -> f64) -> Dataset<f64, f64, ndarray::Ix1> {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let x: Array1<f64> = (0..n).map(|_| rng.random_range(-1.0..1.0)).collect();
    let y = x.mapv(|x| draw(&mut rng, x));
    Dataset::new(x.insert_axis(ndarray::Axis(1)), y)
}

fn positive(rng: &mut ChaCha8Rng, mean: f64) -> f64 {
    loop {
        let y = poisson(rng, mean);
        if y > 0 {
            return y as f64;
        }
    }
}

#[test]
fn a_hurdle_finds_the_share_of_zeros_and_the_sizes_between_them() {
    // Of a request: 1 / (1 + e^(0.85 - x)), about 30 %. Then counts of mean 2 e^(0.5 x) without their zeros.
    let data = drawn(40_000, |rng, x| {
        let occurs = rng.random_bool(Bernoulli.mean(x - 0.85));
        if occurs { positive(rng, 2.0 * (0.5 * x).exp()) } else { 0.0 }
    });
    let fitted = hurdle().fit(&data).unwrap();
    for x in [-0.8, 0.0, 0.8] {
        let row = array![[x]];
        let (p, size) = (Bernoulli.mean(x - 0.85), PositivePoisson.mean(2f64.ln() + 0.5 * x));
        let got = fitted.occurrence.predict(&row)[0];
        assert!((got - p).abs() < 0.02, "a request at {x}: {got}, not {p}");
        let got = fitted.predict(&row)[0];
        assert!((got / (p * size) - 1.0).abs() < 0.05, "mean at {x}: {got}, not {}", p * size);
    }
    let zeros = data.targets().iter().filter(|y| **y == 0.0).count() as f64 / 40_000.0;
    let expected = 1.0 - fitted.occurrence.predict(data.records()).mean().unwrap();
    assert!((zeros - expected).abs() < 1e-4, "{zeros} of zeros, {expected} expected");
}

#[test]
fn a_hurdle_bears_silence_and_counts_without_any() {
    let x = drawn(50, |_, _| 0.0);
    assert!(hurdle().fit(&x).unwrap().predict(x.records()).iter().all(|mean| *mean < 1e-5));
    let ones = Dataset::new(x.records().clone(), Array1::ones(50));
    assert!(hurdle().fit(&ones).unwrap().predict(ones.records()).iter().all(|mean| (mean - 1.0).abs() < 1e-4));
}

#[test]
fn a_tweedie_finds_a_log_linear_mean_among_zeros_and_lumps() {
    // A Poisson number of exponential sizes with variance = mean ^ 1.5: 2 root(mean) of them, each of mean root(mean) / 2.
    let mut zeros = 0;
    let data = drawn(40_000, |rng, x| {
        let root = (0.5 * (0.4 + 0.9 * x)).exp();
        let sizes = poisson(rng, 2.0 * root);
        zeros += usize::from(sizes == 0);
        (0..sizes).map(|_| -(1.0 - rng.random::<f64>()).ln() * root / 2.0).sum()
    });
    assert!(zeros > 2_000, "{zeros}");
    for power in [1.2, 1.5] {
        let fitted = glm(Tweedie { power }).fit(&data).unwrap();
        assert!((fitted.intercept - 0.4).abs() < 0.03 && (fitted.coefficients[0] - 0.9).abs() < 0.04, "{power}: {fitted:?}");
    }
}

#[test]
fn the_shared_descent_gives_the_served_fit() {
    let data = drawn(5_000, |rng, x| poisson(rng, (0.5 + x).exp()) as f64);
    let served = PoissonParams::default().ridge(1e-3).fit(&data).unwrap();
    let fitted = Glm { ridge: 1e-3, ..glm(Poisson) }.fit(&data).unwrap();
    assert!((fitted.intercept - served.intercept).abs() < 1e-9);
    assert!((fitted.coefficients[0] - served.coefficients[0]).abs() < 1e-9);
    let refused = Glm { ridge: -1.0, ..glm(Poisson) }.fit(&data);
    assert!(matches!(refused, Err(FitError::Parameter { parameter: "ridge", .. })));
}

/// Rows whose second feature says their kind; kinds have opposite slopes, and the third hardly any rows.
fn of_three_kinds() -> Dataset<f64, f64, ndarray::Ix1> {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let n = 12_000;
    let kind = |i: usize| if i.is_multiple_of(100) { 2.0 } else { (i % 2) as f64 };
    let x = Array2::from_shape_fn((n, 2), |(i, j)| if j == 1 { kind(i) } else { rng.random_range(-1.0..1.0) });
    let slope = |kind: f64| if kind == 1.0 { -0.8 } else { 0.8 };
    let y = x.outer_iter().map(|row| poisson(&mut rng, (1.0 + slope(row[1]) * row[0]).exp()) as f64).collect();
    Dataset::new(x, y)
}

#[test]
fn each_kind_gets_its_own_slope_unless_it_is_rare_or_leans() {
    let data = of_three_kinds();
    let by_kind = |lean| ByKind { all: glm(Poisson), kinds: 3, kind_of: |row| row[1] as usize, lean };
    let slope = |model: &ByKind, kind: f64| {
        let means = model.fit(&data).unwrap().predict(&array![[0.0, kind], [1.0, kind]]);
        (means[1] / means[0]).ln()
    };
    let free = by_kind(None);
    assert!((slope(&free, 0.0) - 0.8).abs() < 0.05 && (slope(&free, 1.0) + 0.8).abs() < 0.05);
    let all = glm(Poisson).fit(&data).unwrap().coefficients[0];
    assert!(all.abs() < 0.2 && (slope(&free, 2.0) - all).abs() < 1e-9, "120 rows are too few: they get the slope of all");
    assert!((slope(&by_kind(Some(1e9)), 0.0) - all).abs() < 0.01, "held firmly, it is the slope of all");
}

#[test]
fn what_is_told_apart_changes_nothing_for_the_rest() {
    let data = of_three_kinds();
    let apart = Apart { some: glm(Poisson), all: glm(Poisson), is_apart: |row| row[1] == 1.0 };
    let (fitted, all) = (apart.fit(&data).unwrap(), glm(Poisson).fit(&data).unwrap());
    let asked = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let (got, rest) = (fitted.predict(&asked), all.predict(&asked));
    assert_eq!((got[0], got[2]), (rest[0], rest[2]));
    assert!(((got[3] / got[1]).ln() + 0.8).abs() < 0.05, "{got}");
}
