//! Weights, priorities and a limit over all nodes in the closed loop, in figures of fairness.

use tidegate_planner::{Model, settings::Policy};

use crate::{
    CompareError,
    contender::{Adaptive, Brief},
    fair::{jain, weighted_max_min},
    fit::Fit,
    kv::Staleness,
    origin::Origin,
    simulate::{Outcome, simulate},
    workload::{WINDOW_S, Workload},
};

/// Priority and weight of each bucket by its rank by requests, over and over.
const CLASSES: [(u8, f64); 5] = [(100, 1.0), (200, 1.0), (100, 2.0), (100, 4.0), (100, 1.0)];
/// The bucket that is limited over all nodes, and the share of its mean demand that it may reach.
const LIMITED: usize = 0;
const LIMITED_TO: f64 = 0.5;

/// On what terms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// All that may be leased.
    pub origin: Origin,
    /// Delay and poll of the store.
    pub staleness: Staleness,
    /// Seed of the arrivals.
    pub seed: u64,
}

/// What the buckets of one priority and weight got in the scored part, in requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Class {
    /// Its priority.
    pub priority: u8,
    /// The weight of each of its buckets.
    pub weight: f64,
    /// Its buckets that asked for anything.
    pub buckets: usize,
    /// Requests offered.
    pub demand: f64,
    /// Of them, what the limit over all nodes and the fair shares entitle to.
    pub entitled: f64,
    /// Requests admitted.
    pub admitted: f64,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Fairness {
    /// By priority, the highest first, then by weight.
    pub classes: Vec<Class>,
    /// Jain's index of what each bucket got over its fair share, over the buckets of each priority, the highest first.
    pub jain: Vec<(u8, f64)>,
    /// Requests admitted to the limited bucket over what its limit refills in the scored part.
    pub of_limit: f64,
    /// The same over its fair share, which is within the limit.
    pub of_share: f64,
    /// Share of the time in which the origin was overloaded.
    pub overload: f64,
    /// Whether more was leased than the origin has.
    pub breached: bool,
}

/// Runs the planner over `workload`; without policies for all buckets alike if not `governed`. Shares are reckoned with the policies
/// either way.
///
/// # Errors
/// [`CompareError::Settings`] when the planner refuses the case.
pub fn run(workload: &Workload, terms: Terms, governed: bool, model: Option<&Model>) -> Result<Fairness, CompareError> {
    let brief = Brief { workload, fit: &Fit::new(workload), origin: terms.origin, model };
    let limit_per_s = limit_per_s(workload);
    let policies = if governed { (0..workload.buckets).map(|bucket| policy(bucket, limit_per_s)).collect() } else { vec![] };
    let planner = Box::new(Adaptive::under(&brief, policies)?);
    let outcome = simulate(&brief, planner, terms.staleness, terms.seed, &|| ());
    Ok(read(workload, &outcome, terms.origin, limit_per_s))
}

fn policy(bucket: usize, limit_per_s: f64) -> Policy {
    let (priority, weight) = CLASSES[bucket % CLASSES.len()];
    let name = Workload::bucket_id(bucket);
    Policy { buckets: name.clone(), name, priority, weight, limit_per_s: (bucket == LIMITED).then_some(limit_per_s), ..Policy::default() }
}

/// What the limited bucket may reach over all nodes, tokens per second.
fn limit_per_s(workload: &Workload) -> f64 {
    let limited = |row: &&crate::workload::Demand| workload.series[row.series as usize].bucket == LIMITED;
    let demand: u64 = workload.scored_rows().iter().filter(limited).map(|row| u64::from(row.requests)).sum();
    (LIMITED_TO * demand as f64 / scored_s(workload)).max(1e-3)
}

fn scored_s(workload: &Workload) -> f64 {
    f64::from((workload.windows - workload.fit_windows) * WINDOW_S)
}

fn read(workload: &Workload, outcome: &Outcome, origin: Origin, limit_per_s: f64) -> Fairness {
    let (mut demand, mut admitted) = (vec![0.0; workload.buckets], vec![0.0; workload.buckets]);
    for (series, served) in workload.series.iter().zip(&outcome.served) {
        demand[series.bucket] += served.demand as f64;
        admitted[series.bucket] += served.admitted as f64;
    }
    let limit = limit_per_s * scored_s(workload);
    let entitled = entitled(&demand, origin.sustained_per_s * scored_s(workload), limit);
    let mut classes: Vec<Class> = vec![];
    let mut parts: Vec<(u8, Vec<f64>)> = vec![];
    for bucket in (0..workload.buckets).filter(|bucket| demand[*bucket] > 0.0) {
        let (priority, weight) = CLASSES[bucket % CLASSES.len()];
        let place = classes.iter().position(|c| (c.priority, c.weight) == (priority, weight)).unwrap_or_else(|| {
            classes.push(Class { priority, weight, buckets: 0, demand: 0.0, entitled: 0.0, admitted: 0.0 });
            classes.len() - 1
        });
        let class = &mut classes[place];
        class.buckets += 1;
        class.demand += demand[bucket];
        class.entitled += entitled[bucket];
        class.admitted += admitted[bucket];
        let part = admitted[bucket] / entitled[bucket].max(f64::MIN_POSITIVE);
        match parts.iter_mut().find(|(p, _)| *p == priority) {
            Some((_, parts)) => parts.push(part),
            None => parts.push((priority, vec![part])),
        }
    }
    classes.sort_by(|a, b| b.priority.cmp(&a.priority).then(a.weight.total_cmp(&b.weight)));
    parts.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
    Fairness {
        classes,
        jain: parts.iter().map(|(priority, parts)| (*priority, jain(parts))).collect(),
        of_limit: admitted.get(LIMITED).map_or(0.0, |admitted| admitted / limit),
        of_share: admitted.get(LIMITED).map_or(0.0, |admitted| admitted / entitled[LIMITED].max(f64::MIN_POSITIVE)),
        overload: outcome.score.overload_share,
        breached: outcome.breach.is_some(),
    }
}

/// Weighted max-min shares of `capacity` requests, the higher priority first; the limited bucket asks for its limit at most.
fn entitled(demand: &[f64], capacity: f64, limit: f64) -> Vec<f64> {
    let mut shares = vec![0.0; demand.len()];
    let mut left = capacity;
    for priority in [200, 100] {
        let of: Vec<usize> = (0..demand.len()).filter(|bucket| CLASSES[bucket % CLASSES.len()].0 == priority).collect();
        let asked: Vec<f64> = of.iter().map(|b| if *b == LIMITED { demand[*b].min(limit) } else { demand[*b] }).collect();
        let weights: Vec<f64> = of.iter().map(|bucket| CLASSES[bucket % CLASSES.len()].1).collect();
        let got = weighted_max_min(&asked, &weights, left);
        left -= got.iter().sum::<f64>();
        of.iter().zip(got).for_each(|(bucket, share)| shares[*bucket] = share);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_priority_is_met_first_and_weights_count_below_it() {
        // Ranks 0 to 4: limited to 2; priority 200; weights 2, 4, 1.
        assert_eq!(entitled(&[9.0, 10.0, 50.0, 50.0, 50.0], 26.0, 2.0), [2.0, 10.0, 4.0, 8.0, 2.0]);
        assert_eq!(entitled(&[10.0; 5], 6.0, 2.0), [0.0, 6.0, 0.0, 0.0, 0.0]);
    }
}
