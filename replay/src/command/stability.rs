//! `stability`: how the loop takes a step, a ramp, an impulse and a square wave.

use std::process::ExitCode;

use anyhow::ensure;
use tidegate_replay::stability::respond;

use super::say;
use crate::{args::Stability, model};

/// Runs it and prints one line per response.
///
/// # Errors
/// An option that cannot be used.
pub fn run(asked: &Stability) -> anyhow::Result<ExitCode> {
    ensure!(
        asked.capacity.iter().all(|c| c.is_finite() && *c > 0.0),
        "--capacity: must be positive multiples of the demand, for example 2"
    );
    ensure!(asked.delay.iter().all(|&s| s <= 86_400), "--delay: must be at most a day");
    let model = model::load(&asked.model)?;
    say(
        "| capacity | signal | delay | expectation settled after, windows | nothing refused after, windows | overshoot % | ripple % | ringing | refused at rest % |",
    )?;
    say("|--:|---|--:|--:|--:|--:|--:|--:|--:|")?;
    for &capacity in &asked.capacity {
        for &signal in &asked.signals {
            for &delay_s in &asked.delay {
                let r = respond(signal, delay_s, capacity, model.as_ref(), asked.seed)?;
                say(format_args!(
                    "| {capacity} | {} | {delay_s} s | {} | {} | {:.1} | {:.1} | {:.2} | {:.2} |",
                    r.signal,
                    r.settled_after,
                    r.served_after,
                    100.0 * r.overshoot,
                    100.0 * r.ripple,
                    r.ringing,
                    100.0 * r.refused
                ))?;
                for (window, c) in r.course.iter().enumerate().filter(|_| asked.course) {
                    say(format_args!("{window} {:.1} {:.1} {:.1} {:.2}", c[0], c[1], c[2], c[3]))?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
