//! Whether a candidate beat the naive forecasts and the champion.

use crate::evaluate::{Backtest, NAIVE, backtest::CHAMPION};

/// By how much less a score has to be to count as better: a champion does not change for noise.
const MARGIN: f64 = 0.002;

/// What the backtest says about the candidate.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It beat them all.
    Won,
    /// There was nothing to compare it on.
    Untested,
    /// Somebody was better, or too near.
    Lost {
        /// Who.
        to: String,
        /// Score of the candidate.
        score: f64,
        /// Score of the other.
        best: f64,
    },
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Won => f.write_str("it beat every naive forecast and the champion"),
            Self::Untested => f.write_str("there were too few windows to compare it with anybody"),
            Self::Lost { to, score, best } => write!(f, "its score of {score:.4} does not beat {to} with {best:.4}"),
        }
    }
}

/// Compares the best kind of fit with the naive forecasts and the champion.
pub fn verdict(backtest: &Backtest) -> Verdict {
    let table = &backtest.table;
    let Some(candidate) = table.line(backtest.best.name()).filter(|_| !table.groups.is_empty()) else { return Verdict::Untested };
    let others = NAIVE.iter().map(|n| n.name()).chain([CHAMPION]);
    let rivals = others.filter_map(|name| table.line(name));
    let Some(rival) = rivals.min_by(|a, b| a.score.total_cmp(&b.score)) else { return Verdict::Untested };
    if candidate.score < rival.score * (1.0 - MARGIN) {
        return Verdict::Won;
    }
    Verdict::Lost { to: rival.name.clone(), score: candidate.score, best: rival.score }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Kind, Line, Table, table::Group};

    fn outcome(candidate: f64, last: f64, champion: Option<f64>) -> Backtest {
        let line = |name: &str, score: f64| Line { name: name.into(), deviance: score, pinball: [score; 3], score };
        let mut overall = vec![line("last value", last), line(Kind::Poisson.name(), candidate)];
        overall.extend(champion.map(|s| line(CHAMPION, s)));
        let group = Group { source: "t".into(), class: "busy", forecasts: 1000, lines: overall.clone() };
        Backtest { table: Table { overall, groups: vec![group], forecasts: 1000 }, best: Kind::Poisson }
    }

    #[test]
    fn only_a_clear_winner_wins() {
        assert_eq!(verdict(&outcome(0.8, 1.0, None)), Verdict::Won);
        assert_eq!(verdict(&outcome(0.8, 1.0, Some(0.9))), Verdict::Won);
        assert!(matches!(verdict(&outcome(1.1, 1.0, None)), Verdict::Lost { to, .. } if to == "last value"));
        assert!(matches!(verdict(&outcome(0.8, 1.0, Some(0.7))), Verdict::Lost { to, .. } if to == CHAMPION));
        assert!(matches!(verdict(&outcome(0.8, 1.0, Some(0.8001))), Verdict::Lost { .. }), "too near");
        assert!(matches!(verdict(&outcome(f64::NAN, 1.0, None)), Verdict::Lost { .. }));
    }

    #[test]
    fn nothing_compared_is_nothing_won() {
        let mut empty = outcome(0.5, 1.0, None);
        empty.table.groups.clear();
        assert_eq!(verdict(&empty), Verdict::Untested);
    }
}
