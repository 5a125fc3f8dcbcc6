//! Keeping "99 %" true on live data: adaptive conformal quantiles by class of series and step ahead.

use serde::{Deserialize, Serialize};

use super::{
    Means, STEPS,
    count::{Count, covered, whole},
    quantile::{GammaTable, logit},
};
use crate::state::{Store, Window};

/// Probabilities whose quantiles are kept, ascending.
pub const LEVELS: [f64; 3] = [0.5, 0.9, 0.99];
/// Classes by the binary logarithm of the mean: below 1/16 of a request per window, ..., above 2048.
const CLASSES: usize = 16;
/// Most rows that are looked at after a window; of more, every n-th, another one each time.
const SAMPLE: usize = 4096;
/// How much of a miss is made good at once: with one series of a class, and what many add to it.
const GAIN: f64 = 0.005;
const GAIN_OF_MANY: f64 = 0.2;
/// Series of a class at which half of that is added: fewer say less per window, and a single burst must not throw them.
const MANY: f64 = 200.0;
/// A young class learns as if each level had been seen to hold and to miss about as often as this before.
const BELIEVED: f64 = 5.0;

/// Moves each level's probability, on the logit scale, until what it claims to cover is what it covers.
///
/// The claim of a series comes from its mean and overdispersion as a count ([`Count`]). After each window the shift of level p
/// moves by `gain / (p (1 - p)) * (p - share covered)`: the online quantile tracking of Gibbs & Candès (2021, "Adaptive
/// conformal inference under distribution shift"), whose long-run coverage is p whatever the data do. The step is divided by
/// how fast coverage changes with a logit, so that rare levels learn as fast as the median. Coverage is that of a count plus a
/// uniform number, in expectation (the non-randomised transform of Czado, Gneiting & Held 2009): of mostly zeros, a quantile of
/// the count alone can only cover too much.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Calibration {
    shifts: [[[f64; LEVELS.len()]; CLASSES]; STEPS],
    /// Windows that each was held against.
    windows: [[u32; CLASSES]; STEPS],
    /// Forecasts whose windows have not all come, oldest first.
    pending: Vec<Outlook>,
}

/// What was expected after a window.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Outlook {
    made: Window,
    rows: Vec<Expected>,
}

/// What was expected of one row.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Expected {
    row: u32,
    born: Window,
    overdispersion: f32,
    means: [f32; STEPS],
}

impl Calibration {
    /// Notes what is expected of the windows to come, to be held against them by [`Calibration::update`].
    pub fn expect(&mut self, store: &Store, means: &Means) {
        let Some(made) = store.closed() else { return };
        let every = store.rows().div_ceil(SAMPLE).max(1);
        let c = &store.columns;
        let kept = (made.rem_euclid(every as i64) as usize..store.rows()).step_by(every).filter(|row| store.index.name(*row).is_some());
        let expected = |row: usize| Expected {
            row: row as u32,
            born: c.born[row],
            overdispersion: c.overdispersion[row],
            means: std::array::from_fn(|step| means.steps[step][row]),
        };
        self.pending.retain(|outlook| outlook.made < made);
        self.pending.push(Outlook { made, rows: kept.map(expected).collect() });
    }

    /// Compares the window just closed with what was expected of it, 1 to [`STEPS`] windows ahead.
    pub fn update(&mut self, gamma: &GammaTable, store: &Store) {
        let Some(closed) = store.closed() else { return };
        self.pending.retain(|outlook| closed - outlook.made <= STEPS as i64);
        let told: Vec<bool> = store.nodes.iter().map(|n| n.known && !n.guessed.contains(&closed)).collect();
        for outlook in &self.pending {
            // Positive and at most STEPS: what is older was let go of, and what is made later is added later.
            let Some(step) = (closed - outlook.made - 1).try_into().ok().filter(|step: &usize| *step < STEPS) else { continue };
            let mut seen = [0.0f64; CLASSES];
            let mut sums = [[0.0f64; LEVELS.len()]; CLASSES];
            for expected in outlook.rows.iter().filter(|expected| came(expected, store, &told)) {
                let (mean, over) = (f64::from(expected.means[step]), f64::from(expected.overdispersion));
                let (class, actual) = (class(mean), f64::from(store.demand(expected.row as usize, 0)));
                seen[class] += 1.0;
                let quantiles = jittered(&self.shifts[step][class], gamma, mean, over);
                sums[class].iter_mut().zip(quantiles).for_each(|(sum, q)| *sum += covered(q, actual));
            }
            for class in (0..CLASSES).filter(|class| seen[*class] > 0.0) {
                let covered = sums[class].map(|sum| sum / seen[class]);
                follow(&mut self.shifts[step][class], covered, seen[class], self.windows[step][class]);
                self.windows[step][class] = self.windows[step][class].saturating_add(1);
            }
        }
    }

    /// Requests that are not exceeded with probability [`LEVELS`] in the window `step` windows after the next (0 is the next).
    pub fn quantiles(&self, gamma: &GammaTable, step: usize, mean: f64, overdispersion: f64) -> [f64; LEVELS.len()] {
        self.jittered(gamma, step, mean, overdispersion).map(whole)
    }

    /// The same of the count plus a uniform random number from 0 to 1: what coverage is measured on.
    pub fn jittered(&self, gamma: &GammaTable, step: usize, mean: f64, overdispersion: f64) -> [f64; LEVELS.len()] {
        jittered(&self.shifts[step.min(STEPS - 1)][class(mean)], gamma, mean, overdispersion)
    }
}

/// Whether the row is still the series it was, and its node has told of the window just closed. A row that was freed shows no
/// demand, but not because nobody asked.
fn came(expected: &Expected, store: &Store, told: &[bool]) -> bool {
    let row = expected.row as usize;
    let c = &store.columns;
    store.index.name(row).is_some() && c.born[row] == expected.born && told.get(c.node[row] as usize).copied().unwrap_or(false)
}

fn jittered(shifts: &[f64; LEVELS.len()], gamma: &GammaTable, mean: f64, overdispersion: f64) -> [f64; LEVELS.len()] {
    // Shifts move apart from each other; a quantile is never below that of a lesser probability.
    let mut last = f64::NEG_INFINITY;
    let logits = std::array::from_fn(|level| {
        last = last.max(logit(LEVELS[level]) + shifts[level]);
        last
    });
    Count::new(mean, overdispersion).jittered(gamma, logits)
}

/// Moves the shifts of a class by what a window of `series` series covered, after `windows` others. How far falls off as in
/// Angelopoulos, Barber & Bates (2024, "Online conformal prediction with decaying step sizes"), but not to nothing: traffic
/// changes.
fn follow(shifts: &mut [f64; LEVELS.len()], covered: [f64; LEVELS.len()], series: f64, windows: u32) {
    let steady = GAIN + GAIN_OF_MANY * series / (series + MANY);
    for ((shift, covered), p) in shifts.iter_mut().zip(covered).zip(LEVELS) {
        let variance = p * (1.0 - p);
        let young = 1.0 / (BELIEVED + variance * f64::from(windows));
        *shift += (steady / variance + young) * (p - covered);
    }
}

/// The whole part of the binary logarithm is the exponent of the number as it is stored.
fn class(mean: f64) -> usize {
    let exponent = (mean.max(1e-9).to_bits() >> 52) as i32 - 1023;
    (exponent + 4).clamp(0, CLASSES as i32 - 1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Limits;
    use tidegate_wire::{BucketCounts, Report, Timestamp};

    fn report(window: i64, counts: &[(&str, u64)]) -> Report {
        let counted =
            |(bucket, requests): &(&str, u64)| BucketCounts { bucket: (*bucket).into(), requests: *requests, ..Default::default() };
        Report {
            node: "n".into(),
            instance: None,
            sequence: window as u64,
            epoch: None,
            staleness_ms: None,
            start: Timestamp::from_secs(30 * window),
            seconds: 30,
            cpu: None,
            memory: None,
            buckets: counts.iter().map(counted).collect(),
        }
    }

    /// Forecasts and calibrates `windows` windows of a bucket `b`; returns the share of the last half covered, by step and level.
    fn coverage(windows: i64, demand: impl Fn(i64) -> u64) -> [[f64; LEVELS.len()]; STEPS] {
        let (gamma, mut store, mut means) = (GammaTable::default(), Store::new(30, Limits::default()), Means::default());
        let mut calibration = Calibration::default();
        let mut claims: Vec<[[f64; LEVELS.len()]; STEPS]> = vec![];
        let mut sums = [[0.0; LEVELS.len()]; STEPS];
        for window in 0..windows {
            store.record(&report(window, &[("b", demand(window))]));
            store.close(window);
            calibration.update(&gamma, &store);
            if window >= windows / 2 {
                for (step, sums) in sums.iter_mut().enumerate() {
                    let claim = claims[window as usize - 1 - step][step];
                    sums.iter_mut().zip(claim).for_each(|(sum, q)| *sum += covered(q, demand(window) as f64));
                }
            }
            means.update(None, &mut store);
            calibration.expect(&store, &means);
            let row = store.row(0, "b").unwrap();
            let over = f64::from(store.columns.overdispersion[row]);
            claims.push(std::array::from_fn(|step| calibration.jittered(&gamma, step, f64::from(means.steps[step][row]), over)));
        }
        sums.map(|sums| sums.map(|sum| sum / (windows - windows / 2) as f64))
    }

    /// A number from 0 to 1 that looks random.
    fn noise(window: i64) -> f64 {
        let mixed = (window as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }

    #[test]
    fn each_level_covers_what_it_says_at_every_step_whatever_the_demand() {
        let mostly_zero = |w: i64| u64::from(noise(w) < 0.07);
        let heavy = |w: i64| (20.0 / noise(w).max(1e-4).sqrt()) as u64;
        let swinging = |w: i64| if (w / 40) % 2 == 0 { 68 } else { 90 } + (30.0 * noise(w)) as u64;
        let demands: [(&str, &dyn Fn(i64) -> u64); 3] = [("mostly zero", &mostly_zero), ("heavy tail", &heavy), ("swinging", &swinging)];
        for (name, demand) in demands {
            for (step, got) in coverage(12_000, demand).iter().enumerate() {
                for (got, p) in got.iter().zip(LEVELS) {
                    assert!((got - p).abs() < 0.01 + 0.03 * (1.0 - p), "{name}, step {step}: {got} for {p}");
                }
            }
        }
    }

    #[test]
    fn a_row_that_was_freed_is_no_demand_of_zero() {
        let (gamma, mut store, mut means) =
            (GammaTable::default(), Store::new(30, Limits { idle_after_s: 60, ..Limits::default() }), Means::default());
        store.record(&report(0, &[("gone", 9), ("stays", 9)]));
        store.close(0);
        for window in 1..3 {
            store.record(&report(window, &[("stays", 9)]));
            store.close(window);
        }
        let mut calibration = Calibration::default();
        means.update(None, &mut store);
        calibration.expect(&store, &means);
        let before = calibration.shifts[0];
        assert_eq!(store.evict(3, 3600, |_| false), 1);
        let gone = class(f64::from(means.steps[0][store.rows() - 2].min(means.steps[0][store.rows() - 1])));
        store.record(&report(3, &[("stays", 9)]));
        store.close(3);
        calibration.update(&gamma, &store);
        assert_eq!(calibration.shifts[0][gone], before[gone], "nothing is known of a series that was let go");
        assert_ne!(calibration.shifts[0], before, "the other one was told of");
    }

    #[test]
    fn each_class_is_twice_the_one_below() {
        for (mean, expected) in [(0.0, 0), (f64::NAN, 0), (0.124, 0), (0.125, 1), (1.0, 4), (1.99, 4), (2.0, 5), (2048.0, 15), (1e30, 15)] {
            assert_eq!(class(mean), expected, "{mean}");
        }
    }
}
