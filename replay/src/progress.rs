//! How far a comparison or a bench is: a bar on a terminal, now and then a line elsewhere. Always on standard error.

use std::{
    io::IsTerminal,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use indicatif::{ProgressBar, ProgressStyle};
use tidegate_replay::bench::Watch;

/// Lines that are printed in all where there is no terminal.
const LINES: u64 = 10;

/// Counts windows up to a total.
pub struct Progress {
    total: u64,
    done: AtomicU64,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts at zero of `total` windows.
    pub fn new(total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(total).with_style(style()));
        Self { total, done: AtomicU64::new(0), bar }
    }

    /// Counts one window.
    pub fn window_done(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            return;
        }
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if done * LINES / self.total != (done - 1) * LINES / self.total {
            eprintln!("replayed {done} of {} windows", self.total);
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Names each case of a bench as it begins, with the time so far.
pub struct CaseByCase {
    began: Instant,
    bar: Option<ProgressBar>,
}

impl CaseByCase {
    /// Starts the clock.
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(0).with_style(style()));
        Self { began: Instant::now(), bar }
    }

    /// Takes the bar away and says how long it took.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!("done after {:.0} s", self.began.elapsed().as_secs_f64());
    }
}

impl Watch for CaseByCase {
    fn case_begins(&self, name: &str, nodes: usize, (place, cases): (usize, usize), windows: u64) {
        let line = format!("case {place} of {cases}, after {:.0} s: {name}, {nodes} nodes", self.began.elapsed().as_secs_f64());
        let Some(bar) = &self.bar else { return eprintln!("{line}, {windows} windows to replay") };
        bar.println(line);
        bar.set_length(windows);
        bar.reset();
    }

    fn window_done(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }
}

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} windows, {per_sec}, {eta} left");
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}
