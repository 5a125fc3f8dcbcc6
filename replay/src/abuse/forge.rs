//! Telemetry forged by one captured node.

use tidegate_wire::{Report, Timestamp};

use crate::contender::{Contender, Leased};

/// How many times its clients' demand a captured node claims.
const TIMES: u64 = 100;

/// A contender one of whose nodes lies to it: from a moment on, every bucket of that node is said to ask for a hundred times
/// what it asks for, all but the truly admitted refused. What is admitted cannot be seen to be wrong.
pub struct Forged {
    inner: Box<dyn Contender>,
    node: usize,
    from: Timestamp,
}

impl Forged {
    /// `inner`, lied to by `node` in every tick after `from`.
    pub fn new(inner: Box<dyn Contender>, node: usize, from: Timestamp) -> Self {
        Self { inner, node, from }
    }
}

impl Contender for Forged {
    fn learns(&self) -> bool {
        self.inner.learns()
    }

    fn sees_all(&self) -> bool {
        self.inner.sees_all()
    }

    fn keeps_books(&self) -> bool {
        self.inner.keeps_books()
    }

    fn opening(&mut self) -> Vec<Leased> {
        self.inner.opening()
    }

    fn tick(&mut self, now: Timestamp, reports: &[Report]) -> Vec<Leased> {
        if now <= self.from || self.sees_all() {
            return self.inner.tick(now, reports);
        }
        let mut reports = reports.to_vec();
        for counts in reports.get_mut(self.node).into_iter().flat_map(|r| &mut r.buckets) {
            let admitted = counts.requests - counts.throttled;
            counts.requests *= TIMES;
            counts.throttled = counts.requests - admitted;
        }
        self.inner.tick(now, &reports)
    }
}
