//! Rolling origin: fit on what came before a cut, forecast what came after it, for several cuts.

use tidegate_planner::{
    Model,
    forecast::{STEPS, quantile::GammaTable},
};

use super::{
    Forecaster, NAIVE, Table,
    loss::quantiles,
    table::{ByGroup, Sums},
};
use crate::{
    fit::{FitError, FittedPoisson, LogLeastSquares, PoissonParams, dispersion::Dispersion},
    matrix::{Part, Samples, StepRows},
};

use linfa::ParamGuard;

/// Cuts between past and future, as shares of each source; the last is the end.
const CUTS: [f64; 4] = [0.4, 0.6, 0.8, 1.0];
/// Name of the champion's line.
pub const CHAMPION: &str = "champion";

/// What is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Poisson regression with a log link.
    Poisson,
    /// Least squares on a log scale, by linfa.
    LogLeastSquares,
}

impl Kind {
    /// All kinds, each tried in every backtest.
    pub const ALL: [Self; 2] = [Self::Poisson, Self::LogLeastSquares];

    /// Its name, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Poisson => "Poisson",
            Self::LogLeastSquares => "log least squares",
        }
    }

    /// Fits one regression per step on `part` of `samples`.
    ///
    /// # Errors
    /// [`FitError`] when there is nothing to learn from or a row cannot be used.
    pub fn fit(self, samples: &Samples, part: &[u32]) -> Result<Vec<FittedPoisson>, FitError> {
        let fit = |step| {
            let rows = StepRows::new(samples, step, part);
            match self {
                Self::Poisson => PoissonParams::default().check()?.fit_rows(&rows),
                Self::LogLeastSquares => LogLeastSquares::default().fit_rows(&rows),
            }
        };
        (0..STEPS).map(fit).collect()
    }
}

/// Outcome of a backtest.
#[derive(Debug, Clone, PartialEq)]
pub struct Backtest {
    /// Losses of all contenders.
    pub table: Table,
    /// The kind that did best.
    pub best: Kind,
}

/// Compares both kinds of fit, the naive forecasts and the champion on all cuts. `progress` is told after each cut.
///
/// The champion may have been fitted on some of what it is scored on: that favours it, never the challenger.
///
/// # Errors
/// [`FitError`] of a fit.
pub fn backtest(samples: &Samples, champion: Option<&Model>, progress: &dyn Fn()) -> Result<Backtest, FitError> {
    let mut sums = ByGroup::new();
    let mut names = vec![];
    for cut in CUTS.windows(2) {
        let past = rows_where(samples, |i| samples.ends_before(i, cut[0]));
        let future = rows_where(samples, |i| samples.is_from(i, cut[0]) && !samples.is_from(i, cut[1]));
        let mut contenders: Vec<Forecaster> = NAIVE.map(Forecaster::from).into();
        for kind in Kind::ALL {
            contenders.push(Forecaster::of_fits(kind.name(), &kind.fit(samples, &past)?));
        }
        contenders.extend(champion.map(|m| Forecaster::of_model(CHAMPION, m)));
        score(samples, &contenders, &past, &future, &mut sums);
        names = contenders.into_iter().map(|c| c.name).collect();
        progress();
    }
    let table = Table::of(&names, &sums, &samples.spans);
    let score_of = |kind: &Kind| table.line(kind.name()).map_or(f64::INFINITY, |l| l.score);
    let best = Kind::ALL.into_iter().min_by(|a, b| score_of(a).total_cmp(&score_of(b))).unwrap_or(Kind::Poisson);
    Ok(Backtest { table, best })
}

/// Compares `model` with the naive forecasts on all rows of `samples`; spreads are learned from `past` rows.
pub fn score_model(samples: &Samples, model: &Model, from: f64) -> Table {
    let past = rows_where(samples, |i| samples.ends_before(i, from));
    let future = rows_where(samples, |i| samples.is_from(i, from));
    let mut contenders: Vec<Forecaster> = NAIVE.map(Forecaster::from).into();
    contenders.push(Forecaster::of_model(&model.id, model));
    let mut sums = ByGroup::new();
    score(samples, &contenders, if past.is_empty() { &future } else { &past }, &future, &mut sums);
    let names: Vec<String> = contenders.into_iter().map(|c| c.name).collect();
    Table::of(&names, &sums, &samples.spans)
}

/// Indices of the rows for which `keep` holds.
pub fn rows_where(samples: &Samples, keep: impl Fn(usize) -> bool) -> Part {
    (0..samples.len()).filter(|&i| keep(i)).map(|i| i as u32).collect()
}

/// Spread of the counts around the forecasts of `contender` at `step`.
pub fn spread(samples: &Samples, contender: &Forecaster, step: usize, part: &[u32]) -> f64 {
    let rows = part.iter().map(|&i| i as usize);
    Dispersion::of(|| {
        rows.clone().filter_map(|i| {
            let y = samples.exact(i, step)?;
            Some((contender.mean(samples.row(i), step), f64::from(y), f64::from(samples.weight[i])))
        })
    })
}

fn score(samples: &Samples, contenders: &[Forecaster], past: &[u32], future: &[u32], sums: &mut ByGroup) {
    let gamma = GammaTable::default();
    for step in 0..STEPS {
        let spreads: Vec<f64> = contenders.iter().map(|c| spread(samples, c, step, past)).collect();
        for &i in future {
            let i = i as usize;
            let Some(y) = samples.exact(i, step) else { continue };
            let key = (samples.source[i], samples.class[i]);
            let group = sums.entry(key).or_insert_with(|| vec![Sums::default(); contenders.len()]);
            for ((contender, spread), sums) in contenders.iter().zip(&spreads).zip(group) {
                let mu = contender.mean(samples.row(i), step);
                sums.add(mu, quantiles(&gamma, mu, *spread), f64::from(y), f64::from(samples.weight[i]));
            }
        }
    }
}
