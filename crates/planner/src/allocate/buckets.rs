//! A node's rate over its buckets: who is guaranteed how much of it.
//!
//! Guarantees maximise the weighted expected number of guaranteed requests, so that `weight * P(demand > guarantee)` is the same
//! for every unclamped bucket; none is guaranteed more than its weighted max-min fair share while others are short of theirs, so that a
//! heavy bucket cannot turn its weight into a claim.

use super::entitled::entitled;
use crate::forecast::quantile::{Demand, GammaTable, LOGITS, logit};

/// Logits of the risk at which guarantees are computed; between two of them they are interpolated.
const GRID: [f64; 14] = [3.5, 2.5, 1.75, 1.0, 0.5, 0.0, -0.5, -1.0, -1.75, -2.5, -3.5, -4.5, -5.75, -6.9];
/// Probability of exceeding it that defines what a bucket needs for its fair share.
const NEED: f64 = 0.1;

/// A bucket that may be guaranteed something.
#[derive(Debug, Clone, Default)]
pub struct Candidate {
    /// Its row.
    pub row: u32,
    /// Expected requests of the step.
    pub mean: f64,
    /// Of them, those that its past bears out: what it can be guaranteed.
    pub borne_out: f64,
    /// Their variance.
    pub variance: f64,
    /// Policy's weight.
    pub weight: f64,
    /// Policy's priority: higher is served first.
    pub priority: u8,
    /// Least rate, tokens per second.
    pub floor: f64,
    /// Most, tokens per second.
    pub ceiling: f64,
    /// Most over all nodes together, tokens per second.
    pub limit: Option<f64>,
    /// Whether a table must list it even where it can guarantee it nothing: its ceiling differs from the default's.
    pub listed: bool,
}

impl Candidate {
    /// What it asks for at least in a step of `seconds` with the probability whose logit is `logit`, within floor and ceiling, tokens
    /// per second.
    pub fn least_per_s(&self, table: &GammaTable, seconds: f64, logit: f64) -> f64 {
        let least = table.quantile(self.borne_out, self.variance, logit) / seconds;
        least.max(self.floor).min(self.ceiling)
    }
}

/// A guaranteed rate and whether capacity bound it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Guarantee {
    /// Tokens per second.
    pub per_s: f64,
    /// Whether it is below what the forecast alone would give.
    pub scarce: bool,
}

/// Guarantees `per_s` tokens per second over `candidates` for steps of `seconds`; the sum is at most `per_s`.
/// Where that is too little, the lowest priority goes without first.
pub fn guarantee(table: &GammaTable, per_s: f64, seconds: f64, slo: f64, candidates: &[&Candidate]) -> Vec<Guarantee> {
    let mut out = vec![Guarantee::default(); candidates.len()];
    let mut left = per_s;
    let mut priorities: Vec<u8> = candidates.iter().map(|c| c.priority).collect();
    priorities.sort_unstable_by(|a, b| b.cmp(a));
    priorities.dedup();
    for priority in priorities {
        let members: Vec<usize> = (0..candidates.len()).filter(|i| candidates[*i].priority == priority).collect();
        let class: Vec<&Candidate> = members.iter().map(|i| candidates[*i]).collect();
        for (i, g) in members.iter().zip(within_class(table, left, seconds, slo, &class)) {
            left = (left - g.per_s).max(0.0);
            out[*i] = g;
        }
    }
    out
}

fn within_class(table: &GammaTable, per_s: f64, seconds: f64, slo: f64, class: &[&Candidate]) -> Vec<Guarantee> {
    let curves: Vec<Curve> = class.iter().map(|c| Curve::new(c)).collect();
    let need = |c: &Curve| (table.quantile_of(c.demand, logit(NEED)) / seconds).min(c.ceiling);
    let needs: Vec<(f64, f64)> = curves.iter().map(|c| (need(c), c.weight)).collect();
    let fair = fair_level(per_s, needs);
    let at = |risk: f64| -> Vec<f64> { curves.iter().map(|c| c.rate(table, risk, seconds, fair)).collect() };
    let enough = logit((1.0 - slo).clamp(1e-6, 0.5));
    let mut above = at(enough);
    let mut sum_above: f64 = above.iter().sum();
    if sum_above <= per_s {
        return above.into_iter().map(|per_s| Guarantee { per_s, scarce: false }).collect();
    }
    let mut chosen = None;
    for risk in GRID.iter().rev().filter(|r| **r > enough) {
        let below = at(*risk);
        let sum_below: f64 = below.iter().sum();
        if sum_below <= per_s {
            let part = if sum_above > sum_below { (per_s - sum_below) / (sum_above - sum_below) } else { 0.0 };
            chosen = Some(below.iter().zip(&above).map(|(b, a)| b + (a - b) * part).collect::<Vec<f64>>());
            break;
        }
        (above, sum_above) = (below, sum_below);
    }
    let rates = chosen.unwrap_or_else(|| above.iter().map(|r| r * per_s / sum_above).collect());
    rates.into_iter().map(|per_s| Guarantee { per_s, scarce: true }).collect()
}

/// How a bucket's rate falls with the risk it is left at; what does not depend on the risk is worked out once.
struct Curve {
    demand: Demand,
    weight: f64,
    log_weight: f64,
    floor: f64,
    ceiling: f64,
}

impl Curve {
    fn new(c: &Candidate) -> Self {
        Self {
            demand: Demand::new(c.borne_out, c.variance),
            weight: c.weight,
            log_weight: c.weight.ln(),
            floor: c.floor,
            ceiling: c.ceiling,
        }
    }

    fn rate(&self, table: &GammaTable, risk: f64, seconds: f64, fair: f64) -> f64 {
        // A weight of two halves the probability of exceeding that it is worth.
        let risk = (risk - self.log_weight).clamp(LOGITS.0, LOGITS.1);
        let rate = table.quantile_of(self.demand, risk) / seconds;
        rate.min(fair * self.weight).max(self.floor).min(self.ceiling)
    }
}

/// The level per unit of weight at which `needs`, each with its weight and cut to its part, sum to `total`: the weighted max-min fair
/// share; infinite when all fit.
fn fair_level(total: f64, needs: Vec<(f64, f64)>) -> f64 {
    // Where not all fit, the busiest is cut like one that is insatiable.
    if needs.iter().map(|n| n.0).sum::<f64>() <= total { f64::INFINITY } else { entitled(total, needs) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(mean: f64) -> Candidate {
        Candidate { mean, borne_out: mean, variance: 2.0 * mean, weight: 1.0, priority: 1, ceiling: f64::INFINITY, ..Candidate::default() }
    }

    #[test]
    fn a_hog_gets_no_more_than_its_fair_share_while_others_need_theirs() {
        let table = GammaTable::default();
        let class = [bucket(30.0), bucket(30.0), bucket(3000.0)];
        let got = guarantee(&table, 6.0, 30.0, 0.999, &class.each_ref());
        assert!(got.iter().map(|g| g.per_s).sum::<f64>() <= 6.0 + 1e-9);
        assert!(got[0].per_s > 1.1 && got[2].per_s < 4.0 && got[2].scarce, "{got:?}");
    }

    #[test]
    fn the_lowest_priority_goes_without_first() {
        let table = GammaTable::default();
        let low = Candidate { priority: 0, ..bucket(300.0) };
        let got = guarantee(&table, 10.0, 30.0, 0.999, &[&low, &bucket(300.0)]);
        assert!(got[1].per_s > 9.0 && got[0].per_s < 1.0, "{got:?}");
    }

    #[test]
    fn a_heavier_weight_gets_more() {
        let table = GammaTable::default();
        let heavy = Candidate { weight: 10.0, ..bucket(300.0) };
        let got = guarantee(&table, 8.0, 30.0, 0.999, &[&heavy, &bucket(300.0)]);
        assert!(got[0].per_s > 5.0 * got[1].per_s, "{got:?}");
    }

    #[test]
    fn floors_hold_and_fair_levels_add_up() {
        let level = fair_level(10.0, vec![(1.0, 1.0), (2.0, 1.0), (30.0, 1.0)]);
        assert!((level - 7.0).abs() < 1e-12);
        assert_eq!(fair_level(10.0, vec![(1.0, 1.0), (2.0, 1.0)]), f64::INFINITY);
        assert_eq!(fair_level(12.0, vec![(30.0, 1.0), (30.0, 3.0)]), 3.0, "per unit of weight");
        let table = GammaTable::default();
        let got = guarantee(&table, 10.0, 30.0, 0.999, &[&Candidate { floor: 2.0, ..bucket(0.0) }]);
        assert_eq!(got[0].per_s, 2.0);
    }
}
