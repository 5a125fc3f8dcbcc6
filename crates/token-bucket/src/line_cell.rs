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
    refill::{Line, Mark},
};

#[derive(Debug)]
struct Slot {
    since_ns: AtomicU64,
    units: AtomicU64,
    parts: AtomicU64,
    nanotokens_per_s: AtomicU64,
    units_per_ns: AtomicU64,
    capacity: AtomicI64,
}

impl Slot {
    fn new(line: Line) -> Self {
        Self {
            since_ns: AtomicU64::new(line.since_ns),
            units: AtomicU64::new(line.start.units),
            parts: AtomicU64::new(line.start.parts),
            nanotokens_per_s: AtomicU64::new(line.nanotokens_per_s),
            units_per_ns: AtomicU64::new(line.units_per_ns),
            capacity: AtomicI64::new(line.capacity),
        }
    }

    // Acquire pairs with the Release of `store`: who sees one word of a newer line also sees the version before it.
    #[inline]
    fn load(&self) -> Line {
        Line {
            since_ns: self.since_ns.load(Acquire),
            start: Mark { units: self.units.load(Acquire), parts: self.parts.load(Acquire) },
            nanotokens_per_s: self.nanotokens_per_s.load(Acquire),
            units_per_ns: self.units_per_ns.load(Acquire),
            capacity: self.capacity.load(Acquire),
        }
    }

    fn store(&self, line: Line) {
        self.since_ns.store(line.since_ns, Release);
        self.units.store(line.start.units, Release);
        self.parts.store(line.start.parts, Release);
        self.nanotokens_per_s.store(line.nanotokens_per_s, Release);
        self.units_per_ns.store(line.units_per_ns, Release);
        self.capacity.store(line.capacity, Release);
    }
}

/// See the module.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct LineCell {
    front: Slot,
    back: Slot,
    setting: AtomicBool,
    /// Even while the front holds the line, odd while a setter fills it and the back does.
    version: AtomicU64,
}

/// A look at the line, which counts only once [`LineCell::is_current`] has said so: until then its numbers may be of two lines.
#[derive(Debug)]
pub(crate) struct Reading {
    version: u64,
    pub line: Line,
}

impl LineCell {
    pub fn new(line: Line) -> Self {
        Self { version: AtomicU64::new(0), setting: AtomicBool::new(false), front: Slot::new(line), back: Slot::new(line) }
    }

    /// A look at the front. While a setter fills it, the look does not count.
    #[inline]
    pub fn glance(&self) -> Reading {
        // An odd version is rounded down, so that none is ever equal to it.
        let version = self.version.load(Acquire) & !1;
        Reading { version, line: self.front.load() }
    }

    /// A look at the line, in whichever slot holds it.
    pub fn read(&self) -> Reading {
        let version = self.version.load(Acquire);
        let slot = if version.is_multiple_of(2) { &self.front } else { &self.back };
        Reading { version, line: slot.load() }
    }

    /// Whether `reading` is of the line that holds now.
    #[inline]
    pub fn is_current(&self, reading: &Reading) -> bool {
        self.version.load(Relaxed) == reading.version
    }

    /// The current line.
    pub fn get(&self) -> Line {
        loop {
            let reading = self.read();
            if self.is_current(&reading) {
                return reading.line;
            }
        }
    }

    /// Replaces the line by what `next` makes of it. Setters take turns; readers never wait for them.
    pub fn replace(&self, next: impl FnOnce(Line) -> Line) {
        while self.setting.compare_exchange_weak(false, true, Acquire, Relaxed).is_err() {
            spin_loop();
        }
        let version = self.version.load(Relaxed);
        let line = next(self.front.load());
        self.version.store(version.wrapping_add(1), Release);
        self.front.store(line);
        self.version.store(version.wrapping_add(2), Release);
        self.back.store(line);
        self.setting.store(false, Release);
    }
}
