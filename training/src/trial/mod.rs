//! Forms of the model side by side: each fitted on the first part of every source, scored on the rest, on the same rows.
//!
//! - [`form`]: what is tried.
//! - [`report`]: the tables.

pub mod form;
pub mod report;

use anyhow::Context;
use tidegate_planner::forecast::STEPS;

use crate::{
    evaluate::{
        Forecaster, NAIVE, Table,
        backtest::{rows_where, score},
        table::ByGroup,
    },
    matrix::{Class, Pattern, Samples, StepRows},
};
pub use form::Form;

/// How all forms did.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// By source and class of series, as a backtest reports it.
    pub by_class: Table,
    /// By source and pattern of demand.
    pub by_pattern: Table,
}

/// Fits all forms on what lies before the share `from` of each source and scores them on what comes after it. `progress` is told
/// after each fit; there are [`STEPS`] of each of [`Form::ALL`].
///
/// # Errors
/// When a fit has nothing to learn from.
pub fn run(samples: &Samples, from: f64, progress: &dyn Fn()) -> anyhow::Result<Trial> {
    let past = rows_where(samples, |i| samples.ends_before(i, from));
    let future = rows_where(samples, |i| samples.is_from(i, from));
    let mut means = Form::ALL.map(|_| vec![]);
    for step in 0..STEPS {
        let rows = form::table(&StepRows::new(samples, step, &past));
        for (form, means) in Form::ALL.iter().zip(&mut means) {
            let fitted = form.fit_and_predict(&rows, samples);
            means.push(fitted.with_context(|| format!("{} cannot be fitted", form.name()))?);
            progress();
        }
    }
    let mut contenders: Vec<Forecaster> = NAIVE.map(Forecaster::from).into();
    contenders.extend(Form::ALL.iter().zip(means).map(|(form, means)| Forecaster::of_means(form.name(), means)));
    let names: Vec<String> = contenders.iter().map(|c| c.name.clone()).collect();
    let patterns: Vec<Pattern> = (0..samples.len()).map(|i| pattern_of(samples, i)).collect();

    let (mut classes, mut kinds) = (ByGroup::new(), ByGroup::new());
    score(samples, &contenders, &past, &future, |i| samples.class[i], &mut classes);
    score(samples, &contenders, &past, &future, |i| patterns[i], &mut kinds);
    Ok(Trial {
        by_class: Table::of(&names, &classes, &samples.spans, Class::name),
        by_pattern: Table::of(&names, &kinds, &samples.spans, Pattern::name),
    })
}

fn pattern_of(samples: &Samples, i: usize) -> Pattern {
    let x = samples.row(i);
    Pattern::of(|feature| f64::from(x[feature]))
}
