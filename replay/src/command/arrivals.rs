//! `arrivals`: the requests of a trace one by one, for load tests.

use std::{
    io::{BufWriter, Write, stdout},
    process::ExitCode,
};

use serde_json::json;
use tidegate_replay::timetable::Timetable;
use tidegate_trace::Trace;

use crate::args::Arrivals;

/// Prints one line of JSON about the whole, then one per request.
///
/// # Errors
/// An option or a trace that cannot be used; an output that is closed.
pub fn run(asked: &Arrivals) -> anyhow::Result<ExitCode> {
    let wanted = asked.wanted()?;
    let timetable = Timetable::new(&Trace::read(&asked.trace)?, &wanted)?;
    let mut out = BufWriter::new(stdout().lock());
    writeln!(out, "{}", json!({"factor": timetable.factor, "start": timetable.start, "seconds": wanted.seconds, "nodes": wanted.nodes}))?;
    for arrival in &timetable.arrivals {
        serde_json::to_writer(&mut out, arrival)?;
        writeln!(out)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
