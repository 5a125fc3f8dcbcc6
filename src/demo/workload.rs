//! The seeded workload: clients and routes at four nodes, whose demand moves between nodes all the time.
//!
//! - waves: every node has its rush hour, 2.4 times its mean, one after the other, so that the sum is steady and no node is;
//! - bursts: now and then a client asks for several times as much, at one node and for a few minutes;
//! - a flash crowd: one route, one node, ten minutes;
//! - an abuser: one key that asks for more than all others at its node together.

use std::f64::consts::TAU;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tidegate_wire::Timestamp;

use super::{
    poisson::poisson,
    traffic::{Arrival, Traffic, WINDOW_S, edge_names},
};

/// Start of the first window: a Monday, 08:00 UTC.
const START_S: i64 = 1_793_606_400;
/// Requests per second of all clients and routes together, on an ordinary moment.
const BASE_PER_S: f64 = 240.0;
const CLIENTS: usize = 24;
const ROUTES: [&str; 6] = ["route:search", "route:login", "route:feed", "route:cart", "route:images", "route:checkout"];
/// Part of the base that is asked for by route, not by client.
const ROUTES_PART: f64 = 0.3;
/// From one rush hour of a node to the next: a day, sped up; and how much sharper than a sine its peak is.
const WAVE_S: f64 = 3600.0;
const SHARPNESS: f64 = 1.2;
/// Mean of `exp(SHARPNESS * sin)` over a wave, by which it is divided.
const WAVE_MEAN: f64 = 1.394;
/// A burst: seconds between two of one client, on average; factor; shortest and longest duration in seconds.
const BURST_EVERY_S: f64 = 1500.0;
const BURST_FACTOR: f64 = 8.0;
const BURST_S: (u32, u32) = (60, 300);
/// The flash crowd: requests per second at its height and duration in seconds.
const CROWD_PER_S: f64 = 120.0;
const CROWD_S: f64 = 600.0;
/// The abuser: requests per second, and from where to where in the run.
const ABUSE_PER_S: f64 = 150.0;
const ABUSE: (f64, f64) = (0.3, 0.8);

/// One bucket's demand.
struct Source {
    /// Requests per second at all nodes together, on an ordinary moment.
    per_s: f64,
    /// Node and end of the burst that it is in.
    burst: Option<(usize, u32)>,
}

/// The workload of `windows` windows. The same seed gives the same requests.
pub(super) fn seeded(windows: u32, seed: u64) -> Traffic {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let nodes = edge_names();
    let mut sources = sources();
    let seconds = windows * WINDOW_S;
    let crowd = (random.random_range(0..nodes.len()), f64::from(seconds) * random.random_range(0.3..0.6));
    let abuse_node = random.random_range(0..nodes.len());
    let mut arrivals = vec![];
    for second in 0..seconds {
        for (bucket, source) in sources.iter_mut().enumerate() {
            source.burst = source.burst.filter(|&(_, end)| second < end).or_else(|| burst(&mut random, nodes.len(), second));
            for node in 0..nodes.len() {
                let mut per_s = source.at(node, nodes.len(), second);
                if bucket == CLIENTS + ROUTES.len() - 1 && node == crowd.0 {
                    per_s += crowd_at(f64::from(second) - crowd.1);
                }
                push(&mut arrivals, second, node, bucket, poisson(&mut random, per_s));
            }
        }
        let progress = f64::from(second) / f64::from(seconds);
        if (ABUSE.0..ABUSE.1).contains(&progress) {
            push(&mut arrivals, second, abuse_node, sources.len(), poisson(&mut random, ABUSE_PER_S));
        }
    }
    let clients = (1..=CLIENTS).map(|i| format!("key:client-{i:02}"));
    let buckets: Vec<String> = clients.chain(ROUTES.map(str::to_owned)).chain(["key:abuser".to_owned()]).collect();
    let mut traffic = Traffic::new(Timestamp::from_secs(START_S), windows, nodes, buckets, arrivals);
    if let Some(abuser) = traffic.abuse.last_mut() {
        *abuser = true;
    }
    traffic
}

/// Clients by Zipf's law, then the routes, all alike.
fn sources() -> Vec<Source> {
    let weight = |i: usize| 1.0 / (i + 1) as f64;
    let total: f64 = (0..CLIENTS).map(weight).sum();
    let clients = (0..CLIENTS).map(|i| BASE_PER_S * (1.0 - ROUTES_PART) * weight(i) / total);
    let routes = ROUTES.map(|_| BASE_PER_S * ROUTES_PART / ROUTES.len() as f64);
    clients.chain(routes).map(|per_s| Source { per_s, burst: None }).collect()
}

impl Source {
    fn at(&self, node: usize, nodes: usize, second: u32) -> f64 {
        let phase = f64::from(second) / WAVE_S - node as f64 / nodes as f64;
        let wave = (SHARPNESS * (TAU * phase).sin()).exp() / WAVE_MEAN;
        let ordinary = self.per_s / nodes as f64;
        match self.burst {
            Some((here, _)) if here == node => ordinary * (wave + BURST_FACTOR),
            _ => ordinary * wave,
        }
    }
}

fn burst(random: &mut impl Rng, nodes: usize, second: u32) -> Option<(usize, u32)> {
    let begins = random.random_bool(1.0 / BURST_EVERY_S);
    begins.then(|| (random.random_range(0..nodes), second + random.random_range(BURST_S.0..BURST_S.1)))
}

/// Requests per second of the crowd, `since` seconds after it has begun to gather: up in two minutes, then fading.
fn crowd_at(since: f64) -> f64 {
    const GATHERING_S: f64 = 120.0;
    if !(0.0..CROWD_S).contains(&since) {
        return 0.0;
    }
    CROWD_PER_S * (since / GATHERING_S).min((CROWD_S - since) / (CROWD_S - GATHERING_S))
}

fn push(arrivals: &mut Vec<Arrival>, second: u32, node: usize, bucket: usize, requests: u32) {
    if requests > 0 {
        arrivals.push(Arrival { second, node, bucket, requests, errors: 0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_node(traffic: &Traffic, seconds: std::ops::Range<u32>) -> Vec<u64> {
        let mut sums = vec![0; traffic.nodes.len()];
        for arrival in seconds.flat_map(|s| traffic.second(s)).filter(|a| !traffic.abuse[a.bucket]) {
            sums[arrival.node] += u64::from(arrival.requests);
        }
        sums
    }

    #[test]
    fn the_same_seed_gives_the_same_requests() {
        assert_eq!(seeded(4, 5), seeded(4, 5));
        assert_ne!(seeded(4, 5), seeded(4, 6));
    }

    #[test]
    fn demand_moves_from_node_to_node() {
        let traffic = seeded(120, 1);
        let (early, late) = (by_node(&traffic, 600..1200), by_node(&traffic, 2400..3000));
        assert!(early[0] > 3 * late[0], "{early:?} then {late:?}");
        assert!(late[2] > 2 * early[2], "{early:?} then {late:?}");
    }

    #[test]
    fn abuse_is_marked_and_is_not_part_of_what_is_wanted() {
        let traffic = seeded(40, 1);
        assert_eq!(traffic.abuse.iter().filter(|&&a| a).count(), 1);
        assert!((200.0..400.0).contains(&traffic.mean_per_s()), "{}", traffic.mean_per_s());
        let shares = traffic.shares();
        assert!(shares.iter().all(|node| node[traffic.buckets.len() - 1] == 0.0));
    }
}
