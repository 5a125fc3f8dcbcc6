//! Limits over all nodes: neither exceeded, whatever is late or lost, nor out of reach, however slow.

use std::sync::Arc;

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tidegate_edge_node::{EdgeNode, Options};
use tidegate_planner::{
    Planner, Settings,
    settings::{Origin, Policy},
};
use tidegate_wire::{RateTable, Report, Timestamp};

const WINDOW_S: i64 = 30;
/// Seconds between two moments at which requests come.
const BEAT_S: i64 = 5;
/// The length of a lease: so many seconds of its limit a bucket may save.
const LEASE_S: f64 = 300.0;

/// Nodes of a bucket under a limit, and how long what they tell and are told takes.
struct Loop {
    planner: Planner,
    nodes: Vec<EdgeNode>,
    tables: Vec<(i64, usize, Arc<RateTable>)>,
    reports: Vec<(i64, Report)>,
    second: i64,
    limit_per_s: f64,
    admitted: u64,
    /// What a bucket that refills at the limit is short of: its highest is the burst that it would have needed.
    short: f64,
    shortest: f64,
}

impl Loop {
    fn new(limit_per_s: f64, nodes: usize) -> Self {
        let policy = Policy { name: "limit".into(), buckets: "limited".into(), limit_per_s: Some(limit_per_s), ..Policy::default() };
        let room = 1e4 * limit_per_s.max(1.0);
        let origin = |nodes: &str| Origin { name: nodes.into(), nodes: nodes.into(), sustained_per_s: room, burst: 100.0 * room };
        // The nodes lead to two origins: a limit is over both.
        let settings = Settings { origins: vec![origin("n0"), origin("*")], policies: vec![policy], ..Settings::default() };
        Self {
            planner: Planner::new(settings, None).unwrap(),
            nodes: (0..nodes).map(|n| EdgeNode::new(format!("n{n}"), None, Options::default())).collect(),
            tables: vec![],
            reports: vec![],
            second: 0,
            limit_per_s,
            admitted: 0,
            short: 0.0,
            shortest: 0.0,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.second)
    }

    /// One window, in which `asked` says how many requests come to a node at a time, and `late` by how many seconds what a node tells
    /// (0) and is told (1) is late, if it comes at all.
    fn window(&mut self, asked: &mut dyn FnMut(i64, usize) -> u64, late: &mut dyn FnMut(usize, u8) -> Option<i64>) {
        let start = self.now();
        for _ in 0..WINDOW_S / BEAT_S {
            self.beat(asked);
        }
        for n in 0..self.nodes.len() {
            let report = self.nodes[n].report(start, WINDOW_S as u32, self.second as u64);
            self.reports.extend(late(n, 0).map(|late| (self.second + late, report)));
        }
        for (_, report) in self.reports.extract_if(.., |(due, _)| *due <= self.second) {
            self.planner.observe(&report);
        }
        let plan = self.planner.tick(Timestamp::from_secs(self.second));
        for n in 0..self.nodes.len() {
            let table = plan.tables.get(self.nodes[n].id()).cloned();
            let due = table.and_then(|table| Some((self.second + late(n, 1)?, n, table)));
            self.tables.extend(due);
        }
    }

    fn beat(&mut self, asked: &mut dyn FnMut(i64, usize) -> u64) {
        let now = self.now();
        for (_, n, table) in self.tables.extract_if(.., |(due, ..)| *due <= self.second) {
            self.nodes[n].adopt(&table, now);
        }
        for n in 0..self.nodes.len() {
            let admitted = self.nodes[n].take("limited", asked(self.second, n), now).admitted;
            self.admitted += admitted;
            self.short += admitted as f64;
        }
        self.shortest = self.shortest.max(self.short);
        self.short = (self.short - self.limit_per_s * BEAT_S as f64).max(0.0);
        self.second += BEAT_S;
    }

    /// Most that may be admitted at once, on top of the limit.
    fn burst(&self) -> f64 {
        self.limit_per_s * LEASE_S + 2.0 * self.nodes.len() as f64
    }
}

/// What is admitted of a request a minute over four nodes in eight hours, in requests, when `asked` says how many come at once.
fn of_one_a_minute(mut asked: impl FnMut(i64, usize) -> u64) -> Loop {
    let mut run = Loop::new(1.0 / 60.0, 4);
    for _ in 0..8 * 120 {
        run.window(&mut asked, &mut |_, _| Some(30));
    }
    run
}

#[test]
fn a_limit_of_one_a_minute_is_had_wherever_its_requests_come() {
    let mut dice = ChaCha8Rng::seed_from_u64(3);
    let mut at_random = move |_: i64, _: usize| u64::from(dice.random_ratio(1, 24));
    let minutes = 8.0 * 60.0;
    let at_one = |second: i64, n: usize| u64::from(n == 2 && second % 20 == 0);
    let in_turn = |second: i64, n: usize| u64::from(n as i64 == second / 3600 % 4 && second % 20 == 0);
    let runs = [
        ("at random", of_one_a_minute(&mut at_random), 0.85),
        ("at one node", of_one_a_minute(at_one), 0.95),
        ("at one after the other", of_one_a_minute(in_turn), 0.8),
    ];
    for (name, run, least) in runs {
        let admitted = run.admitted as f64;
        assert!(admitted >= least * minutes, "{name}: {admitted} of {minutes}");
        assert!(run.shortest <= run.burst(), "{name}: {} at once", run.shortest);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever comes late or never, and wherever requests come.
    #[test]
    fn no_limit_is_exceeded_by_more_than_its_burst(
        seed in any::<u64>(),
        nodes in 1_usize..7,
        exponent in -3.5_f64..2.0,
        lost in 0.0_f64..0.5,
        late_s in 0_i64..900,
        moves_after in 1_i64..40,
    ) {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut run = Loop::new(10_f64.powf(exponent), nodes);
        let most = (20.0 * run.limit_per_s * BEAT_S as f64).ceil() as u64 + 2;
        let mut asks = ChaCha8Rng::seed_from_u64(!seed);
        let mut asked = move |second: i64, n: usize| {
            let busy = second / (moves_after * WINDOW_S) % nodes as i64 == n as i64;
            if busy || asks.random_ratio(1, 20) { asks.random_range(0..=most) } else { 0 }
        };
        // For a while, now and then, a node is cut off.
        let mut cut_off = vec![0_u32; nodes];
        let mut late = move |n: usize, _: u8| {
            if cut_off[n] == 0 && dice.random_ratio(1, 100) {
                cut_off[n] = dice.random_range(1..80);
            }
            cut_off[n] = cut_off[n].saturating_sub(1);
            let comes = cut_off[n] == 0 && !dice.random_bool(lost);
            comes.then(|| dice.random_range(0..=late_s))
        };
        for _ in 0..240 {
            run.window(&mut asked, &mut late);
        }
        prop_assert!(run.shortest <= run.burst() + 1e-3, "{} at once, of {}", run.shortest, run.burst());
    }
}
