//! Behaviour of the trainer, one module each.

mod fit;
