//! How much of a node's traffic comes from buckets that are not known yet, and how much usually does.

use serde::{Deserialize, Serialize};

use super::{Counts, Store, Window, close::newest_weight};

/// Which moving averages tell of now, 5 minutes, and of what is usual, a day.
const LATELY: usize = 1;
const USUALLY: usize = 4;
/// How many times as many newcomers per known request as usual are nothing to speak of,
const UNREMARKABLE: f64 = 4.0;
/// and at how many times as many what is usual learns no more. Otherwise a swarm would only have to last until it is usual.
const LEARNED: f64 = 1.5;
/// Windows after which a node has a past that newcomers can be told by: an hour.
const PAST: Window = 120;
/// Requests per window on the side that speaks against a surge, so that a handful of requests is none.
const HANDFUL: f64 = 1.0;

/// Requests per window of the known buckets of a node and of all others, refused ones included.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Requests {
    known: f64,
    new: f64,
}

impl Requests {
    fn toward(&mut self, newest: Requests, weight: f64) {
        self.known += weight * (newest.known - self.known);
        self.new += weight * (newest.new - self.new);
    }
}

/// A node's newcomers, lately and as a rule.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Newcomers {
    lately: Requests,
    usually: Requests,
    /// Windows since the node was first seen.
    age: Window,
}

impl Newcomers {
    /// From 0, no more newcomers than there usually are, to 1, nearly everybody who comes is new and few ever are.
    pub fn surge(&self) -> f64 {
        if self.age < PAST {
            return 0.0;
        }
        let now = self.lately.new / (self.lately.known + HANDFUL);
        (1.0 - UNREMARKABLE * self.rule() / now.max(f64::MIN_POSITIVE)).max(0.0)
    }

    /// How many of `new` requests of newcomers, which came beside `known` ones, lay a claim: what comes in a surge does not, or a swarm
    /// would draw the origin to where it comes in. Where newcomers take the place of known ones, keys that were all replaced, they may
    /// claim what the node usually does.
    pub fn claim(&self, known: f64, new: f64) -> f64 {
        let place = self.usually.known + self.usually.new - known;
        new.min(place.max(new * (1.0 - self.surge())))
    }

    /// Requests per window of known buckets, lately.
    pub fn known(&self) -> f64 {
        self.lately.known
    }

    /// Newcomers per known request as a rule.
    fn rule(&self) -> f64 {
        (self.usually.new + HANDFUL) / (self.usually.known + HANDFUL)
    }

    fn close(&mut self, requests: Requests, age: Window) {
        self.age = age;
        self.lately.toward(requests, newest_weight(LATELY, age).into());
        let learned = requests.new.min(LEARNED * self.rule() * (requests.known + HANDFUL));
        self.usually.toward(Requests { new: learned, ..requests }, newest_weight(USUALLY, age).into());
    }
}

impl Store {
    /// Takes in who came to the nodes that reported `window`.
    pub(super) fn note_newcomers(&mut self, window: Window, entries: &[(u32, Counts)]) {
        let node_of = |store: &Self, row: u32| store.columns.node[row as usize] as usize;
        let mut known = vec![0.0; self.nodes.len()];
        for (row, counts) in entries {
            let number = node_of(self, *row);
            if *row != self.nodes[number].total && self.is_known(*row as usize) {
                known[number] += f64::from(counts.requests);
            }
        }
        for (row, counts) in entries {
            let number = node_of(self, *row);
            let node = &mut self.nodes[number];
            if *row == node.total {
                // The total also has those that were too many to be kept as series.
                let new = (f64::from(counts.requests) - known[number]).max(0.0);
                node.newcomers.close(Requests { known: known[number], new }, window - self.columns.born[*row as usize]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(windows: i64, usual: (f64, f64), then: &[(f64, f64)]) -> f64 {
        closed(windows, usual, then).surge()
    }

    fn closed(windows: i64, usual: (f64, f64), then: &[(f64, f64)]) -> Newcomers {
        let mut newcomers = Newcomers::default();
        let usual = std::iter::repeat_n(usual, windows as usize);
        for (age, (known, new)) in usual.chain(then.iter().copied()).enumerate() {
            newcomers.close(Requests { known, new }, age as i64);
        }
        newcomers
    }

    #[test]
    fn a_swarm_is_a_surge_and_what_is_usual_is_none() {
        assert_eq!(after(2000, (30.0, 20.0), &[]), 0.0);
        assert!(after(2000, (30.0, 2.0), &[(30.0, 600.0); 4]) > 0.9);
        assert!(after(2000, (30.0, 5.0), &[(30.0, 600.0); 4]) > 0.8, "also where some are always new");
        assert!(after(2000, (30.0, 2.0), &[(30.0, 600.0); 1440]) > 0.7, "half a day later, too");
    }

    #[test]
    fn growth_of_everybody_alike_is_none() {
        assert_eq!(after(2000, (30.0, 10.0), &[(600.0, 200.0); 4]), 0.0);
    }

    #[test]
    fn neither_a_few_requests_nor_the_first_minutes_are() {
        assert_eq!(after(2000, (0.1, 0.0), &[(0.0, 3.0)]), 0.0);
        assert_eq!(after(0, (0.0, 0.0), &[(5.0, 400.0); 20]), 0.0);
    }

    #[test]
    fn what_comes_in_a_surge_claims_nothing_and_what_takes_the_place_of_others_their_part() {
        let swarm = closed(2000, (30.0, 2.0), &[(30.0, 600.0); 40]);
        assert!(swarm.claim(30.0, 600.0) < 0.1 * 600.0, "{swarm:?}");
        let replaced = closed(2000, (30.0, 2.0), &[(0.0, 32.0); 40]);
        assert!(replaced.surge() > 0.5 && replaced.claim(0.0, 32.0) > 30.0, "{replaced:?}");
        assert_eq!(closed(2000, (30.0, 20.0), &[]).claim(30.0, 20.0), 20.0);
    }
}
