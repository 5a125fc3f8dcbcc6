//! The order in which the requests of one second arrive: the trace knows the second, not the order.

use crate::workload::Demand;

/// Rounds into which a second is split, so that no row goes first with all that it has.
const ROUNDS: u32 = 4;

/// Some requests of one row, arriving together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Index of the row within its second.
    pub row: usize,
    /// Number of requests.
    pub requests: u32,
}

/// Deals the rows of one second into `arrivals`, in an order that depends on `seed` and the second alone. What was in
/// `arrivals` before is dropped.
pub fn deal(rows: &[Demand], seed: u64, arrivals: &mut Vec<Arrival>) {
    arrivals.clear();
    if let [only] = rows {
        arrivals.push(Arrival { row: 0, requests: only.requests });
        return;
    }
    let key = |row: usize| mix(seed ^ (u64::from(rows[row].second) << 32) ^ u64::from(rows[row].series));
    let mut order: Vec<(u64, usize)> = (0..rows.len()).map(|row| (key(row), row)).collect();
    order.sort_unstable();
    for round in 0..ROUNDS {
        for &(key, row) in &order {
            // Over all rounds these floors add up to the row's requests, whatever its first round.
            let turn = (key as u32 + round) % ROUNDS;
            let requests = (u64::from(rows[row].requests) + u64::from(turn)) / u64::from(ROUNDS);
            if requests > 0 {
                // Fits: no more than the row's own.
                arrivals.push(Arrival { row, requests: requests as u32 });
            }
        }
    }
}

/// The finaliser of SplitMix64.
pub fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(requests: &[u32], second: u32) -> Vec<Demand> {
        let row = |(series, &requests): (usize, &u32)| Demand { second, series: series as u32, requests, errors: 0, bytes_mean: 0.0 };
        requests.iter().enumerate().map(row).collect()
    }

    fn dealt(rows: &[Demand], seed: u64) -> Vec<Arrival> {
        let mut arrivals = vec![];
        deal(rows, seed, &mut arrivals);
        arrivals
    }

    #[test]
    fn every_request_arrives_once() {
        let rows = rows(&[1, 2, 3, 4, 5, 1000, u32::MAX], 7);
        for seed in 0..50 {
            let mut totals = vec![0_u64; rows.len()];
            dealt(&rows, seed).iter().for_each(|a| totals[a.row] += u64::from(a.requests));
            assert_eq!(totals, [1, 2, 3, 4, 5, 1000, u64::from(u32::MAX)]);
        }
    }

    #[test]
    fn a_large_row_does_not_go_first_with_all_it_has() {
        let arrivals = dealt(&rows(&[100, 100], 7), 0);
        assert_eq!(arrivals.len(), 8);
        assert!(arrivals.iter().all(|a| a.requests == 25));
    }

    #[test]
    fn a_small_row_comes_now_early_now_late() {
        let place = |second| dealt(&rows(&[1, 100], second), 0).iter().position(|a| a.row == 0);
        let early = (0..300).filter(|&second| place(second) <= Some(1)).count();
        assert!((75..225).contains(&early), "{early}");
    }

    #[test]
    fn no_row_is_always_first() {
        let first = |second| dealt(&rows(&[1, 1, 1], second), 0)[0].row;
        for row in 0..3 {
            let times = (0..300).filter(|&second| first(second) == row).count();
            assert!((60..140).contains(&times), "row {row}: {times}");
        }
    }
}
