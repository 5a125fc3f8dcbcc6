//! What the scores come to beside the targets: counted, good and bad.

use serde::Serialize;

use super::{TARGET_DELAY_S, TARGET_NODES};
use crate::{Comparison, contender::Kind, score::Score, spread::Spread};

/// Slack of a comparison of shares: less than one request in any trace.
const SLACK: f64 = 1e-9;
/// Capacities that the targets are about, as multiples of the mean demand.
const CAPACITIES: [f64; 2] = [1.5, 3.0];
/// Part of the better fixed share's regret that adaptive may have.
const OF_STATIC: f64 = 0.2;
/// Mean regret that adaptive may have, with and without delay.
const MEAN_REGRET: [(u32, f64); 2] = [(TARGET_DELAY_S, 0.02), (0, 0.01)];
/// Part of what a pool alone refuses within fair shares that adaptive may refuse.
const OF_POOL_ONLY: f64 = 0.1;
/// Throttled share up to which a case counts as served, and tokens that may be leased per request then.
const SERVED: f64 = 0.001;
const LEASED_PER_SERVED: f64 = 1.3;

/// One target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// What is asked.
    pub target: String,
    /// Cases that meet it.
    pub passed: usize,
    /// Each case that does not, with its value and the bound.
    pub failed: Vec<String>,
}

/// Holds the planner's scores against every target. A target whose contenders were not run has no case.
pub fn all(comparisons: &[Comparison]) -> Vec<Check> {
    let target: Vec<&Comparison> = comparisons.iter().filter(|c| is_target(c, TARGET_DELAY_S)).collect();
    let everywhere: Vec<&Comparison> = comparisons.iter().collect();
    let mut checks = vec![
        check("regret at most a fifth of the better fixed share's, on each", &target, |c| {
            let better = regret(c, Kind::StaticMean)?.min(regret(c, Kind::StaticP99)?);
            Some((regret(c, Kind::Adaptive)?, OF_STATIC * better))
        }),
        check("regret never above static-pool's, on each", &target, |c| Some((regret(c, Kind::Adaptive)?, regret(c, Kind::StaticPool)?))),
    ];
    checks.extend(MEAN_REGRET.map(|(delay_s, most)| mean_regret(comparisons, delay_s, most)));
    let within = |c: &Comparison, kind| Some(of(c, kind)?.refused_within_share);
    let mut isolation = check("refused within the fair share at most a tenth of pool-only's, on each", &target, |c| {
        Some((within(c, Kind::Adaptive)?, OF_POOL_ONLY * within(c, Kind::PoolOnly)?))
    });
    let by_central = |c: &&&Comparison| {
        within(c, Kind::Central).zip(within(c, Kind::PoolOnly)).is_some_and(|(central, pool_only)| central > OF_POOL_ONLY * pool_only)
    };
    let beyond = target.iter().filter(by_central).count();
    if beyond > 0 {
        isolation.target += &format!(" (central itself refuses more than that on {beyond})");
    }
    checks.push(isolation);
    checks.push(check("capacity exceeded at no time, everywhere", &everywhere, |c| Some((of(c, Kind::Adaptive)?.overload_share, 0.0))));
    checks.push(check("regret never above static-pool's, everywhere", &everywhere, |c| {
        Some((regret(c, Kind::Adaptive)?, regret(c, Kind::StaticPool)?))
    }));
    checks.push(check("tokens leased per request at most 1.3 where at most 0.1 % are throttled, everywhere", &everywhere, |c| {
        let score = of(c, Kind::Adaptive).filter(|score| score.throttled_share <= SERVED)?;
        Some((score.leased_per_served, LEASED_PER_SERVED))
    }));
    checks
}

/// Whether `comparison` is one that the targets are about, at `delay_s`: several buckets, 4 nodes or the trace's own, 1.5 or 3 times the mean.
pub fn is_target(comparison: &Comparison, delay_s: u32) -> bool {
    let nodes = comparison.spread == Spread::Own || comparison.nodes == TARGET_NODES;
    let capacity = CAPACITIES.contains(&comparison.capacity_x_mean);
    comparison.buckets > 1 && nodes && capacity && comparison.staleness.delay_s == delay_s
}

fn mean_regret(comparisons: &[Comparison], delay_s: u32, most: f64) -> Check {
    let target = comparisons.iter().filter(|c| is_target(c, delay_s));
    let regrets: Vec<f64> = target.filter_map(|c| regret(c, Kind::Adaptive)).collect();
    let name = format!("mean regret at most {:.0} points with {delay_s} s of delay", 100.0 * most);
    if regrets.is_empty() {
        return Check { target: name, passed: 0, failed: vec![] };
    }
    let mean = regrets.iter().sum::<f64>() / regrets.len() as f64;
    let target = format!("{name}: {:.3} over {} cases", 100.0 * mean, regrets.len());
    let failed = if mean <= most { vec![] } else { vec![format!("{mean:.5}, the bound is {most:.5}")] };
    Check { target, passed: usize::from(failed.is_empty()), failed }
}

/// Counts the cases in which the first number of `measure` is at most the second.
fn check(target: &str, comparisons: &[&Comparison], measure: impl Fn(&Comparison) -> Option<(f64, f64)>) -> Check {
    let mut check = Check { target: target.to_owned(), passed: 0, failed: vec![] };
    for comparison in comparisons {
        let Some((value, bound)) = measure(comparison) else { continue };
        if value <= bound + SLACK {
            check.passed += 1;
        } else {
            check.failed.push(format!("{}: {value:.5}, the bound is {bound:.5}", label(comparison)));
        }
    }
    check
}

fn label(c: &Comparison) -> String {
    format!("{}, {} nodes, {} x, {} s", c.trace, c.nodes, c.capacity_x_mean, c.staleness.delay_s)
}

fn of(comparison: &Comparison, kind: Kind) -> Option<&Score> {
    comparison.contenders.iter().find(|score| score.name == kind.name())
}

fn regret(comparison: &Comparison, kind: Kind) -> Option<f64> {
    of(comparison, kind).map(|score| score.regret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kv::Staleness, origin::Origin};

    fn score(kind: Kind, regret: f64, refused_within_share: f64) -> Score {
        let name = kind.name().to_owned();
        Score { name, throttled_share: regret, overload_share: 0.0, leased_per_served: 1.2, refused_within_share, regret }
    }

    fn comparison(adaptive: f64, delay_s: u32) -> Comparison {
        Comparison {
            trace: "t".into(),
            capacity_x_mean: 1.5,
            origin: Origin { sustained_per_s: 1.0, burst: 1.0 },
            nodes: 4,
            buckets: 9,
            spread: Spread::Hash,
            staleness: Staleness::fixed(delay_s),
            contenders: vec![
                score(Kind::StaticMean, 0.2, 0.0),
                score(Kind::StaticP99, 0.1, 0.0),
                score(Kind::StaticPool, 0.05, 0.0),
                score(Kind::PoolOnly, 0.0, 0.1),
                score(Kind::Adaptive, adaptive, adaptive),
            ],
            windows: vec![],
            breaches: vec![],
            notes: vec![],
        }
    }

    fn verdicts(comparisons: &[Comparison]) -> Vec<(usize, usize)> {
        all(comparisons).iter().map(|c| (c.passed, c.failed.len())).collect()
    }

    #[test]
    fn a_case_within_every_bound_passes_and_one_beyond_is_named() {
        assert_eq!(verdicts(&[comparison(0.0005, 30)]), [(1, 0), (1, 0), (1, 0), (0, 0), (1, 0), (1, 0), (1, 0), (1, 0)]);
        assert_eq!(verdicts(&[comparison(0.06, 30)]), [(0, 1), (0, 1), (0, 1), (0, 0), (0, 1), (1, 0), (0, 1), (0, 0)]);
        assert!(all(&[comparison(0.06, 30)])[0].failed[0].starts_with("t, 4 nodes, 1.5 x, 30 s: 0.06000, the bound is 0.02000"));
    }

    #[test]
    fn targets_are_about_their_own_slice() {
        let mut single = comparison(0.5, 30);
        single.buckets = 1;
        assert_eq!(verdicts(&[single])[..5], [(0, 0); 5]);
        assert_eq!(verdicts(&[comparison(0.02, 0)])[3], (0, 1), "a point is allowed without delay");
        assert_eq!(verdicts(&[comparison(0.015, 30)])[2], (1, 0), "two with it");
    }
}
