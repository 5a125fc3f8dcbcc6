//! Rows carry what the planner would have seen, and what came after it.

use tempfile::tempdir;
use tidegate_planner::forecast::STEPS;
use tidegate_train::{
    dataset::{Source, read_journal},
    matrix::{Class, Options, Samples, build},
};
use tidegate_wire::{BucketCounts, Report};

use crate::demand::{counts, journal, report, wandering};

fn source(reports: &[Report]) -> Source {
    let dir = tempdir().unwrap();
    journal(dir.path(), reports);
    read_journal(dir.path(), 30, &|| {}).unwrap()
}

pub fn rows(reports: &[Report], options: Options) -> Samples {
    let mut samples = Samples::default();
    build(&source(reports), options, &mut samples, &|| {});
    samples
}

fn all() -> Options {
    Options { rows: 1_000_000, ..Options::default() }
}

#[test]
fn targets_are_the_next_windows() {
    let reports: Vec<_> = (0..10).map(|w| report(w, vec![counts("a", 10 * (w as u64 + 1))])).collect();
    let samples = rows(&reports, all());
    let bucket: Vec<usize> = (0..samples.len()).filter(|&i| samples.class[i] != Class::Total).collect();
    assert_eq!(bucket.len(), 9, "each window but the last has something to forecast");
    let third = bucket[2];
    assert_eq!(samples.naive[third][0], 30.0);
    assert_eq!([0, 1, 2, 3].map(|k| samples.exact(third, k)), [Some(40.0), Some(50.0), Some(60.0), Some(70.0)]);
    assert_eq!(samples.exact(bucket[8], 0), Some(100.0));
    assert_eq!(samples.exact(bucket[8], 1), None, "what lies behind the end is not known");
    let totals = samples.class.iter().filter(|c| **c == Class::Total).count();
    assert_eq!(totals, 9, "the node's total is a series too");
}

#[test]
fn silence_of_a_node_is_not_taken_for_silence_of_its_clients() {
    let reports: Vec<_> = (0..20).filter(|w| *w != 10).map(|w| report(w, vec![counts("a", 10)])).collect();
    let samples = rows(&reports, all());
    for i in 0..samples.len() {
        assert_ne!(samples.window[i], 10, "no row is made of a window that was not reported");
        let unreported = 10_i64 - i64::from(samples.window[i]) - 1;
        for step in 0..STEPS {
            let known = samples.exact(i, step);
            let exists = samples.window[i] + 1 + (step as u32) < 20;
            assert_eq!(known, (exists && step as i64 != unreported).then_some(10.0));
        }
    }
}

#[test]
fn throttled_windows_are_lower_bounds_and_retries_are_taken_off() {
    let refused = BucketCounts { throttled: 30, retries: 15, ..counts("a", 100) };
    let reports: Vec<_> = (0..8).map(|w| report(w, vec![if w == 5 { refused.clone() } else { counts("a", 10) }])).collect();
    let samples = rows(&reports, all());
    let before: Vec<usize> = (0..samples.len()).filter(|&i| samples.window[i] == 4).collect();
    assert_eq!(before.len(), 2);
    for i in before {
        assert_eq!((samples.known[i] & 1, samples.at_least[i] & 1, samples.targets[0][i]), (1, 1, 85.0));
        assert_eq!(samples.exact(i, 0), None, "a bound is not scored");
        assert_eq!(samples.exact(i, 1), Some(10.0));
    }
}

#[test]
fn windows_of_an_exhausted_node_teach_nothing() {
    let mut reports = wandering(30);
    reports[20].cpu = Some(0.99);
    let samples = rows(&reports, all());
    for i in 0..samples.len() {
        assert_ne!(samples.window[i], 20);
        if let Some(step) = 19_u32.checked_sub(samples.window[i]).filter(|s| *s < STEPS as u32) {
            assert_eq!(samples.known[i] & (1 << step), 0, "window 20 is no target");
        }
    }
}

#[test]
fn a_small_choice_stands_for_all_rows() {
    let reports = wandering(3000);
    let (every, some) = (rows(&reports, all()), rows(&reports, Options { rows: 4_000, ..Options::default() }));
    let sum = |s: &Samples, f: &dyn Fn(usize) -> f64| (0..s.len()).map(|i| f64::from(s.weight[i]) * f(i)).sum::<f64>();
    assert!(some.len() < every.len() / 2 && some.len() > 1_000, "{} of {}", some.len(), every.len());
    let requests = |s: &Samples| sum(s, &|i| f64::from(s.targets[0][i]));
    for (all, part) in [(sum(&every, &|_| 1.0), sum(&some, &|_| 1.0)), (requests(&every), requests(&some))] {
        assert!((part / all - 1.0).abs() < 0.1, "{part} of {all}");
    }
}

#[test]
fn the_same_reports_give_the_same_rows() {
    let options = Options { rows: 500, ..Options::default() };
    let (a, b) = (rows(&wandering(300), options), rows(&wandering(300), options));
    assert_eq!((a.x, a.targets, a.weight), (b.x, b.targets, b.weight));
}
