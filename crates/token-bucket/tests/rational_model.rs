//! The bucket against rational numbers of any size, fed with the very numbers that it is given: how far its fixed point may be off
//! is worked out here, not built in.

use num_rational::BigRational;
use proptest::prelude::*;
use tidegate_token_bucket::TokenBucket;

/// A number as it is, without rounding.
fn exact(x: f64) -> BigRational {
    BigRational::from_float(x).unwrap()
}

fn whole(n: u64) -> BigRational {
    BigRational::from_integer(n.into())
}

struct Exact {
    held: BigRational,
    refill_per_s: BigRational,
    capacity: BigRational,
    at_ns: u64,
    /// How far the real bucket may be from here: a unit of a millionth for each amount it has rounded, and half a nanotoken for each
    /// second at a rounded rate.
    off: BigRational,
}

impl Exact {
    fn new(refill_per_s: f64, capacity: f64, tokens: f64) -> Self {
        let (refill_per_s, capacity) = (exact(refill_per_s), exact(capacity));
        Self { held: exact(tokens).min(capacity.clone()), refill_per_s, capacity, at_ns: 0, off: exact(2e-6) }
    }

    fn settle(&mut self, now_ns: u64) {
        let seconds = whole(now_ns.saturating_sub(self.at_ns)) / whole(1_000_000_000);
        self.held = (&self.held + &self.refill_per_s * &seconds).min(self.capacity.clone());
        self.off += exact(0.51e-9) * seconds + exact(1e-6);
        self.at_ns = self.at_ns.max(now_ns);
    }

    fn set(&mut self, refill_per_s: f64, capacity: f64) {
        (self.refill_per_s, self.capacity) = (exact(refill_per_s), exact(capacity));
        self.held = self.held.clone().min(self.capacity.clone());
        self.off += exact(2e-6);
    }

    fn take(&mut self, n: u64, taken: bool) -> Result<(), TestCaseError> {
        let left = &self.held - whole(n);
        prop_assert!(!taken || left >= -&self.off, "took {n} of {}", self.held);
        prop_assert!(taken || left <= self.off, "refused {n} of {}", self.held);
        if taken {
            self.held = left;
        }
        Ok(())
    }
}

#[derive(Debug, Clone)]
enum Op {
    Take(u64),
    Set(f64, f64),
}

fn op() -> impl Strategy<Value = (u64, Op)> {
    let what = prop_oneof![
        4 => (1u64..30).prop_map(Op::Take),
        1 => (0.0..500.0f64, 0.0..100.0f64).prop_map(|(rate, capacity)| Op::Set(rate, capacity)),
    ];
    // Mostly short, sometimes for longer than the quick path of the refill reaches.
    let wait = prop_oneof![6 => 0u64..3_000_000_000, 1 => Just(0), 1 => 0u64..100_000_000_000_000];
    (wait, what)
}

proptest! {
    #[test]
    fn decides_as_rational_numbers_do(
        refill_per_s in prop_oneof![0.0..1.0f64, 0.0..2000.0f64],
        capacity in 0.0..100.0f64,
        tokens in 0.0..100.0f64,
        ops in prop::collection::vec(op(), 1..60),
    ) {
        let bucket = TokenBucket::new(refill_per_s, capacity, tokens, 0);
        let mut model = Exact::new(refill_per_s, capacity, tokens);
        let mut now = 0;
        for (wait, op) in ops {
            now += wait;
            model.settle(now);
            match op {
                Op::Take(n) => model.take(n, bucket.take(n, now))?,
                Op::Set(refill_per_s, capacity) => {
                    bucket.set(refill_per_s, capacity, now);
                    model.set(refill_per_s, capacity);
                }
            }
            let off = exact(bucket.tokens(now)) - &model.held;
            prop_assert!(off <= model.off && -off <= model.off, "{} held, {} by rational numbers", bucket.tokens(now), model.held);
        }
    }
}
