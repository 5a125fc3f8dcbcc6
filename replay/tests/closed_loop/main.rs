//! The closed loop as a whole: what it promises whatever the trace, when a lease takes effect, and the command line.

mod abuse;
mod books;
mod cold;
mod command;
mod delay;
mod fairness;
mod known;
mod limits;
mod odd;
mod stable;
mod step;
mod traffic;
