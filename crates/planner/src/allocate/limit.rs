//! A bucket's limit over all nodes, split over the nodes that may be asked for it.

use super::ledger;

/// A node's part in a limit is at least this share of an even one: what is saved there meanwhile is what a bucket that moves there
/// begins with.
const LEAST: f64 = 0.02;
/// A limit so slow that the tokens which its nodes may save would take longer than this to come back, a day, is lent to fewer nodes.
const BACK_WITHIN_S: f64 = 86_400.0;
/// How many times its demand counts where a node holds a part already: what it has saved of it would be lost.
const HELD: f64 = 2.0;

/// A node, as far as a limit goes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Place {
    /// What the bucket is expected to ask for there, in any unit.
    pub demand: f64,
    /// What may still be lent to it of the limit, tokens per second.
    pub committed: f64,
    /// Its instances, each of which saves at least one token where it may admit anything at all.
    pub instances: f64,
}

/// The ceiling at each of `places`, tokens per second: by demand, and raised only into what another has given back.
///
/// The sum of `max(committed, ceiling)` is at most `limit_per_s` where that of `committed` is; so is what a bucket refills at over all
/// nodes, at any time, whatever has reached them.
pub fn split(limit_per_s: f64, places: &[Place]) -> Vec<f64> {
    let lent = worth_lending(limit_per_s, places);
    let even = places.iter().map(|p| p.demand).sum::<f64>() / places.len().max(1) as f64;
    let least = (LEAST * even).max(f64::MIN_POSITIVE);
    let weights: Vec<f64> = places.iter().zip(&lent).map(|(p, lent)| if *lent { p.demand.max(least) } else { 0.0 }).collect();
    let sum: f64 = weights.iter().sum();
    let targets: Vec<f64> = weights.iter().map(|w| limit_per_s * (w / sum)).collect();
    let committed: Vec<f64> = places.iter().map(|p| p.committed).collect();
    ledger::within(limit_per_s, &committed, &targets)
}

/// Which of `places` get anything: the busiest, as many as can each save a token that the limit brings back within a day.
fn worth_lending(limit_per_s: f64, places: &[Place]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    let wish = |p: &Place| if p.committed > 0.0 { p.demand * HELD } else { p.demand };
    order.sort_by(|a, b| {
        let [a_place, b_place] = [&places[*a], &places[*b]];
        wish(b_place).total_cmp(&wish(a_place)).then(b_place.committed.total_cmp(&a_place.committed)).then(a.cmp(b))
    });
    let mut left = limit_per_s * BACK_WITHIN_S;
    let mut lent = vec![false; places.len()];
    for (rank, place) in order.into_iter().enumerate() {
        left -= places[place].instances;
        lent[place] = rank == 0 || left >= 0.0;
    }
    lent
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(demand: f64, committed: f64) -> Place {
        Place { demand, committed, instances: 1.0 }
    }

    #[test]
    fn a_limit_goes_where_the_demand_is_and_leaves_a_little_everywhere() {
        let got = split(10.0, &[place(300.0, 0.0), place(100.0, 0.0), place(0.0, 0.0)]);
        assert!((got[0] / got[1] - 3.0).abs() < 1e-9 && got[2] > 0.0 && got[2] < 0.1, "{got:?}");
        assert!((got.iter().sum::<f64>() - 10.0).abs() < 1e-9);
        assert_eq!(split(10.0, &[place(0.0, 0.0); 4]), [2.5; 4], "nothing is known yet");
    }

    #[test]
    fn what_others_still_hold_is_not_lent_again() {
        assert_eq!(split(10.0, &[place(0.0, 10.0), place(900.0, 0.0)])[1], 0.0);
        assert!(split(10.0, &[place(0.0, 4.0), place(900.0, 0.0)])[1] <= 6.0);
    }

    #[test]
    fn a_limit_of_a_few_a_day_is_not_spread_over_a_thousand_nodes() {
        let four_a_day = 4.0 / 86_400.0;
        let mut places = vec![place(1.0, 0.0); 1000];
        places[700].demand = 2.0;
        let got = split(four_a_day, &places);
        assert!(got[700] > 0.0 && got.iter().filter(|c| **c > 0.0).count() == 4, "{got:?}");
        places[3].committed = 1e-6;
        places[700].demand = 1.5;
        assert!(split(four_a_day, &places)[3] > 0.0, "whoever has a part keeps it while another is hardly busier");
        let one_a_week = 1.0 / (7.0 * 86_400.0);
        assert_eq!(split(one_a_week, &places).iter().filter(|c| **c > 0.0).count(), 1);
    }

    proptest! {
        #[test]
        fn no_more_than_the_limit_is_ever_lent(
            limit in 1e-6..1e6f64,
            places in prop::collection::vec((prop_oneof![Just(0.0), 0.0..1e9f64], 0.0..1.0f64, 1..9u8), 1..40),
            held in 0.0..1.0f64,
        ) {
            let parts: f64 = places.iter().map(|p| p.1).sum::<f64>().max(f64::MIN_POSITIVE);
            let place = |p: &(f64, f64, u8)| Place { demand: p.0, committed: limit * held * p.1 / parts, instances: p.2.into() };
            let places: Vec<Place> = places.iter().map(place).collect();
            let got = split(limit, &places);
            let lent: f64 = got.iter().zip(&places).map(|(c, p)| c.max(p.committed)).sum();
            prop_assert!(lent <= limit * (1.0 + 1e-9), "{lent} of {limit}: {got:?}");
            prop_assert!(got.iter().all(|c| c.is_finite() && *c >= 0.0));
        }
    }
}
