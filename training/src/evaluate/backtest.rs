//! Rolling origin: fit on what came before a cut, forecast what came after it, for several cuts.

use std::collections::BTreeMap;

use tidegate_planner::{
    Model,
    features::NAMES,
    forecast::{STEPS, quantile::GammaTable},
};

use super::{
    Forecaster, NAIVE, Table,
    loss::{quantile_loss, quantiles},
    table::{ByGroup, Sums},
};
use crate::{
    fit::{FitError, FittedPoisson, LogLeastSquares, PoissonParams, Prior, dispersion::Dispersion},
    matrix::{Class, Part, Samples, StepRows},
};

use linfa::ParamGuard;

/// Cuts between past and future, as shares of each source; the last is the end.
const CUTS: [f64; 4] = [0.4, 0.6, 0.8, 1.0];
/// Name of the champion's line.
pub const CHAMPION: &str = "champion";

/// Ridge of every fit.
pub const RIDGE: f64 = 1e-3;
/// How firmly the coefficient of the level is held at 1: the forecast of a series ten times as busy is ten times as high, also
/// beyond the busiest that was seen.
const LEVEL_STIFFNESS: f64 = 1e4;
/// How firmly the coefficients are held at 0 of what is one value for all series of a time or place: a few days or nodes
/// look like many rows, and are few.
const SHARED_STIFFNESS: f64 = 100.0;
const SHARED: [&str; 5] = ["unsure_hour_sin", "unsure_hour_cos", "unsure_bytes_mean", "unsure_cpu", "unsure_memory"];

/// What is believed of the coefficients before any row is seen: tomorrow is as the last minutes.
pub fn belief() -> Prior {
    let stiffness = |name: &&str| match *name {
        "log_level" => LEVEL_STIFFNESS,
        name if SHARED.contains(&name) => SHARED_STIFFNESS,
        _ => 1.0,
    };
    let towards = NAMES.iter().map(|name| if *name == "log_level" { 1.0 } else { 0.0 }).collect();
    Prior { towards, stiffness: NAMES.iter().map(stiffness).collect() }
}

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
        let poisson = PoissonParams::default().ridge(RIDGE).prior(belief()).check()?;
        let squares = LogLeastSquares { ridge: RIDGE, prior: Some(belief()) };
        let fit = |step| {
            let rows = StepRows::new(samples, step, part);
            match self {
                Self::Poisson => poisson.fit_rows(&rows),
                Self::LogLeastSquares => squares.fit_rows(&rows),
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
        score(samples, &contenders, &past, &future, |i| samples.class[i], &mut sums);
        names = contenders.into_iter().map(|c| c.name).collect();
        progress();
    }
    let table = Table::of(&names, &sums, &samples.spans, Class::name);
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
    let past = if past.is_empty() { &future } else { &past };
    score(samples, &contenders, past, &future, |i| samples.class[i], &mut sums);
    let names: Vec<String> = contenders.into_iter().map(|c| c.name).collect();
    Table::of(&names, &sums, &samples.spans, Class::name)
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
            Some((contender.mean(samples, i, step), f64::from(y), f64::from(samples.weight[i])))
        })
    })
}

/// Rows of a group from which its spread can be told; with fewer, that of all rows stands in.
const ENOUGH: usize = 50;

/// Adds the losses of `contenders` on the rows of `future` to `sums`, by source and the class that `class_of` gives a row.
pub fn score<C: Copy + Ord>(
    samples: &Samples,
    contenders: &[Forecaster],
    past: &[u32],
    future: &[u32],
    class_of: impl Fn(usize) -> C,
    sums: &mut ByGroup<C>,
) {
    let gamma = GammaTable::default();
    let history = by_group(samples, past, &class_of);
    for (key, rows) in by_group(samples, future, &class_of) {
        let own = history.get(&key).filter(|rows| rows.len() >= ENOUGH).map_or(past, Vec::as_slice);
        let group = sums.entry(key).or_insert_with(|| vec![Sums::default(); contenders.len()]);
        for (contender, sums) in contenders.iter().zip(group) {
            for step in 0..STEPS {
                let spread = sharpest(&gamma, samples, contender, step, own);
                for i in rows.iter().map(|&i| i as usize) {
                    let Some(y) = samples.exact(i, step) else { continue };
                    let mu = contender.mean(samples, i, step);
                    sums.add(mu, quantiles(&gamma, mu, spread), f64::from(y), f64::from(samples.weight[i]));
                }
            }
        }
    }
}

/// Rows looked at for one spread.
const SPREAD_ROWS: usize = 1_000;
/// Spreads to choose from.
const SPREADS: [f64; 10] = [0.0, 0.01, 0.03, 0.1, 0.3, 0.7, 1.5, 4.0, 10.0, 30.0];

/// The dispersion whose quantiles around the forecasts of `contender` had the least loss on the rows of `part`.
fn sharpest(gamma: &GammaTable, samples: &Samples, contender: &Forecaster, step: usize, part: &[u32]) -> f64 {
    let mut losses = [0.0; SPREADS.len()];
    for i in part.iter().step_by(part.len().div_ceil(SPREAD_ROWS).max(1)).map(|&i| i as usize) {
        let Some(y) = samples.exact(i, step) else { continue };
        let mu = contender.mean(samples, i, step);
        for (loss, spread) in losses.iter_mut().zip(SPREADS) {
            *loss += f64::from(samples.weight[i]) * quantile_loss(quantiles(gamma, mu, spread), f64::from(y));
        }
    }
    let best = losses.iter().zip(SPREADS).min_by(|a, b| a.0.total_cmp(b.0));
    best.map_or(0.0, |(_, spread)| spread)
}

/// Rows of each source and the class that `class_of` gives a row.
pub fn by_group<C: Ord>(samples: &Samples, part: &[u32], class_of: impl Fn(usize) -> C) -> BTreeMap<(u16, C), Part> {
    let mut groups = BTreeMap::<_, Part>::new();
    for &i in part {
        let key = (samples.source[i as usize], class_of(i as usize));
        groups.entry(key).or_default().push(i);
    }
    groups
}
