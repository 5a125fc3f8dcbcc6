//! Keeping "99 %" true on live data: adaptive conformal quantiles per class of series.

use serde::{Deserialize, Serialize};

use crate::state::Store;

/// Probabilities whose quantiles are kept.
pub const LEVELS: [f64; 3] = [0.5, 0.9, 0.99];
/// Classes by the binary logarithm of the mean: below 1/16 of a request per window, ..., above 2048.
const CLASSES: usize = 16;
/// How far a threshold moves for a window in which every series of the class was on one side.
const GAIN: f64 = 0.25;

/// For each class and level, how many standard deviations above the mean the quantile lies.
///
/// After each window the threshold of level p moves by `GAIN * (share above - (1 - p))`: the online quantile tracking of
/// Gibbs & Candès (2021, adaptive conformal inference), whose long-run coverage is p whatever the data do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Calibration {
    thresholds: [[f64; LEVELS.len()]; CLASSES],
}

impl Default for Calibration {
    fn default() -> Self {
        // Where a standard normal has them; live data take it from there.
        Self { thresholds: [[0.0, 1.28, 2.33]; CLASSES] }
    }
}

impl Calibration {
    /// Compares the window just closed with what was expected of it.
    pub fn update(&mut self, store: &Store) {
        let c = &store.columns;
        let guessed = |n: &crate::state::Node| store.closed().is_some_and(|closed| n.guessed.contains(&closed));
        let told: Vec<bool> = store.nodes.iter().map(|n| n.known && !guessed(n)).collect();
        let mut seen = [0.0f64; CLASSES];
        let mut above = [[0.0f64; LEVELS.len()]; CLASSES];
        for row in 0..store.rows() {
            let mean = f64::from(c.forecast[row]);
            let known = told.get(c.node[row] as usize).copied().unwrap_or(false);
            if mean <= 0.0 || !known {
                continue;
            }
            let class = class(mean);
            seen[class] += 1.0;
            let actual = f64::from(store.demand(row, 0));
            let deviation = (f64::from(c.overdispersion[row]) * mean).sqrt();
            for (level, count) in above[class].iter_mut().enumerate() {
                *count += f64::from(u8::from(actual > self.at(class, level, mean, deviation)));
            }
        }
        for class in (0..CLASSES).filter(|c| seen[*c] > 0.0) {
            // A class of few series moves less per window, so that a single burst does not throw it.
            let gain = GAIN * (seen[class] / (seen[class] + 20.0)).max(0.1);
            for (level, p) in LEVELS.iter().enumerate() {
                let t = &mut self.thresholds[class][level];
                *t = (*t + gain * (above[class][level] / seen[class] - (1.0 - p))).clamp(-5.0, 200.0);
            }
        }
    }

    /// Requests of the next window that are not exceeded with probability [`LEVELS`]`[level]`.
    pub fn quantile(&self, level: usize, mean: f64, overdispersion: f64) -> f64 {
        self.at(class(mean), level, mean, (overdispersion * mean).sqrt())
    }

    fn at(&self, class: usize, level: usize, mean: f64, deviation: f64) -> f64 {
        (mean + self.thresholds[class][level] * deviation).max(0.0)
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

    #[test]
    fn each_class_is_twice_the_one_below() {
        for (mean, expected) in [(0.0, 0), (f64::NAN, 0), (0.124, 0), (0.125, 1), (1.0, 4), (1.99, 4), (2.0, 5), (2048.0, 15), (1e30, 15)] {
            assert_eq!(class(mean), expected, "{mean}");
        }
    }
}
