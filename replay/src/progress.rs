//! How far a comparison is: a bar on a terminal, now and then a line elsewhere. Always on standard error.

use std::{
    io::IsTerminal,
    sync::atomic::{AtomicU64, Ordering},
};

use indicatif::{ProgressBar, ProgressStyle};

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

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} windows, {per_sec}, {eta} left");
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}
