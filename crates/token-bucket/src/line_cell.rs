//! A [`Line`] that takers read while a setter replaces it.
//!
//! Two slots: a setter fills the front while readers are sent to the back, then the back while they are at the front again. A
//! reader whose slot was filled meanwhile sees a raised version and reads again, so it waits for no one: a setter that is
//! suspended half-way leaves one slot untouched. At rest all reading is at the front, whose place is known before the version is.

use crate::{
    atomic::{
        AtomicBool, AtomicI64, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
        spin_loop,
    },
    refill::{Line, Rest, Slope},
};

#[derive(Debug)]
struct Slot {
    since_ns: AtomicU64,
    start: AtomicU64,
    units_per_ns: AtomicU64,
    capacity: AtomicI64,
    parts: AtomicU64,
    nanotokens_per_s: AtomicU64,
}

impl Slot {
    fn new(Line { slope, rest }: Line) -> Self {
        Self {
            since_ns: AtomicU64::new(slope.since_ns),
            start: AtomicU64::new(slope.start),
            units_per_ns: AtomicU64::new(slope.units_per_ns),
            capacity: AtomicI64::new(slope.capacity),
            parts: AtomicU64::new(rest.parts),
            nanotokens_per_s: AtomicU64::new(rest.nanotokens_per_s),
        }
    }

    // Acquire pairs with the Release of `store`: who sees one word of a newer line also sees the version before it.
    #[inline]
    fn slope(&self) -> Slope {
        Slope {
            since_ns: self.since_ns.load(Acquire),
            start: self.start.load(Acquire),
            units_per_ns: self.units_per_ns.load(Acquire),
            capacity: self.capacity.load(Acquire),
        }
    }

    #[inline]
    fn rest(&self) -> Rest {
        Rest { parts: self.parts.load(Acquire), nanotokens_per_s: self.nanotokens_per_s.load(Acquire) }
    }

    fn line(&self) -> Line {
        Line { slope: self.slope(), rest: self.rest() }
    }

    fn store(&self, Line { slope, rest }: Line) {
        self.since_ns.store(slope.since_ns, Release);
        self.start.store(slope.start, Release);
        self.units_per_ns.store(slope.units_per_ns, Release);
        self.capacity.store(slope.capacity, Release);
        self.parts.store(rest.parts, Release);
        self.nanotokens_per_s.store(rest.nanotokens_per_s, Release);
    }
}

/// See the module.
// In this order all that a glance reads is in 64 bytes, at the end.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct LineCell {
    setting: AtomicBool,
    back: Slot,
    front: Slot,
    /// Even while the front holds the line, odd while a setter fills it and the back does.
    version: AtomicU64,
}

/// What was read of the line, which counts only once [`LineCell::is_current`] has said so of its version: until then its numbers may be
/// of two lines.
#[derive(Debug)]
pub(crate) struct Reading<T> {
    pub version: u64,
    pub of: T,
}

impl LineCell {
    pub fn new(line: Line) -> Self {
        Self { setting: AtomicBool::new(false), back: Slot::new(line), front: Slot::new(line), version: AtomicU64::new(0) }
    }

    /// A look at the front. While a setter fills it, the look does not count.
    #[inline]
    pub fn glance(&self) -> Reading<Slope> {
        // An odd version is rounded down, so that none is ever equal to it.
        let version = self.version.load(Acquire) & !1;
        Reading { version, of: self.front.slope() }
    }

    /// The rest of what a glance saw, if its version is still current afterwards.
    #[inline]
    pub fn rest(&self) -> Rest {
        self.front.rest()
    }

    /// A look at the line, in whichever slot holds it.
    pub fn read(&self) -> Reading<Line> {
        let version = self.version.load(Acquire);
        let slot = if version.is_multiple_of(2) { &self.front } else { &self.back };
        Reading { version, of: slot.line() }
    }

    /// Whether what was read at `version` is of the line that holds now.
    #[inline]
    pub fn is_current(&self, version: u64) -> bool {
        self.version.load(Relaxed) == version
    }

    /// The current line.
    pub fn get(&self) -> Line {
        loop {
            let reading = self.read();
            if self.is_current(reading.version) {
                return reading.of;
            }
        }
    }

    /// Replaces the line by what `next` makes of it. Setters take turns; readers never wait for them.
    pub fn replace(&self, next: impl FnOnce(Line) -> Line) {
        while self.setting.compare_exchange_weak(false, true, Acquire, Relaxed).is_err() {
            spin_loop();
        }
        let version = self.version.load(Relaxed);
        let line = next(self.front.line());
        self.version.store(version.wrapping_add(1), Release);
        self.front.store(line);
        self.version.store(version.wrapping_add(2), Release);
        self.back.store(line);
        self.setting.store(false, Release);
    }
}
