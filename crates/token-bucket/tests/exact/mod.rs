//! The same semantics in exact integers, without regard to speed: attotokens (1e-18) in 128 bits, in which a nanotoken per
//! second over a nanosecond is 1.
#![allow(dead_code, reason = "each test binary uses a part")]

use tidegate_token_bucket::MemberRates;

/// Attotokens in a token.
pub const TOKEN: i128 = 1_000_000_000_000_000_000;

/// What the fixed point of the real bucket may be short of: two of its units.
pub const SHORT: i128 = 2 * TOKEN / 1_000_000;

/// An amount as the real bucket reads it: to the nearest millionth of a token.
pub fn amount(tokens: f64) -> i128 {
    (tokens * 1e6).round() as i128 * (TOKEN / 1_000_000)
}

#[derive(Debug, Clone)]
pub struct ExactBucket {
    pub level: i128,
    capacity: i128,
    nanotokens_per_s: i128,
    at_ns: u64,
}

impl ExactBucket {
    pub fn new(refill_per_s: f64, capacity: f64, tokens: f64, now_ns: u64) -> Self {
        let capacity = amount(capacity);
        let nanotokens_per_s = (refill_per_s * 1e9).round() as i128;
        Self { level: amount(tokens).min(capacity), capacity, nanotokens_per_s, at_ns: now_ns }
    }

    /// Settles refill up to `now_ns`; an earlier time changes nothing.
    pub fn settle(&mut self, now_ns: u64) {
        let elapsed = now_ns.saturating_sub(self.at_ns);
        self.level = (self.level + self.nanotokens_per_s * i128::from(elapsed)).min(self.capacity);
        self.at_ns = self.at_ns.max(now_ns);
    }

    pub fn set(&mut self, refill_per_s: f64, capacity: f64, now_ns: u64) {
        self.settle(now_ns);
        let level = self.level;
        *self = Self::new(refill_per_s, capacity, 0.0, self.at_ns);
        self.level = level.min(self.capacity);
    }

    /// Whole tokens above `reserve`.
    pub fn whole_above(&self, reserve: i128) -> u64 {
        ((self.level - reserve).max(0) / TOKEN) as u64
    }

    pub fn give(&mut self, n: u64) {
        self.level -= i128::from(n) * TOKEN;
    }

    pub fn refund(&mut self, n: u64) {
        self.level = (self.level + i128::from(n) * TOKEN).min(self.capacity);
    }
}

#[derive(Debug, Clone)]
pub struct ExactMember {
    pub own: ExactBucket,
    pub meter: ExactBucket,
    /// What it leaves above the reserve when it borrows.
    pub must_leave: i128,
}

impl ExactMember {
    pub fn new(rates: &MemberRates, now_ns: u64) -> Self {
        Self {
            own: ExactBucket::new(rates.refill_per_s, rates.capacity, 0.0, now_ns),
            meter: ExactBucket::new(rates.ceiling_per_s, rates.ceiling_burst, rates.ceiling_burst, now_ns),
            must_leave: amount(rates.must_leave),
        }
    }

    pub fn set(&mut self, rates: &MemberRates, now_ns: u64) {
        self.own.set(rates.refill_per_s, rates.capacity, now_ns);
        self.meter.set(rates.ceiling_per_s, rates.ceiling_burst, now_ns);
        self.must_leave = amount(rates.must_leave);
    }
}

/// A node's bucket and its members; requests are decided one by one.
#[derive(Debug, Clone)]
pub struct ExactNode {
    pub total: ExactBucket,
    pub reserve: i128,
    pub members: Vec<ExactMember>,
}

/// How one request was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Guaranteed,
    Borrowed,
    Ceiling,
    Pool,
}

impl ExactNode {
    pub fn settle(&mut self, now_ns: u64) {
        self.total.settle(now_ns);
        for member in &mut self.members {
            member.own.settle(now_ns);
            member.meter.settle(now_ns);
        }
    }

    pub fn decide(&mut self, member: usize) -> Decision {
        let member = &mut self.members[member];
        if member.own.whole_above(0) >= 1 && self.total.whole_above(0) >= 1 {
            member.own.give(1);
            member.meter.give(1);
            self.total.give(1);
            return Decision::Guaranteed;
        }
        if member.meter.whole_above(0) < 1 {
            return Decision::Ceiling;
        }
        if self.total.whole_above(self.reserve + member.must_leave) < 1 {
            return Decision::Pool;
        }
        member.meter.give(1);
        self.total.give(1);
        Decision::Borrowed
    }
}
