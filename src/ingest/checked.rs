//! A body of telemetry that has been checked.

use prost::Message;
use tidegate_wire::{Problem, Rejected, Report, Telemetry, Timestamp, proto};

use super::validate::validate;
use crate::config;

/// Version of the contract that is taken.
const VERSION: u32 = 1;

/// Everything that a report is checked against.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// As configured.
    pub bounds: config::Ingest,
    /// Length of a window in seconds.
    pub interval_s: u32,
}

/// The reports of one body: those that may be taken in and those that are refused.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checked {
    pub(crate) items: Vec<Item>,
    pub(crate) rejected: Vec<Rejected>,
}

/// A report that may be taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its position in the body.
    pub(crate) index: usize,
    /// The report.
    pub(crate) report: Report,
    /// A telemetry of just this report, as the journal keeps it.
    pub(crate) encoded: Vec<u8>,
}

impl Item {
    pub(crate) fn new(index: usize, report: Report) -> Self {
        let encoded = encode(&report);
        Self { index, report, encoded }
    }

    /// Changes the report, and its encoding with it.
    pub(crate) fn replace(&mut self, report: Report) {
        *self = Self::new(self.index, report);
    }
}

/// Checks a body, whose sender may report for its nodes, against the rules at `now`.
///
/// # Errors
/// A problem with the body as a whole: an unknown version or too many reports. One that concerns a single report is in the
/// answer instead, and the other reports are taken.
pub fn check(telemetry: Telemetry, rules: &Rules, now: Timestamp) -> Result<Checked, Problem> {
    if let Some(version) = telemetry.version.filter(|&v| v != VERSION) {
        let detail = format!("version {version} is not known here; send version {VERSION}");
        return Err(Problem::new("unknown-version", "The contract's version is not known", 422, detail));
    }
    let most = rules.bounds.reports_per_body;
    if telemetry.reports.len() > most {
        let detail = format!("{} reports; at most {most} are taken in one body, send the rest in further ones", telemetry.reports.len());
        return Err(Problem::new("too-many-reports", "The body holds too many reports", 413, detail));
    }
    let mut checked = Checked::default();
    for (index, report) in telemetry.reports.into_iter().enumerate() {
        measure_skew(&report, now);
        match validate(&report, rules, now) {
            Ok(()) => checked.items.push(Item::new(index, report)),
            Err(problem) => checked.rejected.push(Rejected { index, problem }),
        }
    }
    Ok(checked)
}

/// Seconds from the end of a report's window to its arrival: delay and clock skew together.
fn measure_skew(report: &Report, now: Timestamp) {
    let end = report.start.as_millis().saturating_add(i64::from(report.seconds) * 1000);
    metrics::histogram!("tidegate_report_age_seconds").record(now.as_millis().saturating_sub(end) as f64 / 1000.0);
}

fn encode(report: &Report) -> Vec<u8> {
    proto::Telemetry { version: None, reports: vec![report.into()] }.encode_to_vec()
}
