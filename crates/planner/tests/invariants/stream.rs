//! Arbitrary streams of reports and ticks, and the walk through them.

use proptest::{collection::vec, option, prelude::*, sample::select};
use tidegate_planner::{Model, Plan, Planner, Settings};
use tidegate_wire::{BucketCounts, Report, Timestamp};

use crate::settings::{model, settings};

/// Start of every stream: an hour before midnight, so that the day changes in longer ones.
pub const START_S: i64 = 1_763_766_000;
/// Length of a window in every stream, seconds.
pub const WINDOW_S: i64 = 30;

const NODES: [&str; 8] = ["w1", "w2", "e1", "e2", "e3", "e4", "e5", "e6"];
const BUCKETS: [&str; 8] = ["b1", "b2", "b3", "b4", "vip:1", "vip:2", "x", "y"];

/// Settings, a model and what then happens.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub settings: Settings,
    pub model: Option<Model>,
    pub rounds: Vec<Round>,
}

/// The clock moves, reports come in, perhaps something else happens, the planner ticks.
#[derive(Debug, Clone)]
pub struct Round {
    pub advance_ms: i64,
    pub reports: Vec<Draft>,
    pub event: Event,
}

/// What happens between two ticks besides reports.
#[derive(Debug, Clone)]
pub enum Event {
    None,
    Restore,
    Model(Option<Model>),
}

/// A report but for what depends on the run: its time and the epochs it can know.
#[derive(Debug, Clone)]
pub struct Draft {
    node: usize,
    instance: u8,
    windows_late: i64,
    ack: Ack,
    staleness_ms: Option<u64>,
    cpu: Option<f64>,
    counts: Vec<(usize, u64, u64, u64, Option<f64>)>,
}

/// The epoch that a report says is enforced.
#[derive(Debug, Clone)]
enum Ack {
    None,
    Newest,
    Behind(u64),
    Ahead(u64),
}

fn draft() -> impl Strategy<Value = Draft> {
    let ack = prop_oneof![
        1 => Just(Ack::None),
        6 => Just(Ack::Newest),
        3 => (1u64..12).prop_map(Ack::Behind),
        1 => select(vec![1, 5, u64::MAX]).prop_map(Ack::Ahead),
    ];
    let odd = || option::of(prop_oneof![4 => 0.0..1.2f64, 1 => select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0])]);
    let count = || prop_oneof![2 => Just(0u64), 6 => 0u64..100, 3 => 0u64..20_000, 1 => Just(u64::MAX)];
    let counts = vec((0..BUCKETS.len(), count(), count(), count(), odd()), 0..6);
    let instance = prop_oneof![5 => Just(0u8), 2 => 1u8..4];
    let stale = option::of(prop_oneof![8 => 0u64..120_000, 1 => Just(u64::MAX)]);
    let late = prop_oneof![8 => Just(0i64), 2 => 1i64..12, 1 => Just(-1)];
    let drafts = (0..NODES.len(), instance, late, ack, stale, odd(), counts);
    drafts.prop_map(|(node, instance, windows_late, ack, staleness_ms, cpu, counts)| Draft {
        node,
        instance,
        windows_late,
        ack,
        staleness_ms,
        cpu,
        counts,
    })
}

fn round(nodes: usize) -> impl Strategy<Value = Round> {
    let advance_ms = prop_oneof![
        24 => Just(30_000i64),
        2 => Just(0),
        2 => 1i64..90_000,
        1 => -200_000i64..0,
        1 => select(vec![700_000, 86_400_000, 3 * 86_400_000]),
    ];
    let event = prop_oneof![16 => Just(Event::None), 1 => Just(Event::Restore), 1 => model().prop_map(Event::Model)];
    let reports = vec(draft(), 0..12).prop_map(move |mut drafts| {
        drafts.iter_mut().for_each(|d| d.node %= nodes);
        drafts
    });
    (advance_ms, reports, event).prop_map(|(advance_ms, reports, event)| Round { advance_ms, reports, event })
}

/// Any scenario of up to `rounds` ticks over 1 to 8 nodes.
pub fn scenario(rounds: usize) -> impl Strategy<Value = Scenario> {
    let stream = (1usize..=8).prop_flat_map(move |nodes| vec(round(nodes), 1..rounds));
    (settings(), model(), stream).prop_map(|(settings, model, rounds)| Scenario { settings, model, rounds })
}

/// What a walk shows to whoever watches it.
pub trait Watch {
    /// A report is about to be observed.
    fn report(&mut self, _report: &Report) {}
    /// A plan was made.
    fn plan(&mut self, plan: &Plan) -> Result<(), TestCaseError>;
}

/// Drives a planner through `scenario`, restoring it from its own snapshot before round `split` as well.
pub fn walk(scenario: &Scenario, split: Option<usize>, watch: &mut impl Watch) -> Result<(), TestCaseError> {
    let settings = || scenario.settings.clone();
    let mut planner = Planner::new(settings(), scenario.model.clone()).map_err(|e| TestCaseError::reject(e.to_string()))?;
    let mut now_ms = START_S * 1000;
    let mut sequence = 0;
    for (i, round) in scenario.rounds.iter().enumerate() {
        if split == Some(i) {
            planner = restored(&planner, settings());
        }
        match &round.event {
            Event::None => {}
            Event::Restore => planner = restored(&planner, settings()),
            Event::Model(model) => planner.set_model(model.clone()),
        }
        now_ms += round.advance_ms;
        for draft in &round.reports {
            sequence += 1;
            let report = draft.report(now_ms, sequence, planner.epoch());
            watch.report(&report);
            planner.observe(&report);
        }
        watch.plan(&planner.tick(Timestamp::from_millis(now_ms)))?;
    }
    Ok(())
}

/// A fresh planner in the state of another.
pub fn restored(planner: &Planner, settings: Settings) -> Planner {
    let mut fresh = Planner::new(settings, planner.model().cloned()).unwrap();
    fresh.restore(&planner.snapshot()).unwrap();
    fresh
}

impl Draft {
    fn report(&self, now_ms: i64, sequence: u64, epoch: u64) -> Report {
        let window = now_ms.div_euclid(1000 * WINDOW_S) - 1 - self.windows_late;
        let bucket = |(bucket, requests, throttled, retries, peak): &(usize, u64, u64, u64, Option<f64>)| BucketCounts {
            bucket: BUCKETS[*bucket].into(),
            requests: *requests,
            throttled: *throttled,
            retries: *retries,
            errors: *throttled,
            bytes: *requests,
            peak_per_s: *peak,
        };
        Report {
            node: NODES[self.node].into(),
            instance: (self.instance > 0).then(|| format!("i{}", self.instance)),
            sequence,
            epoch: match self.ack {
                Ack::None => None,
                Ack::Newest => Some(epoch),
                Ack::Behind(n) => Some(epoch.saturating_sub(n)),
                Ack::Ahead(n) => Some(epoch.saturating_add(n)),
            },
            staleness_ms: self.staleness_ms,
            start: Timestamp::from_secs(window * WINDOW_S),
            seconds: WINDOW_S as u32,
            cpu: self.cpu,
            memory: self.cpu,
            buckets: self.counts.iter().map(bucket).collect(),
        }
    }
}
