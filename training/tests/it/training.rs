//! From a journal to a champion, and only to a better one.

use std::fs;

use tempfile::{TempDir, tempdir};
use tidegate_planner::{
    Model,
    features::COUNT,
    forecast::{Regression, STEPS},
};
use tidegate_registry::Registry;
use tidegate_train::{
    evaluate::{backtest, score_model},
    matrix::{Options, Samples},
    pipeline::{Past, gather, train},
    progress::Progress,
    promote::{Artefact, Origin, Verdict, verdict},
};
use tidegate_wire::Timestamp;

use crate::demand::{START, journal, wandering};

fn samples(windows: i64) -> Samples {
    let dir = tempdir().unwrap();
    journal(dir.path(), &wandering(windows));
    gather(&Past::Journal(dir.path().into(), 30), 1.0, Options::default(), &Progress::Hidden).unwrap()
}

fn origin(id: &str) -> Origin {
    let command = "tidegate-train fit".into();
    Origin { id: id.into(), created_at: Timestamp::from_secs(START), step_s: 30, command }
}

/// A model that forecasts the 5-minute average times `factor`.
fn simple(factor: f64) -> Model {
    let mut coefficients = vec![0.0; COUNT];
    coefficients[0] = 1.0;
    let step = Regression { intercept: factor.ln() - 64f64.ln(), coefficients };
    Model::new("simple", 30, vec![step; STEPS], 0.1)
}

#[test]
fn a_fit_that_beats_the_naive_forecasts_wins_and_is_served() {
    let samples = samples(2_000);
    let (artefact, outcome) = train(&samples, None, &origin("first"), &Progress::Hidden).unwrap();
    assert_eq!(verdict(&outcome), Verdict::Won, "{:?}", outcome.table.overall);
    let models = tempdir().unwrap();
    let registry = Registry::new(models.path(), 30);
    registry.install("first", &artefact.files()).unwrap();
    registry.promote("first").unwrap();
    assert_eq!(registry.champion().unwrap().model, artefact.model);
    assert!(artefact.model_json.len() < 100_000);
    for part in ["## Data", "journal", "## Backtest", "EWMA 5 min", "## Coefficients", "known_trend_5m", "tidegate-train fit"] {
        assert!(artefact.card.contains(part), "the card lacks {part}");
    }
}

#[test]
fn the_same_data_give_the_same_bytes() {
    let make = || -> Artefact { train(&samples(400), None, &origin("m"), &Progress::Hidden).unwrap().0 };
    assert_eq!(make(), make());
}

#[test]
fn a_challenger_that_is_no_better_does_not_win() {
    let samples = samples(2_000);
    let (fitted, _) = train(&samples, None, &origin("champion"), &Progress::Hidden).unwrap();
    let again = backtest(&samples, Some(&fitted.model), &|| {}).unwrap();
    assert!(matches!(verdict(&again), Verdict::Lost { to, .. } if to == "champion"), "{:?}", again.table.overall);
    let against_worse = backtest(&samples, Some(&simple(2.0)), &|| {}).unwrap();
    assert_eq!(verdict(&against_worse), Verdict::Won);
}

#[test]
fn a_wrong_model_scores_worse_than_the_naive_forecasts() {
    let samples = samples(1_000);
    let good = score_model(&samples, &simple(1.0), 0.5);
    let bad = score_model(&samples, &simple(3.0), 0.5);
    let score = |table: &tidegate_train::evaluate::Table, name: &str| table.line(name).unwrap().score;
    assert!(score(&bad, "simple") > score(&bad, "EWMA 5 min"));
    assert!(score(&good, "simple") < score(&bad, "simple"));
    let (simple, average) = (good.line("simple").unwrap().deviance, good.line("EWMA 5 min").unwrap().deviance);
    assert!((simple / average - 1.0).abs() < 0.1, "it is that average: {simple} {average}");
}

#[test]
fn too_few_windows_are_said_to_be_too_few() {
    let dir = tempdir().unwrap();
    journal(dir.path(), &wandering(1));
    let error = gather(&Past::Journal(dir.path().into(), 30), 1.0, Options::default(), &Progress::Hidden).unwrap_err();
    assert!(error.to_string().contains("too few windows"), "{error}");
}

/// A data directory with a journal and a models directory.
pub fn workplace(windows: i64) -> TempDir {
    let dir = tempdir().unwrap();
    fs::create_dir(dir.path().join("data")).unwrap();
    journal(&dir.path().join("data/journal"), &wandering(windows));
    dir
}
