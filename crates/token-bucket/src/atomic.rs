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
