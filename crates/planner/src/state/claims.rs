//! Demand that lays a claim to capacity: all of it, but for what a bucket asks for far beyond what it is entitled to, and what a
//! node says that nothing bears out.
//!
//! The rest is refused and admitted like any other, but nothing learns from it. Otherwise whoever asks for more would draw capacity
//! to its node by asking, at the cost of everybody elsewhere; and so would a node that lies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Counts, Store, Window};

/// Which moving average must stay within what a bucket is entitled to: 5 minutes.
const SUSTAINED: usize = 1;
/// How many times what it is entitled to a bucket may claim in one window out of silence: about half of what that average has room for, so
/// that a flood is down to its share within few windows.
const AT_ONCE: f64 = 8.0;

/// Standard deviations of a Poisson count that a node is believed on top, for few requests vary more.
const CHANCE: f64 = 1.0;

/// What the buckets of a node, and the node, may claim. Rates are in requests per window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// What a known bucket of weight 1 and the usual priority is entitled to.
    pub known: f64,
    /// What one is entitled to that was first seen after `known_since`.
    pub new: f64,
    /// The last window in which a bucket must have been born to be known.
    pub known_since: Window,
    /// What busy rows of another weight or priority are entitled to, by row. Infinite where a person has set a limit over all nodes:
    /// it bounds the claims, and is split by them.
    pub own: BTreeMap<u32, f64>,
    /// How many times what it admitted a node is believed to be asked for.
    pub believed: f64,
    /// What it is believed whatever it admitted: one that has no tokens left can show nothing.
    pub unproven: f64,
}

impl Default for Claims {
    /// Before the first plan nothing is bounded.
    fn default() -> Self {
        let all = f64::INFINITY;
        Self { known: all, new: all, known_since: Window::MAX, own: BTreeMap::new(), believed: all, unproven: all }
    }
}

impl Claims {
    /// Most requests that the node of these `counts` is believed to have been asked for.
    fn most(&self, counts: &Counts) -> f32 {
        let admitted = f64::from((counts.requests - counts.throttled).max(0.0));
        // Nothing times infinity would not be a number.
        let proven = if admitted > 0.0 { self.believed * admitted + CHANCE * admitted.sqrt() } else { 0.0 };
        self.unproven.max(proven) as f32
    }
}

impl Store {
    /// What `row` is entitled to at its node, requests per window.
    pub fn entitled(&self, row: usize) -> f64 {
        let claims = &self.nodes[self.columns.node[row] as usize].claims;
        let usual = if self.is_known(row) { claims.known } else { claims.new };
        claims.own.get(&(row as u32)).copied().unwrap_or(usual)
    }

    /// Most that `row` may claim in a window: its average over the last minutes stays within what it is entitled to, so a burst may go far
    /// beyond that and a flood may not. The nearer the average has come, the less of what is left may be claimed at once, or whatever
    /// moves an entitlement would move the claims of a flood many times as far.
    fn claimable(&self, row: usize) -> f64 {
        let entitled = self.entitled(row);
        let lately = f64::from(self.columns.ewma[SUSTAINED][row]);
        if lately >= entitled {
            return entitled;
        }
        let left = 1.0 - lately / entitled;
        lately + AT_ONCE * (entitled - lately) * left * left
    }

    /// Cuts `demand`, which is that of `entries`, to what lays a claim. A node's total comes with its buckets.
    pub(super) fn within_claims(&self, entries: &[(u32, Counts)], demand: &mut [f32]) {
        let mut beyond = vec![0.0f32; self.nodes.len()];
        let node_of = |row: u32| self.columns.node[row as usize] as usize;
        let is_total = |row: u32| self.nodes[node_of(row)].total == row;
        for ((row, _), demand) in entries.iter().zip(&mut *demand).filter(|((row, _), _)| !is_total(*row)) {
            let most = self.claimable(*row as usize) as f32;
            if *demand > most {
                beyond[node_of(*row)] += *demand - most;
                *demand = most;
            }
        }
        let mut known = vec![0.0f32; self.nodes.len()];
        for ((row, _), demand) in entries.iter().zip(&*demand).filter(|((row, _), _)| !is_total(*row) && self.is_known(*row as usize)) {
            known[node_of(*row)] += *demand;
        }
        let mut believed = vec![Believed::default(); self.nodes.len()];
        for ((row, counts), demand) in entries.iter().zip(&mut *demand).filter(|((row, _), _)| is_total(*row)) {
            let node = node_of(*row);
            let new = (*demand - beyond[node] - known[node]).max(0.0);
            // While nothing is refused, newcomers take nothing from anybody.
            let scarce = counts.throttled > 0.0;
            let of_new = if scarce { self.nodes[node].newcomers.claim(known[node].into(), new.into()) as f32 } else { new };
            *demand = (known[node] + of_new).min(self.nodes[node].claims.most(counts));
            believed[node] = Believed::of(*demand, known[node], new);
        }
        for ((row, _), demand) in entries.iter().zip(demand).filter(|((row, _), _)| !is_total(*row)) {
            let Believed { known, new } = believed[node_of(*row)];
            *demand *= if self.is_known(*row as usize) { known } else { new };
        }
    }

    /// Whether `row` is of a bucket that is known at its node.
    pub(super) fn is_known(&self, row: usize) -> bool {
        self.columns.born[row] <= self.nodes[self.columns.node[row] as usize].claims.known_since
    }
}

/// How much is believed of what the buckets of a node claim, 0 to 1: the known ones come first, so that a swarm does not crowd out
/// what they need.
#[derive(Debug, Clone, Copy)]
struct Believed {
    known: f32,
    new: f32,
}

impl Default for Believed {
    fn default() -> Self {
        Self { known: 1.0, new: 1.0 }
    }
}

impl Believed {
    fn of(all: f32, known: f32, new: f32) -> Self {
        let part = |of: f32, claimed: f32| if of < claimed { of / claimed } else { 1.0 };
        Self { known: part(all, known), new: part((all - known).max(0.0), new) }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_wire::{BucketCounts, Report, Timestamp};

    use super::*;
    use crate::{settings::Limits, state::TOTAL};

    /// What is left of the claims of a node, its total first, after `windows` windows of `asked`, `(bucket, requests, throttled)`.
    fn claimed(claims: &Claims, windows: i64, asked: &[(&str, u64, u64)]) -> Vec<f32> {
        claimed_in_turn(&[(claims, windows)], asked)
    }

    /// The same after each of `claims` has held for as many windows.
    fn claimed_in_turn(claims: &[(&Claims, i64)], asked: &[(&str, u64, u64)]) -> Vec<f32> {
        let mut store = Store::new(30, Limits::default());
        let claims = claims.iter().flat_map(|(claims, windows)| (0..*windows).map(move |_| *claims));
        for (window, claims) in (0..).zip(claims) {
            let counts = |(bucket, requests, throttled): &(&str, u64, u64)| BucketCounts {
                bucket: (*bucket).into(),
                requests: *requests,
                throttled: *throttled,
                ..Default::default()
            };
            store.record(&Report {
                node: "n".into(),
                instance: None,
                sequence: window as u64,
                epoch: None,
                staleness_ms: None,
                start: Timestamp::from_secs(window * 30),
                seconds: 30,
                cpu: None,
                memory: None,
                buckets: asked.iter().map(counts).collect(),
            });
            store.nodes[0].claims = claims.clone();
            store.close(window);
        }
        std::iter::once(TOTAL).chain(asked.iter().map(|a| a.0)).map(|b| store.demand(store.row(0, b).unwrap(), 0)).collect()
    }

    #[test]
    fn a_flood_claims_what_it_is_entitled_to_and_a_burst_all_of_itself() {
        let claims = Claims { known: 60.0, new: 60.0, ..Claims::default() };
        assert_eq!(claimed(&claims, 1, &[("burst", 400, 0), ("calm", 10, 0)]), [410.0, 400.0, 10.0]);
        let flood = claimed(&claims, 200, &[("flood", 800, 0), ("calm", 10, 0)]);
        assert!((flood[1] - 60.0).abs() < 3.0 && flood[2] == 10.0 && (flood[0] - flood[1] - 10.0).abs() < 0.01, "{flood:?}");
    }

    #[test]
    fn what_moves_an_entitlement_moves_a_flood_no_further() {
        let [usual, more] = [60.0, 63.0].map(|known| Claims { known, new: known, ..Claims::default() });
        let flood = claimed_in_turn(&[(&usual, 200), (&more, 1)], &[("flood", 800, 0)]);
        assert!(flood[1] < 66.0, "{flood:?}");
    }

    #[test]
    fn age_and_what_is_its_own_say_how_much_it_is() {
        let known = Claims { known: 60.0, new: 20.0, ..Claims::default() };
        assert!((claimed(&known, 200, &[("a", 800, 0)])[1] - 60.0).abs() < 3.0);
        let new = Claims { known_since: -1, ..known.clone() };
        assert!((claimed(&new, 200, &[("a", 800, 0)])[1] - 20.0).abs() < 1.0);
        let heavy = Claims { own: [(1, 180.0)].into(), ..known };
        assert!((claimed(&heavy, 200, &[("a", 800, 0)])[1] - 180.0).abs() < 9.0);
    }

    #[test]
    fn a_node_is_believed_a_few_times_what_it_admitted() {
        let claims = Claims { believed: 2.0, unproven: 30.0, ..Claims::default() };
        assert_eq!(
            claimed(&claims, 1, &[("a", 6000, 5920), ("b", 2000, 1980)]),
            [210.0, 157.5, 52.5],
            "twice a hundred and its square root"
        );
        assert_eq!(claimed(&claims, 1, &[("a", 6000, 6000)]), [30.0, 30.0], "and something when it could admit nothing");
        assert_eq!(claimed(&claims, 1, &[("a", 90, 40)]), [90.0, 90.0]);
    }

    #[test]
    fn who_is_known_is_believed_first() {
        let parts = |all| (Believed::of(all, 50.0, 500.0).known, Believed::of(all, 50.0, 500.0).new);
        assert_eq!(parts(550.0), (1.0, 1.0));
        assert_eq!(parts(100.0), (1.0, 0.1));
        assert_eq!(parts(25.0), (0.5, 0.0));
    }
}
