//! How long a bucket is known to hold less than a token, so that until then takers are refused without a look at it.
//!
//! A taker that was refused foresees when the next token comes. What brings one sooner, a refund or a new rate, has to put an end to that,
//! also when the taker is about to foresee: it announces so first, and who comes between leaves a mark by which it knows that what
//! it saw is old. Nobody waits: a taker that finds another at it goes without.

use crate::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// Nothing is foreseen.
const NONE: u64 = 0;
/// A taker is foreseeing.
const FORESEEING: u64 = 2;
/// A taker is foreseeing what no longer holds.
const OUTDATED: u64 = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct Drought {
    /// Nanoseconds, odd so that they are told from the states above, which are even.
    until: AtomicU64,
}

impl Drought {
    pub fn none() -> Self {
        Self { until: AtomicU64::new(NONE) }
    }

    /// Whether the bucket is known to hold less than a token at `now_ns`.
    #[inline]
    pub fn lasts_at(&self, now_ns: u64) -> bool {
        // Relaxed: that nothing is foreseen any more reaches whoever knows of the refund, as the order of one word does.
        let until = self.until.load(Relaxed);
        now_ns < until && until % 2 == 1
    }

    /// Lasts until the time that `foresee` returns, in nanoseconds, unless the drought was ended since. What `foresee` looks at and what is
    /// changed before a call of [`Drought::end`] have to be ordered by a read-modify-write of one word on both sides.
    pub fn begin(&self, foresee: impl FnOnce() -> Option<u64>) {
        let old = self.until.load(Relaxed);
        if old == FORESEEING || old == OUTDATED || self.until.compare_exchange(old, FORESEEING, AcqRel, Relaxed).is_err() {
            return;
        }
        let until = foresee().map_or(NONE, |ns| ns.saturating_sub(1) | 1);
        if self.until.compare_exchange(FORESEEING, until, Release, Relaxed).is_err() {
            self.until.store(NONE, Release);
        }
    }

    /// Ends it: there may be a token.
    #[inline]
    pub fn end(&self) {
        let mut seen = self.until.load(Acquire);
        while seen != NONE && seen != OUTDATED {
            let ended = if seen == FORESEEING { OUTDATED } else { NONE };
            match self.until.compare_exchange_weak(seen, ended, AcqRel, Acquire) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }
}
