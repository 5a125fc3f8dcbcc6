//! Progress of long stages, on a terminal; nothing where there is none.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Whether and how progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Bars on standard error, which hides them by itself where it is no terminal.
    Shown,
    /// None, for tests.
    Hidden,
}

impl Progress {
    /// A bar of `length` steps.
    pub fn bar(self, what: &str, length: u64) -> ProgressBar {
        let style = ProgressStyle::with_template("{msg:40} {wide_bar} {pos}/{len} {eta}");
        self.start(ProgressBar::new(length), style, what)
    }

    /// A count of steps whose number is not known.
    pub fn spinner(self, what: &str) -> ProgressBar {
        let bar = self.start(ProgressBar::new_spinner(), ProgressStyle::with_template("{spinner} {msg} {pos} {elapsed}"), what);
        if self == Self::Shown {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        bar
    }

    fn start(self, bar: ProgressBar, style: Result<ProgressStyle, indicatif::style::TemplateError>, what: &str) -> ProgressBar {
        if self == Self::Hidden {
            return ProgressBar::hidden();
        }
        let bar = match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        bar.with_message(what.to_owned())
    }
}
