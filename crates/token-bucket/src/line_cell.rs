//! A [`Line`] that takers read while a setter replaces it.
//!
//! Two slots, of which `version` names the current one; a setter fills the other and then raises `version`. A reader whose slot
//! was refilled meanwhile sees a raised version and reads again, so it waits for no one: a setter that is suspended half-way
//! leaves the current slot untouched.

use core::{
    hint,
    sync::atomic::{
        AtomicBool, AtomicI64, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use crate::refill::{Line, Mark};

#[derive(Debug)]
struct Slot {
    since_ns: AtomicU64,
    units: AtomicU64,
    parts: AtomicU64,
    nanotokens_per_s: AtomicU64,
    capacity: AtomicI64,
}

impl Slot {
    fn new(line: Line) -> Self {
        Self {
            since_ns: AtomicU64::new(line.since_ns),
            units: AtomicU64::new(line.start.units),
            parts: AtomicU64::new(line.start.parts),
            nanotokens_per_s: AtomicU64::new(line.nanotokens_per_s),
            capacity: AtomicI64::new(line.capacity),
        }
    }

    // Acquire pairs with the Release of `store`: who sees one word of a newer line also sees the version before it.
    fn load(&self) -> Line {
        Line {
            since_ns: self.since_ns.load(Acquire),
            start: Mark { units: self.units.load(Acquire), parts: self.parts.load(Acquire) },
            nanotokens_per_s: self.nanotokens_per_s.load(Acquire),
            capacity: self.capacity.load(Acquire),
        }
    }

    fn store(&self, line: Line) {
        self.since_ns.store(line.since_ns, Release);
        self.units.store(line.start.units, Release);
        self.parts.store(line.start.parts, Release);
        self.nanotokens_per_s.store(line.nanotokens_per_s, Release);
        self.capacity.store(line.capacity, Release);
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct LineCell {
    version: AtomicU64,
    setting: AtomicBool,
    slots: [Slot; 2],
}

impl LineCell {
    pub fn new(line: Line) -> Self {
        Self { version: AtomicU64::new(0), setting: AtomicBool::new(false), slots: [Slot::new(line), Slot::new(line)] }
    }

    /// The current line.
    pub fn get(&self) -> Line {
        loop {
            let version = self.version.load(Acquire);
            let line = self.slot(version).load();
            if self.version.load(Relaxed) == version {
                return line;
            }
        }
    }

    /// Replaces the line by what `next` makes of it. Setters take turns; readers never wait for them.
    pub fn replace(&self, next: impl FnOnce(Line) -> Line) {
        while self.setting.swap(true, Acquire) {
            hint::spin_loop();
        }
        let version = self.version.load(Relaxed);
        let line = next(self.slot(version).load());
        self.slot(version + 1).store(line);
        self.version.store(version + 1, Release);
        self.setting.store(false, Release);
    }

    fn slot(&self, version: u64) -> &Slot {
        &self.slots[usize::from(version % 2 == 1)]
    }
}
