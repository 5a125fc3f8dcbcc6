//! The atomics that the bucket is made of: the processor's, or loom's, whose every interleaving the models in `models` try.

#[cfg(not(all(loom, test)))]
pub(crate) use core::{
    hint::spin_loop,
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};

#[cfg(all(loom, test))]
pub(crate) use loom::{
    hint::spin_loop,
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};

/// Leaves a contended word to others for a moment, twice as long each time up to a bound: who has it at hand gets on undisturbed.
#[derive(Debug)]
pub(crate) struct BackOff {
    spins: u32,
}

impl BackOff {
    /// Loom tries all orders anyhow, and each spin more costs it time.
    const MOST: u32 = if cfg!(all(loom, test)) { 1 } else { 8 };

    pub fn new() -> Self {
        Self { spins: 1 }
    }

    pub fn wait(&mut self) {
        (0..self.spins).for_each(|_| spin_loop());
        self.spins = (self.spins * 2).min(Self::MOST);
    }
}
