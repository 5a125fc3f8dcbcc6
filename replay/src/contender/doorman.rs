//! Doorman's sharing algorithms: clients say what they want, and a server leases it to them.

use tidegate_wire::{Report, Timestamp};

use super::{Brief, Contender, Leased, books::Books, observed};
use crate::workload::WINDOW_S;

/// What a node wants, as a multiple of what it was offered in the last window. Doorman leaves `wants` to its clients.
const HEADROOM: f64 = 1.5;

/// What the clients get, tokens/s, out of a capacity and what they want.
type Algorithm = fn(capacity: f64, wants: &[f64]) -> Vec<f64>;

/// Doorman (<https://github.com/youtube/doorman>, `doc/design.md` and `doc/algorithms.md`) over nodes: each node is a client
/// without subclients that wants half as much again as it was offered in the last window.
///
/// There, a client asks every few seconds and is answered at once; here all ask at the tick and read the answer when the store
/// has it, as every contender does. Both grant no more than others no longer hold. Doorman leases rates alone: the burst
/// follows them.
pub struct Doorman {
    books: Books,
    algorithm: Algorithm,
    nodes: usize,
}

impl Doorman {
    /// Opens with leases by mean demand, as all contenders do.
    pub fn new(brief: &Brief, algorithm: Algorithm) -> Self {
        Self { books: Books::new(brief), algorithm, nodes: brief.workload.nodes }
    }
}

impl Contender for Doorman {
    fn opening(&mut self) -> Vec<Leased> {
        self.books.open()
    }

    fn tick(&mut self, now: Timestamp, reports: &[Report]) -> Vec<Leased> {
        self.books.acknowledge(reports);
        let observed = observed::by_node(reports, self.nodes);
        let wants: Vec<f64> = observed.iter().map(|o| HEADROOM * o.offered / f64::from(WINDOW_S)).collect();
        let gets = (self.algorithm)(self.books.origin().sustained_per_s, &wants);
        self.books.lease(now.as_secs(), &gets)
    }
}

/// ProportionalShare: what everybody wants while it fits. Otherwise each client gets its equal share if it wants that much, and what
/// the modest leave of theirs tops up the others in proportion to what they want beyond it.
pub fn proportional(capacity: f64, wants: &[f64]) -> Vec<f64> {
    if wants.iter().sum::<f64>() <= capacity {
        return wants.to_vec();
    }
    let equal = capacity / wants.len() as f64;
    let left: f64 = wants.iter().map(|w| (equal - w).max(0.0)).sum();
    let beyond: f64 = wants.iter().map(|w| (w - equal).max(0.0)).sum();
    wants.iter().map(|&w| if w <= equal { w } else { equal + (w - equal) * left / beyond }).collect()
}

/// FairShare: what everybody wants while it fits. Otherwise the equal share, and what the modest leave of theirs in equal parts to
/// those who want more, in two rounds and no further, as doorman does it.
pub fn fair(capacity: f64, wants: &[f64]) -> Vec<f64> {
    if wants.iter().sum::<f64>() <= capacity {
        return wants.to_vec();
    }
    let mut level = capacity / wants.len() as f64;
    for _round in 0..2 {
        let left: f64 = capacity - wants.iter().map(|w| w.min(level)).sum::<f64>();
        let wanting = wants.iter().filter(|w| **w > level).count();
        if wanting == 0 {
            break;
        }
        level += left.max(0.0) / wanting as f64;
    }
    wants.iter().map(|w| w.min(level)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_get_what_they_want_while_it_fits() {
        for algorithm in [proportional, fair] {
            assert_eq!(algorithm(10.0, &[1.0, 2.0, 7.0]), [1.0, 2.0, 7.0]);
            assert_eq!(algorithm(10.0, &[0.0, 0.0]), [0.0, 0.0]);
        }
    }

    #[test]
    fn a_shortage_is_shared_as_doorman_documents_it() {
        // Equal shares of 40: the first leaves 30, which the others want in the ratio of 10 to 110.
        assert_eq!(proportional(120.0, &[10.0, 50.0, 150.0]), [10.0, 42.5, 67.5]);
        // 30 more for two is 15 for each; the second leaves 5 of that for the third.
        assert_eq!(fair(120.0, &[10.0, 50.0, 150.0]), [10.0, 50.0, 60.0]);
    }

    #[test]
    fn no_more_is_shared_than_there_is() {
        for wants in [vec![9.0; 7], vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0], vec![100.0]] {
            for algorithm in [proportional, fair] {
                assert!(algorithm(30.0, &wants).iter().sum::<f64>() <= 30.0 + 1e-9, "{wants:?}");
            }
        }
    }
}
