//! One token bucket.

use serde::Serialize;
use tidegate_token_bucket::TokenBucket;

use crate::dice::{Dice, MS};

#[derive(Serialize)]
pub struct Case {
    at_ms: u64,
    refill_per_s: f64,
    capacity: f64,
    tokens: f64,
    steps: Vec<Step>,
}

#[derive(Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Step {
    Take { at_ms: u64, n: u64, reserve: f64, taken: bool },
    TakeUpTo { at_ms: u64, n: u64, reserve: f64, taken: u64 },
    Charge { at_ms: u64, n: u64 },
    Refund { n: u64 },
    Set { at_ms: u64, refill_per_s: f64, capacity: f64 },
    Tokens { at_ms: u64, tokens: f64, is_full: bool },
}

pub fn case(dice: &mut Dice) -> Case {
    let mut at_ms = 1_763_755_200_000;
    let (refill_per_s, capacity, tokens) = (dice.refill(50.0), dice.amount(200.0), dice.amount(200.0));
    let bucket = TokenBucket::new(refill_per_s, capacity, tokens, at_ms * MS);
    let mut steps = vec![];
    for _ in 0..40 {
        let now_ms = dice.later(at_ms);
        steps.push(step(dice, &bucket, now_ms));
        at_ms = at_ms.max(now_ms);
    }
    Case { at_ms: 1_763_755_200_000, refill_per_s, capacity, tokens, steps }
}

fn step(dice: &mut Dice, bucket: &TokenBucket, at_ms: u64) -> Step {
    let n = if dice.one_in(12) { dice.below(3_000_000) } else { dice.below(40) };
    let reserve = if dice.one_in(3) { dice.amount(20.0) } else { 0.0 };
    match dice.below(12) {
        0..3 => Step::Take { at_ms, n, reserve, taken: bucket.take_above(n, reserve, at_ms * MS) },
        3..7 => Step::TakeUpTo { at_ms, n, reserve, taken: bucket.take_up_to_above(n, reserve, at_ms * MS) },
        7 => {
            bucket.charge(n, at_ms * MS);
            Step::Charge { at_ms, n }
        }
        8 => {
            bucket.refund(n);
            Step::Refund { n }
        }
        9 => {
            let (refill_per_s, capacity) = (dice.refill(50.0), dice.amount(200.0));
            bucket.set(refill_per_s, capacity, at_ms * MS);
            Step::Set { at_ms, refill_per_s, capacity }
        }
        _ => Step::Tokens { at_ms, tokens: bucket.tokens(at_ms * MS), is_full: bucket.is_full(at_ms * MS) },
    }
}
