//! `tidegate demo`: the real service, driven through its HTTP API by simulated edge nodes with time sped up.
//!
//! In the order of a run:
//! - [`args`]: what may be asked for.
//! - [`workload`] or a trace file becomes [`traffic`]: which requests arrive at which node, second by second.
//! - [`service`]: the service on its embedded store, in a temporary folder and on a clock that the demo sets.
//! - [`edge`]: nodes that report and poll over HTTP; [`fixed`]: nodes with a static limit, for the same requests.
//! - [`play`]: the loop over windows; [`screen`]: what it shows; [`score`]: what it comes to.

mod args;
mod edge;
mod fixed;
mod play;
mod poisson;
mod score;
mod screen;
mod service;
mod traffic;
mod workload;

pub use args::Args;
pub use play::run;
pub use score::{Tally, Verdict};
