//! Behaviour of the trainer, one module each.

mod command;
mod dataset;
mod demand;
mod fit;
mod forms;
mod matrix;
mod pattern;
mod training;
