//! A node's bucket and three members, each take of several requests or of one that costs several tokens.

use serde::Serialize;
use tidegate_token_bucket::{Member, MemberRates, NodeBucket, Refusal, Split};

use crate::dice::{Dice, MS};

#[derive(Serialize)]
pub struct Case {
    at_ms: u64,
    is_full: bool,
    start: Rates,
    steps: Vec<Step>,
}

#[derive(Serialize)]
struct Rates {
    refill_per_s: f64,
    lendable: f64,
    reserve: f64,
    members: [Share; 3],
}

#[derive(Clone, Copy, Serialize)]
struct Share {
    refill_per_s: f64,
    capacity: f64,
    ceiling_per_s: f64,
    ceiling_burst: f64,
    must_leave: f64,
}

#[derive(Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Step {
    TakeUpTo { at_ms: u64, member: usize, n: u64, guaranteed: u64, borrowed: u64, refusal: Option<&'static str> },
    Take { at_ms: u64, member: usize, n: u64, guaranteed: u64, borrowed: u64, refusal: Option<&'static str> },
    Set { at_ms: u64, rates: Rates },
    Tokens { at_ms: u64, tokens: f64, own: [f64; 3], is_rested: [bool; 3] },
}

const START_MS: u64 = 1_763_755_200_000;

pub fn case(dice: &mut Dice) -> Case {
    let start = rates(dice);
    let is_full = !dice.one_in(4);
    let node = NodeBucket::new(start.refill_per_s, start.lendable, start.reserve, is_full, START_MS * MS);
    let members = start.members.map(|share| Member::new(share.rates(), START_MS * MS));
    let mut at_ms = START_MS;
    let mut steps = vec![];
    for _ in 0..40 {
        let now_ms = dice.later(at_ms);
        steps.push(step(dice, &node, &members, now_ms));
        at_ms = at_ms.max(now_ms);
    }
    Case { at_ms: START_MS, is_full, start, steps }
}

fn step(dice: &mut Dice, node: &NodeBucket, members: &[Member; 3], at_ms: u64) -> Step {
    let (member, n) = (dice.below(3) as usize, dice.below(40));
    match dice.below(10) {
        0 => {
            let rates = rates(dice);
            node.set(rates.refill_per_s, rates.lendable, rates.reserve, at_ms * MS);
            for (member, share) in members.iter().zip(rates.members) {
                member.set(share.rates(), at_ms * MS);
            }
            Step::Set { at_ms, rates }
        }
        1 => {
            let [a, b, c] = members;
            Step::Tokens {
                at_ms,
                tokens: node.tokens(at_ms * MS),
                own: [a, b, c].map(|m| m.tokens(at_ms * MS)),
                is_rested: [a, b, c].map(|m| m.is_rested(at_ms * MS)),
            }
        }
        2..4 => {
            let Split { guaranteed, borrowed, refusal } = node.take(&members[member], n % 6, at_ms * MS);
            Step::Take { at_ms, member, n: n % 6, guaranteed, borrowed, refusal: refusal.map(name) }
        }
        _ => {
            let Split { guaranteed, borrowed, refusal } = node.take_up_to(&members[member], n, at_ms * MS);
            Step::TakeUpTo { at_ms, member, n, guaranteed, borrowed, refusal: refusal.map(name) }
        }
    }
}

/// The name of a refusal in test vectors.
pub fn name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Ceiling => "ceiling",
        Refusal::Pool => "pool",
    }
}

impl Share {
    fn rates(self) -> MemberRates {
        let Self { refill_per_s, capacity, ceiling_per_s, ceiling_burst, must_leave } = self;
        MemberRates { refill_per_s, capacity, ceiling_per_s, ceiling_burst, must_leave }
    }
}

fn rates(dice: &mut Dice) -> Rates {
    let members = [(); 3].map(|()| {
        let (refill_per_s, capacity, ceiling_per_s) = (dice.real(10.0), dice.amount(40.0), dice.refill(30.0));
        let must_leave = if dice.one_in(2) { 0.0 } else { dice.amount(40.0) };
        Share { refill_per_s, capacity, ceiling_per_s, ceiling_burst: ceiling_per_s * 4.0 + capacity, must_leave }
    });
    let reserve = members.iter().map(|m| m.capacity.max(0.0)).sum();
    Rates { refill_per_s: dice.refill(40.0), lendable: dice.amount(60.0), reserve, members }
}
