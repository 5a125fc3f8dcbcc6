//! The two-level take against exact integers.

mod exact;

use exact::{Decision, ExactBucket, ExactMember, ExactNode, SHORT, TOKEN};
use proptest::prelude::*;
use tidegate_token_bucket::{Member, MemberRates, NodeBucket, Refusal, Split, TokenBucket};

const MEMBERS: usize = 3;

#[derive(Debug, Clone, Copy)]
struct Shares {
    refill: [f64; MEMBERS],
    capacity: [f64; MEMBERS],
    ceiling: [f64; MEMBERS],
    must_leave: [f64; MEMBERS],
    lendable: f64,
}

impl Shares {
    fn node_refill(&self) -> f64 {
        self.refill.iter().sum::<f64>() * 1.5
    }

    fn reserve(&self) -> f64 {
        self.capacity.iter().sum()
    }

    fn member(&self, i: usize) -> MemberRates {
        MemberRates {
            refill_per_s: self.refill[i],
            capacity: self.capacity[i],
            ceiling_per_s: self.ceiling[i],
            ceiling_burst: self.ceiling[i] * 2.0 + self.capacity[i],
            must_leave: self.must_leave[i],
        }
    }
}

#[derive(Debug, Clone)]
enum Op {
    Wait(u64),
    Batch(usize, u64),
    Single(usize, u64),
    Set(Shares),
}

fn shares() -> impl Strategy<Value = Shares> {
    let whole = |most: u32| (0..most).prop_map(f64::from);
    let each = |most: f64| prop::array::uniform3(0.0..most);
    let leave = prop_oneof![Just(0.0), 0.0..60.0];
    (each(20.0), each(30.0), each(60.0), prop::array::uniform3(leave), whole(100))
        .prop_map(|(refill, capacity, ceiling, must_leave, lendable)| Shares { refill, capacity, ceiling, must_leave, lendable })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0u64..5_000_000_000).prop_map(Op::Wait),
        4 => (0..MEMBERS, 0u64..60).prop_map(|(m, n)| Op::Batch(m, n)),
        2 => (0..MEMBERS, 0u64..10).prop_map(|(m, n)| Op::Single(m, n)),
        1 => shares().prop_map(Op::Set),
    ]
}

/// Real node and exact node, driven together.
struct Pair {
    node: NodeBucket,
    members: Vec<Member>,
    exact: ExactNode,
}

impl Pair {
    fn new(s: Shares) -> Self {
        let total = s.lendable + s.reserve();
        Self {
            node: NodeBucket::new(s.node_refill(), s.lendable, s.reserve(), true, 0),
            members: (0..MEMBERS).map(|i| Member::new(s.member(i), 0)).collect(),
            exact: ExactNode {
                total: ExactBucket::new(s.node_refill(), total, total, 0),
                reserve: exact::amount(s.reserve()),
                members: (0..MEMBERS).map(|i| ExactMember::new(&s.member(i), 0)).collect(),
            },
        }
    }

    fn set(&mut self, s: Shares, now: u64) {
        self.node.set(s.node_refill(), s.lendable, s.reserve(), now);
        self.exact.total.set(s.node_refill(), s.lendable + s.reserve(), now);
        self.exact.reserve = exact::amount(s.reserve());
        for (i, (real, exact)) in self.members.iter().zip(&mut self.exact.members).enumerate() {
            real.set(s.member(i), now);
            exact.set(&s.member(i), now);
        }
    }

    /// Checks a split against the exact balances, then charges it to them.
    fn check(&mut self, member: usize, n: u64, split: Split) -> Result<(), TestCaseError> {
        let ExactMember { own, meter, must_leave } = &mut self.exact.members[member];
        let (total, left) = (&mut self.exact.total, self.exact.reserve + *must_leave);
        // A guarantee is not refused for what rounding has cost the node's bucket.
        prop_assert!(split.guaranteed <= own.whole_above(0).min(total.whole_above(-SHORT)).min(n));
        prop_assert!(split.guaranteed >= own.whole_above(SHORT).min(total.whole_above(SHORT)).min(n));
        for bucket in [&mut *own, &mut *meter, &mut *total] {
            bucket.give(split.guaranteed);
        }
        let rest = n - split.guaranteed;
        prop_assert!(split.borrowed <= meter.whole_above(0).min(total.whole_above(left)).min(rest));
        prop_assert!(split.borrowed >= meter.whole_above(SHORT).min(total.whole_above(left + SHORT)).min(rest));
        meter.give(split.borrowed);
        total.give(split.borrowed);
        match split.refusal {
            None => prop_assert_eq!(split.admitted(), n),
            Some(Refusal::Ceiling) => prop_assert!(split.admitted() < n && meter.level < TOKEN + SHORT),
            Some(Refusal::Pool) => prop_assert!(split.admitted() < n && total.level - left < TOKEN + SHORT),
        }
        Ok(())
    }

    fn check_single(&mut self, member: usize, n: u64, split: Split) -> Result<(), TestCaseError> {
        prop_assert!(split.admitted() == n || split.admitted() == 0, "all or nothing");
        prop_assert!(split.guaranteed == 0 || split.borrowed == 0, "one kind of tokens");
        prop_assert_eq!(split.refusal.is_some(), split.admitted() < n);
        let Self { node: _, members: _, exact } = self;
        let ExactMember { own, meter, must_leave } = &mut exact.members[member];
        let left = exact.reserve + *must_leave;
        prop_assert!(split.guaranteed == 0 || own.whole_above(0) >= n && exact.total.whole_above(-SHORT) >= n);
        prop_assert!(split.borrowed == 0 || meter.whole_above(0) >= n && exact.total.whole_above(left) >= n);
        own.give(split.guaranteed);
        meter.give(split.admitted());
        exact.total.give(split.admitted());
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn decides_as_exact_arithmetic_does(start in shares(), ops in prop::collection::vec(op(), 1..60)) {
        let mut pair = Pair::new(start);
        let mut now = 0;
        for op in ops {
            pair.exact.settle(now);
            match op {
                Op::Wait(ns) => now += ns,
                Op::Batch(member, n) => {
                    let split = pair.node.take_up_to(&pair.members[member], n, now);
                    pair.check(member, n, split)?;
                }
                Op::Single(member, n) => {
                    let split = pair.node.take(&pair.members[member], n, now);
                    pair.check_single(member, n, split)?;
                }
                Op::Set(s) => pair.set(s, now),
            }
        }
    }

    #[test]
    fn a_batch_is_decided_as_its_requests_one_by_one(
        batches in prop::collection::vec((0..MEMBERS, 0u64..30, 0u64..4), 1..40),
    ) {
        // Whole numbers and whole seconds, where fixed point is exact.
        let (refill, capacity, ceiling) = ([3.0, 1.0, 0.0], [12.0, 4.0, 0.0], [6.0, 20.0, 2.0]);
        let s = Shares { refill, capacity, ceiling, must_leave: [0.0, 4.0, 9.0], lendable: 15.0 };
        let mut pair = Pair::new(s);
        let mut now = 0;
        for (member, n, wait_s) in batches {
            now += wait_s * 1_000_000_000;
            pair.exact.settle(now);
            let split = pair.node.take_up_to(&pair.members[member], n, now);
            let one_by_one: Vec<_> = (0..n).map(|_| pair.exact.decide(member)).collect();
            let count = |d| one_by_one.iter().filter(|&&x| x == d).count() as u64;
            prop_assert_eq!(split.guaranteed, count(Decision::Guaranteed));
            prop_assert_eq!(split.borrowed, count(Decision::Borrowed));
            prop_assert_eq!(split.refusal == Some(Refusal::Ceiling), one_by_one.last() == Some(&Decision::Ceiling));
        }
    }

    #[test]
    fn who_must_leave_tokens_never_lends_itself_the_last_of_them(
        takes in prop::collection::vec((0u64..3_000_000_000, 0u64..80), 1..50),
    ) {
        let (none, ceiling) = ([0.0; MEMBERS], [1e6; MEMBERS]);
        let s = Shares { refill: none, capacity: none, ceiling, must_leave: [0.0, 20.0, 0.0], lendable: 50.0 };
        let node = NodeBucket::new(10.0, s.lendable, 0.0, true, 0);
        let [free, bound] = [0, 1].map(|i| Member::new(s.member(i), 0));
        let mut now = 0;
        for (wait, n) in takes {
            now += wait;
            let before = node.tokens(now);
            let borrowed = node.take_up_to(&bound, n, now).borrowed;
            let short = SHORT as f64 / TOKEN as f64;
            prop_assert!(borrowed == 0 || node.tokens(now) >= 20.0 - short, "{before} before, {borrowed} borrowed");
            // What was left is there for who need not leave it.
            let left = node.tokens(now).floor() as u64;
            prop_assert_eq!(node.take_up_to(&free, n.min(left), now).borrowed, n.min(left));
        }
    }

    #[test]
    fn a_guarantee_is_there_for_its_owner_however_much_others_borrow(
        waits in prop::collection::vec(0u64..20_000_000_000, 1..50),
    ) {
        let (refill, capacity, ceiling) = ([5.0, 0.0, 0.0], [40.0, 0.0, 0.0], [5.0, 1e6, 1e6]);
        let s = Shares { refill, capacity, ceiling, must_leave: [0.0; MEMBERS], lendable: 50.0 };
        let pair = Pair::new(s);
        let alone = TokenBucket::new(5.0, 40.0, 0.0, 0);
        let mut now = 0;
        for wait in waits {
            now += wait;
            pair.node.take_up_to(&pair.members[1], u64::MAX / 2, now);
            let entitled = alone.take_up_to(u64::MAX, now);
            prop_assert_eq!(pair.node.take_up_to(&pair.members[0], entitled, now).guaranteed, entitled);
        }
    }
}

#[test]
fn a_guarantee_that_the_node_cannot_honour_is_kept() {
    const S: u64 = 1_000_000_000;
    let promised = MemberRates { refill_per_s: 10.0, capacity: 100.0, ceiling_per_s: 10.0, ceiling_burst: 100.0, must_leave: 1e9 };
    let (node, member) = (NodeBucket::new(3.0, 0.0, 100.0, false, 0), Member::new(promised, 0));
    let split = node.take_up_to(&member, 40, 10 * S);
    assert_eq!(split, Split { guaranteed: 30, borrowed: 0, refusal: Some(Refusal::Pool) });
    assert_eq!(member.tokens(10 * S), 70.0);
    assert_eq!(node.take(&member, 5, 10 * S).admitted(), 0);
    assert_eq!(member.tokens(10 * S), 70.0);
    assert_eq!(node.take_up_to(&member, 40, 20 * S).guaranteed, 30, "the meter has been charged for what was admitted only");
}
