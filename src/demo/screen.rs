//! What a run shows: a table that is drawn anew at a terminal, plain lines elsewhere.

use std::{fmt::Write as _, io};

use tidegate_wire::Timestamp;

use super::score::Tally;

/// Lines of plain output for a whole run, about.
const PLAIN_LINES: u32 = 24;
/// Most nodes that are shown.
const NODES: usize = 12;

/// One node in one window.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeLine {
    pub name: String,
    pub tally: Tally,
    /// Requests that had been expected of the window; `None` before the first plan.
    pub forecast: Option<f64>,
    /// Tokens per second leased at the window's end.
    pub rate_per_s: f64,
}

/// One window of all nodes.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub window: u32,
    pub end: Timestamp,
    pub nodes: Vec<NodeLine>,
    /// Whole run so far, adaptive and static.
    pub totals: (Tally, Tally),
    pub epoch: u64,
}

/// See the module.
pub(super) struct Screen<W> {
    out: W,
    is_terminal: bool,
    windows: u32,
    seconds: f64,
    /// Lines of the table that is on the screen.
    drawn: usize,
}

impl<W: io::Write> Screen<W> {
    /// A screen for a run of `windows` windows of `window_s` seconds.
    pub fn new(out: W, is_terminal: bool, windows: u32, window_s: u32) -> Self {
        Self { out, is_terminal, windows, seconds: f64::from(window_s), drawn: 0 }
    }

    /// Says something that stays.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        self.drawn = 0;
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// Shows a window.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn show(&mut self, frame: &Frame) -> io::Result<()> {
        if !self.is_terminal {
            let every = (self.windows / PLAIN_LINES).max(1);
            return if frame.window.is_multiple_of(every) { self.say(&self.line(frame)) } else { Ok(()) };
        }
        let table = self.table(frame);
        if self.drawn > 0 {
            // Up to where the last table began, and clear what is below.
            write!(self.out, "\x1b[{}A\x1b[J", self.drawn)?;
        }
        self.drawn = table.lines().count();
        write!(self.out, "{table}")?;
        self.out.flush()
    }

    fn line(&self, frame: &Frame) -> String {
        let mut all = NodeLine::default();
        for node in &frame.nodes {
            all.tally.add(node.tally);
            all.rate_per_s += node.rate_per_s;
            all.forecast = node.forecast.map(|f| f + all.forecast.unwrap_or(0.0)).or(all.forecast);
        }
        let [demand, forecast, rate, admitted, throttled] = self.cells(&all);
        let (adaptive, fixed) = shares(frame);
        format!(
            "{} window {:>4}  demand {demand}/s  forecast {forecast}/s  leased {rate}/s  admitted {admitted}/s  throttled {throttled}/s  so far \
             adaptive {adaptive:.2} % static {fixed:.2} %",
            frame.end, frame.window
        )
    }

    fn table(&self, frame: &Frame) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "window {}/{}  {}  plan {}", frame.window, self.windows, frame.end, frame.epoch);
        let _ =
            writeln!(text, "{:<20}{:>10}{:>10}{:>10}{:>10}{:>11}", "per second", "demand", "forecast", "leased", "admitted", "throttled");
        for node in frame.nodes.iter().take(NODES) {
            let [demand, forecast, rate, admitted, throttled] = self.cells(node);
            let name: String = node.name.chars().take(19).collect();
            let _ = writeln!(text, "{name:<20}{demand:>10}{forecast:>10}{rate:>10}{admitted:>10}{throttled:>11}");
        }
        let (adaptive, fixed) = shares(frame);
        let _ = writeln!(text, "throttled so far, % of legitimate requests: adaptive {adaptive:.2}, static {fixed:.2}");
        text
    }

    /// Demand, forecast, rate, admitted and throttled per second.
    fn cells(&self, node: &NodeLine) -> [String; 5] {
        let per_s = |n: u64| format!("{:.1}", n as f64 / self.seconds);
        let forecast = node.forecast.map_or("-".to_owned(), |f| format!("{f:.1}"));
        let (offered, admitted) = (node.tally.offered(), node.tally.admitted());
        [per_s(offered), forecast, format!("{:.1}", node.rate_per_s), per_s(admitted), per_s(offered - admitted)]
    }
}

/// Throttled so far, in per cent: adaptive and static.
fn shares(frame: &Frame) -> (f64, f64) {
    let (adaptive, fixed) = frame.totals;
    (100.0 * adaptive.throttled_share(), 100.0 * fixed.throttled_share())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(window: u32) -> Frame {
        let tally = Tally { wanted: 300, throttled: 60, ..Tally::default() };
        let node = NodeLine { name: "edge-fra".into(), tally, forecast: Some(9.5), rate_per_s: 8.25 };
        let nodes = vec![node.clone(), NodeLine { name: "edge-iad".into(), forecast: None, ..node }];
        Frame { window, end: Timestamp::from_secs(30), nodes, totals: (tally, tally), epoch: 3 }
    }

    fn shown(is_terminal: bool) -> String {
        let mut out = vec![];
        let mut screen = Screen::new(&mut out, is_terminal, 240, 30);
        for window in 1..=20 {
            screen.show(&frame(window)).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn elsewhere_than_at_a_terminal_every_tenth_window_is_a_plain_line() {
        let text = shown(false);
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("demand 20.0/s  forecast 9.5/s  leased 16.5/s  admitted 16.0/s  throttled 4.0/s"), "{text}");
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn at_a_terminal_the_table_is_drawn_over_the_last_one() {
        let text = shown(true);
        assert_eq!(text.matches("\x1b[5A").count(), 19);
        assert!(text.contains("edge-fra                  10.0       9.5"), "{text}");
    }
}
