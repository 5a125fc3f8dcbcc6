//! A whole node: tables that come and are refused, takes, the ladder, reports.

use serde::Serialize;
use tidegate_edge_node::{Adoption, EdgeNode, Options, RefusedTable};
use tidegate_wire::{BucketCounts, BucketRates, Mode, PoolRates, RateTable, Timestamp};

use crate::{dice::Dice, two_level::name};

#[derive(Serialize)]
pub struct Case {
    start_empty: bool,
    most_buckets: usize,
    steps: Vec<Step>,
}

#[derive(Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Step {
    Adopt { at_ms: u64, table: RateTable, adoption: &'static str },
    Take { at_ms: u64, bucket: String, n: u64, admitted: u64, guaranteed: u64, borrowed: u64, refusal: Option<&'static str> },
    State { at_ms: u64, tokens: f64, refill_per_s: f64, bucket: String, bucket_tokens: f64, buckets: usize },
    Report { start_ms: u64, buckets: Vec<BucketCounts> },
}

const START_MS: u64 = 1_763_755_200_000;
const NAMES: [&str; 8] = ["key:a", "key:b", "key:c", "route:root", "plan.free", "_other", "not an id", ""];

pub fn case(dice: &mut Dice) -> Case {
    let (start_empty, most_buckets) = (dice.one_in(4), 2 + dice.below(6) as usize);
    let mut node = EdgeNode::new("n", None, Options { start_empty, most_buckets });
    let (mut at_ms, mut epoch) = (START_MS, 1 + dice.below(5));
    let mut steps = vec![];
    for i in 0..60 {
        let now_ms = dice.later(at_ms);
        steps.push(match (i, dice.below(12)) {
            (0, _) | (_, 0) => adopt(dice, &mut node, &mut epoch, now_ms),
            (_, 1) => report(&mut node, now_ms),
            (_, 2..4) => state(dice, &mut node, now_ms),
            _ => take(dice, &mut node, now_ms),
        });
        at_ms = at_ms.max(now_ms);
    }
    Case { start_empty, most_buckets, steps }
}

fn time(at_ms: u64) -> Timestamp {
    Timestamp::from_millis(at_ms as i64)
}

fn adopt(dice: &mut Dice, node: &mut EdgeNode, epoch: &mut u64, at_ms: u64) -> Step {
    match dice.below(4) {
        0 => *epoch = epoch.saturating_sub(1),
        1 => {}
        _ => *epoch += 1 + dice.below(3),
    }
    let table = table(dice, *epoch, at_ms);
    let adoption = match node.adopt(&table, time(at_ms)) {
        Adoption::Adopted => "adopted",
        Adoption::Current => "current",
        Adoption::Refused(RefusedTable::Epoch { .. }) => "epoch",
        Adoption::Refused(RefusedTable::Node { .. }) => "node",
        Adoption::Refused(_) => "refused",
    };
    Step::Adopt { at_ms, table, adoption }
}

fn table(dice: &mut Dice, epoch: u64, at_ms: u64) -> RateTable {
    let step_s = 1 + dice.below(60) as u32;
    let issued_ms = (at_ms + 3_000).saturating_sub(dice.below(60_000));
    let lease_ms = if dice.one_in(8) { 0 } else { dice.below(300_000) };
    let listed = NAMES[..5].iter().filter(|_| dice.one_in(2)).copied().collect::<Vec<_>>();
    RateTable {
        version: 1,
        node: if dice.one_in(20) { "m" } else { "n" }.into(),
        epoch,
        issued_at: time(issued_ms),
        step_s,
        expires_at: time(issued_ms + lease_ms),
        mode: if dice.one_in(8) { Mode::Shadow } else { Mode::Enforce },
        instances: 1 + dice.below(4) as u32,
        pool: PoolRates { refill_per_s: schedule(dice, 60.0), capacity: dice.real(80.0), safe_per_s: dice.real(20.0) },
        default: rates(dice),
        buckets: listed.into_iter().map(|id| (id.to_owned(), rates(dice))).collect(),
        shards: vec![],
    }
}

fn schedule(dice: &mut Dice, most: f64) -> Vec<f64> {
    (0..dice.below(5)).map(|_| dice.real(most)).collect()
}

fn rates(dice: &mut Dice) -> BucketRates {
    let ceiling_per_s = if dice.one_in(10) { 0.0 } else { dice.real(30.0) };
    // So slow a ceiling brings less than a token in a step.
    let ceiling_per_s = if dice.one_in(4) { ceiling_per_s / 3000.0 } else { ceiling_per_s };
    let ceiling_burst = dice.one_in(3).then(|| dice.real(60.0));
    let must_leave = if dice.one_in(2) { 0.0 } else { dice.real(60.0) };
    let (capacity, safe_per_s) = (dice.real(40.0), dice.real(5.0));
    BucketRates { refill_per_s: schedule(dice, 20.0), capacity, ceiling_per_s, ceiling_burst, safe_per_s, must_leave }
}

fn take(dice: &mut Dice, node: &mut EdgeNode, at_ms: u64) -> Step {
    let bucket = NAMES[dice.below(8) as usize].to_owned();
    let n = if dice.one_in(3) { dice.below(200) } else { 1 };
    let taken = node.take(&bucket, n, time(at_ms));
    let (admitted, guaranteed, borrowed) = (taken.admitted, taken.guaranteed, taken.borrowed);
    Step::Take { at_ms, bucket, n, admitted, guaranteed, borrowed, refusal: taken.refusal.map(name) }
}

fn state(dice: &mut Dice, node: &mut EdgeNode, at_ms: u64) -> Step {
    let (bucket, now) = (NAMES[dice.below(8) as usize].to_owned(), time(at_ms));
    let (tokens, refill_per_s, bucket_tokens) = (node.tokens(now), node.refill_per_s(now), node.bucket_tokens(&bucket, now));
    Step::State { at_ms, tokens, refill_per_s, bucket, bucket_tokens, buckets: node.buckets() }
}

fn report(node: &mut EdgeNode, at_ms: u64) -> Step {
    let start_ms = at_ms - at_ms % 30_000;
    let mut buckets = node.report(time(start_ms), 30, 1).buckets;
    buckets.sort_by(|a, b| a.bucket.cmp(&b.bucket));
    Step::Report { start_ms, buckets }
}
