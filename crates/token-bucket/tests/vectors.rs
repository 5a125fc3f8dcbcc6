//! The test vectors in `contracts/vectors` that every implementation of the bucket runs, made by the exact model.
//!
//! `UPDATE_VECTORS=1 cargo test -p tidegate-token-bucket --test vectors` writes them anew. Amounts are multiples of an eighth and
//! times of 125 ms, so that implementations in binary floating point are held to the very same decisions.

mod exact;

use std::{fs, path::PathBuf};

use exact::{Decision, ExactBucket, ExactMember, ExactNode, TOKEN, amount};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tidegate_token_bucket::{Member, MemberRates, NodeBucket, Refusal, TokenBucket};

const MS: u64 = 1_000_000;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct BucketCase {
    name: String,
    refill_per_s: f64,
    capacity: f64,
    tokens: f64,
    steps: Vec<BucketStep>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum BucketStep {
    Take { at_ms: u64, n: u64, reserve: f64, taken: bool },
    TakeUpTo { at_ms: u64, n: u64, reserve: f64, taken: u64 },
    Charge { at_ms: u64, n: u64 },
    Refund { n: u64 },
    Set { at_ms: u64, refill_per_s: f64, capacity: f64 },
    Tokens { at_ms: u64, tokens: f64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Rates {
    refill_per_s: f64,
    capacity: f64,
    ceiling_per_s: f64,
    ceiling_burst: f64,
    must_leave: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NodeRates {
    refill_per_s: f64,
    lendable: f64,
    reserve: f64,
    members: Vec<Rates>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct NodeCase {
    name: String,
    /// The node starts full, its members without guaranteed tokens.
    start: NodeRates,
    steps: Vec<NodeStep>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum NodeStep {
    TakeUpTo { at_ms: u64, member: usize, n: u64, guaranteed: u64, borrowed: u64, refusal: Option<String> },
    Set { at_ms: u64, rates: NodeRates },
    Tokens { at_ms: u64, tokens: f64 },
}

/// A small generator of its own, so that the vectors do not depend on the version of a crate.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// A multiple of an eighth below `most`.
    fn eighths(&mut self, most: u64) -> f64 {
        self.below(most * 8) as f64 / 8.0
    }

    fn wait_ms(&mut self) -> u64 {
        let longest = [1, 8, 80, 4000][self.below(4) as usize];
        125 * self.below(longest)
    }
}

/// Eighths of a token per second over eighths of a second: every level is a multiple of a sixty-fourth.
fn tokens(level: i128) -> f64 {
    (level / (TOKEN / 64)) as f64 / 64.0
}

fn bucket_case(seed: u64) -> BucketCase {
    let mut dice = Dice(seed);
    let (refill_per_s, capacity) = (dice.eighths(50), dice.eighths(200));
    let start = dice.eighths(200);
    let mut exact = ExactBucket::new(refill_per_s, capacity, start, 0);
    let mut at_ms = 0;
    let mut steps = vec![];
    for _ in 0..40 {
        at_ms += dice.wait_ms();
        exact.settle(at_ms * MS);
        let (n, reserve) = (dice.below(30), if dice.below(3) == 0 { dice.eighths(20) } else { 0.0 });
        steps.push(match dice.below(12) {
            0..4 => {
                let taken = n == 0 || exact.level - amount(reserve) >= i128::from(n) * TOKEN;
                exact.give(if taken { n } else { 0 });
                BucketStep::Take { at_ms, n, reserve, taken }
            }
            4..8 => {
                let taken = exact.whole_above(amount(reserve)).min(n);
                exact.give(taken);
                BucketStep::TakeUpTo { at_ms, n, reserve, taken }
            }
            8 => {
                exact.give(n);
                BucketStep::Charge { at_ms, n }
            }
            9 => {
                exact.refund(n);
                BucketStep::Refund { n }
            }
            10 => {
                let (refill_per_s, capacity) = (dice.eighths(50), dice.eighths(200));
                exact.set(refill_per_s, capacity, at_ms * MS);
                BucketStep::Set { at_ms, refill_per_s, capacity }
            }
            _ => BucketStep::Tokens { at_ms, tokens: tokens(exact.level) },
        });
    }
    BucketCase { name: format!("random {seed}"), refill_per_s, capacity, tokens: start, steps }
}

fn node_rates(dice: &mut Dice) -> NodeRates {
    let members: Vec<_> = (0..3)
        .map(|_| {
            let (refill_per_s, capacity, ceiling_per_s) = (dice.eighths(10), dice.eighths(40), dice.eighths(30));
            let must_leave = if dice.below(2) == 0 { 0.0 } else { dice.eighths(30) };
            Rates { refill_per_s, capacity, ceiling_per_s, ceiling_burst: ceiling_per_s * 4.0 + capacity, must_leave }
        })
        .collect();
    let promised: f64 = members.iter().map(|m| m.refill_per_s).sum();
    let reserve = members.iter().map(|m| m.capacity).sum();
    NodeRates { refill_per_s: promised + dice.eighths(10), lendable: dice.eighths(60), reserve, members }
}

fn exact_node(start: &NodeRates) -> ExactNode {
    let capacity = start.lendable + start.reserve;
    ExactNode {
        total: ExactBucket::new(start.refill_per_s, capacity, capacity, 0),
        reserve: amount(start.reserve),
        members: start.members.iter().map(|m| ExactMember::new(&member_rates(m), 0)).collect(),
    }
}

fn set_exact(exact: &mut ExactNode, rates: &NodeRates, now_ns: u64) {
    exact.total.set(rates.refill_per_s, rates.lendable + rates.reserve, now_ns);
    exact.reserve = amount(rates.reserve);
    for (exact, m) in exact.members.iter_mut().zip(&rates.members) {
        exact.set(&member_rates(m), now_ns);
    }
}

fn node_case(seed: u64) -> NodeCase {
    let mut dice = Dice(seed);
    let start = node_rates(&mut dice);
    let mut exact = exact_node(&start);
    let mut at_ms = 0;
    let mut steps = vec![];
    for _ in 0..40 {
        at_ms += dice.wait_ms();
        exact.settle(at_ms * MS);
        steps.push(match dice.below(10) {
            0 => {
                let rates = node_rates(&mut dice);
                set_exact(&mut exact, &rates, at_ms * MS);
                NodeStep::Set { at_ms, rates }
            }
            1 => NodeStep::Tokens { at_ms, tokens: tokens(exact.total.level) },
            _ => {
                let (member, n) = (dice.below(3) as usize, dice.below(40));
                let decisions: Vec<_> = (0..n).map(|_| exact.decide(member)).collect();
                let count = |d| decisions.iter().filter(|&&x| x == d).count() as u64;
                let refusal = decisions.last().and_then(|d| match d {
                    Decision::Ceiling => Some("ceiling".to_owned()),
                    Decision::Pool => Some("pool".to_owned()),
                    Decision::Guaranteed | Decision::Borrowed => None,
                });
                let (guaranteed, borrowed) = (count(Decision::Guaranteed), count(Decision::Borrowed));
                NodeStep::TakeUpTo { at_ms, member, n, guaranteed, borrowed, refusal }
            }
        });
    }
    NodeCase { name: format!("random {seed}"), start, steps }
}

/// The checked-in vectors, after a check that the generator still makes them.
fn vectors<T: Serialize + DeserializeOwned + PartialEq>(file: &str, made: Vec<T>) -> Vec<T> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contracts/vectors").join(file);
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        let lines: Vec<_> = made.iter().map(|case| serde_json::to_string(case).unwrap()).collect();
        fs::write(&path, format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    let kept: Vec<T> = serde_json::from_str(&text).unwrap();
    assert!(kept == made, "{file} is not what the exact model makes: run with UPDATE_VECTORS=1 and look at the difference");
    kept
}

#[test]
fn the_bucket_passes_its_vectors() {
    for case in vectors("token-bucket.json", (1..=12).map(bucket_case).collect()) {
        let bucket = TokenBucket::new(case.refill_per_s, case.capacity, case.tokens, 0);
        for (i, step) in case.steps.iter().enumerate() {
            let at = format!("{}, step {i}: {step:?}", case.name);
            match *step {
                BucketStep::Take { at_ms, n, reserve, taken } => assert_eq!(bucket.take_above(n, reserve, at_ms * MS), taken, "{at}"),
                BucketStep::TakeUpTo { at_ms, n, reserve, taken } => {
                    assert_eq!(bucket.take_up_to_above(n, reserve, at_ms * MS), taken, "{at}")
                }
                BucketStep::Charge { at_ms, n } => bucket.charge(n, at_ms * MS),
                BucketStep::Refund { n } => bucket.refund(n),
                BucketStep::Set { at_ms, refill_per_s, capacity } => bucket.set(refill_per_s, capacity, at_ms * MS),
                BucketStep::Tokens { at_ms, tokens } => assert_eq!(bucket.tokens(at_ms * MS), tokens, "{at}"),
            }
        }
    }
}

fn member_rates(m: &Rates) -> MemberRates {
    let Rates { refill_per_s, capacity, ceiling_per_s, ceiling_burst, must_leave } = *m;
    MemberRates { refill_per_s, capacity, ceiling_per_s, ceiling_burst, must_leave }
}

#[test]
fn the_two_level_take_passes_its_vectors() {
    for case in vectors("two-level.json", (1..=12).map(node_case).collect()) {
        let start = &case.start;
        let node = NodeBucket::new(start.refill_per_s, start.lendable, start.reserve, true, 0);
        let members: Vec<_> = start.members.iter().map(|m| Member::new(member_rates(m), 0)).collect();
        for (i, step) in case.steps.iter().enumerate() {
            let at = format!("{}, step {i}: {step:?}", case.name);
            match step {
                NodeStep::TakeUpTo { at_ms, member, n, guaranteed, borrowed, refusal } => {
                    let split = node.take_up_to(&members[*member], *n, at_ms * MS);
                    let ran_into = split.refusal.map(|r| match r {
                        Refusal::Ceiling => "ceiling",
                        Refusal::Pool => "pool",
                    });
                    assert_eq!((split.guaranteed, split.borrowed, ran_into), (*guaranteed, *borrowed, refusal.as_deref()), "{at}");
                }
                NodeStep::Set { at_ms, rates } => {
                    node.set(rates.refill_per_s, rates.lendable, rates.reserve, at_ms * MS);
                    for (member, rates) in members.iter().zip(&rates.members) {
                        member.set(member_rates(rates), at_ms * MS);
                    }
                }
                NodeStep::Tokens { at_ms, tokens } => assert_eq!(node.tokens(at_ms * MS), *tokens, "{at}"),
            }
        }
    }
}
