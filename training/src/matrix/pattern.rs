//! The pattern of a series' demand, told from its features alone, so that the planner could tell it as well.

use tidegate_planner::features::{COUNT, NAMES};

/// Mean windows between two with a request, from which a series is intermittent (Syntetos, Boylan & Croston 2005, "On the
/// categorization of demand patterns").
const INTERVAL: f64 = 1.32;
/// Squared coefficient of variation of the sizes of demand, zeros left out, from which it is erratic or lumpy (ibid.).
const VARIATION: f64 = 0.49;
/// Mean requests per window from which a Poisson count is not intermittent. From here on the share of windows with a request is
/// taken to be at least that of such a count: its average starts at 0 with a series and takes an hour to get anywhere.
const DENSE: f64 = 1.42;
/// Difference on the logarithmic scale between the usual demand at a time of day and the last hours' from which a series is seasonal.
const SWING: f64 = 0.25;

const LOG_LEVEL: usize = place("log_level");
const TREND_30M: usize = place("unsure_trend_30m");
const TREND_6H: usize = place("unsure_trend_6h");
const YESTERDAY: usize = place("unsure_yesterday");
const HAS_YESTERDAY: usize = place("unsure_has_yesterday");
const UNSURE: usize = place("unsure");
const SPREAD: usize = place("unsure_dispersion");
const ACTIVE: usize = place("unsure_active_share");

/// Kinds of demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// Requests in nearly every window, much the same number.
    Steady,
    /// The same, and it usually differs at this time of day from what it was in the last hours.
    Seasonal,
    /// Mostly silence, then much the same number.
    Intermittent,
    /// Now many, now few: erratic when dense, lumpy when sparse.
    Spiky,
}

impl Pattern {
    /// All, in the order of [`Pattern::number`].
    pub const ALL: [Self; 4] = [Self::Steady, Self::Seasonal, Self::Intermittent, Self::Spiky];

    /// The pattern of a row of features.
    pub fn of(feature: impl Fn(usize) -> f64) -> Self {
        let unsure = feature(UNSURE).max(f64::MIN_POSITIVE);
        // What is weighed by doubt in a row of features, with the doubt taken off again.
        let plain = |i: usize| feature(i) / unsure;
        let mean = mean(&feature);
        let variance = plain(SPREAD).exp_m1().max(0.0) * (mean + 0.05);
        let seen = plain(ACTIVE).clamp(1e-6, 1.0);
        let active = if mean >= DENSE { seen.max(1.0 - (-mean).exp()) } else { seen };
        let variation = active * (variance + mean * mean) / (mean * mean) - 1.0;
        let swing = (plain(YESTERDAY) - plain(TREND_6H)).abs();
        match () {
            () if variation >= VARIATION => Self::Spiky,
            () if 1.0 / active >= INTERVAL => Self::Intermittent,
            () if feature(HAS_YESTERDAY) > 0.0 && swing >= SWING => Self::Seasonal,
            () => Self::Steady,
        }
    }

    /// Its place in [`Pattern::ALL`].
    pub fn number(self) -> usize {
        self as usize
    }

    /// Its name, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Seasonal => "seasonal",
            Self::Intermittent => "intermittent",
            Self::Spiky => "spiky",
        }
    }
}

/// Whether a row of features is of a series that has mostly silent windows for being quiet, not for being spiky.
pub fn is_sparse(feature: impl Fn(usize) -> f64) -> bool {
    mean(&feature) < DENSE
}

/// Mean requests per window, over 30 minutes.
fn mean(feature: &impl Fn(usize) -> f64) -> f64 {
    let trend = feature(TREND_30M) / feature(UNSURE).max(f64::MIN_POSITIVE);
    ((feature(LOG_LEVEL) - trend).exp_m1() / 64.0).max(1e-6)
}

/// Position of the feature `name`.
const fn place(name: &str) -> usize {
    let mut i = 0;
    while i < COUNT {
        if same(NAMES[i].as_bytes(), name.as_bytes()) {
            return i;
        }
        i += 1;
    }
    panic!("the planner has no such feature")
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
