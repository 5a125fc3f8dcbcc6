//! Pools by a forecast of each node's demand: what is built first by whoever sets out to do this.

use tidegate_wire::{Report, Timestamp};

use super::{Brief, Contender, Leased, books::Books, observed};

/// Standard deviations of its own error that a forecast is raised by.
const HEADROOM: f64 = 2.0;
/// Weight of the newest window in the mean squared error: half-life 30 min.
const ERROR_NEWEST: f64 = 0.0115;
/// Windows from the last one that was seen to the one that a table is read in.
const AHEAD: f64 = 2.0;
/// Smoothing constants of level and trend that are tried on the part before the scored one.
const LEVELS: [f64; 6] = [0.02, 0.05, 0.1, 0.2, 0.4, 0.8];
const TRENDS: [f64; 4] = [0.0, 0.01, 0.05, 0.2];

/// How a node's demand is forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// As in the last window.
    LastValue,
    /// Level and trend, exponentially smoothed (Holt 1957, reprinted in International Journal of Forecasting 20, 2004), with the
    /// two constants that did best on the part before the scored one.
    Holt,
}

/// Each node's pool is its part of the origin by the forecast of its demand, raised by headroom. All of the origin is leased: what
/// the forecasts leave over goes to the nodes in the same proportion.
pub struct Forecasting {
    books: Books,
    constants: Constants,
    nodes: Vec<Smoothed>,
}

/// Weights of the newest window.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Constants {
    level: f64,
    trend: f64,
}

/// What is remembered of a node.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Smoothed {
    level: f64,
    trend: f64,
    squared_error: f64,
    windows: u32,
}

impl Forecasting {
    /// Learns each node's state, and the constants, from the part before the scored one.
    pub fn new(brief: &Brief, method: Method) -> Self {
        let before = observed::before(brief.workload);
        let constants = match method {
            Method::LastValue => Constants { level: 1.0, trend: 0.0 },
            Method::Holt => best(&before),
        };
        let nodes = before.iter().map(|counts| Smoothed::after(counts, constants)).collect();
        Self { books: Books::new(brief), constants, nodes }
    }
}

impl Contender for Forecasting {
    fn opening(&mut self) -> Vec<Leased> {
        self.books.open()
    }

    fn tick(&mut self, now: Timestamp, reports: &[Report]) -> Vec<Leased> {
        self.books.acknowledge(reports);
        let observed = observed::by_node(reports, self.nodes.len());
        for (node, seen) in self.nodes.iter_mut().zip(observed) {
            node.take(seen.offered, self.constants);
        }
        let needs: Vec<f64> = self.nodes.iter().map(Smoothed::need).collect();
        let total: f64 = needs.iter().sum();
        let all = self.books.origin().sustained_per_s;
        let rates: Vec<f64> = needs.iter().map(|need| if total > 0.0 { need / total * all } else { 0.0 }).collect();
        self.books.lease(now.as_secs(), &rates)
    }
}

impl Smoothed {
    fn after(counts: &[f64], constants: Constants) -> Self {
        let mut state = Self::default();
        counts.iter().for_each(|&count| state.take(count, constants));
        state
    }

    fn take(&mut self, count: f64, constants: Constants) {
        if self.windows == 0 {
            *self = Self { level: count, windows: 1, ..Self::default() };
            return;
        }
        let error = count - (self.level + self.trend);
        // A young average is the plain mean of what it has seen.
        let young = 1.0 / f64::from(self.windows + 1);
        self.squared_error += ERROR_NEWEST.max(young) * (error * error - self.squared_error);
        let level = self.level + self.trend + constants.level.max(young) * error;
        self.trend += constants.trend * (level - self.level - self.trend);
        self.level = level;
        self.windows += 1;
    }

    /// Requests expected of the window in which a table is read, with headroom.
    fn need(&self) -> f64 {
        (self.level + AHEAD * self.trend).max(0.0) + HEADROOM * self.squared_error.sqrt()
    }
}

/// The constants with the least squared error over all nodes.
fn best(before: &[Vec<f64>]) -> Constants {
    let error = |constants: &Constants| -> f64 { before.iter().map(|counts| squared_errors(counts, *constants)).sum() };
    let all = LEVELS.iter().flat_map(|&level| TRENDS.iter().map(move |&trend| Constants { level, trend }));
    let scored = all.map(|constants| (error(&constants), constants));
    scored.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(Constants { level: LEVELS[0], trend: 0.0 }, |(_, constants)| constants)
}

fn squared_errors(counts: &[f64], constants: Constants) -> f64 {
    let mut state = Smoothed::default();
    let mut sum = 0.0;
    for &count in counts {
        sum += (count - state.level - state.trend).powi(2);
        state.take(count, constants);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_is_followed_by_its_trend_and_lagged_by_the_last_value() {
        let ramp: Vec<f64> = (0..200).map(|w| 10.0 * f64::from(w)).collect();
        let holt = Smoothed::after(&ramp, best(std::slice::from_ref(&ramp)));
        let last = Smoothed::after(&ramp, Constants { level: 1.0, trend: 0.0 });
        assert!((holt.level + AHEAD * holt.trend - 2010.0).abs() < 5.0, "{holt:?}");
        assert_eq!(last.level, 1990.0);
    }

    #[test]
    fn a_restless_node_needs_more_than_a_steady_one() {
        let constants = Constants { level: 0.1, trend: 0.0 };
        let steady = Smoothed::after(&[50.0; 300], constants);
        let restless: Vec<f64> = (0..300).map(|w| if w % 2 == 0 { 0.0 } else { 100.0 }).collect();
        assert!(Smoothed::after(&restless, constants).need() > steady.need() + 50.0);
        assert!((steady.need() - 50.0).abs() < 1.0, "{steady:?}");
    }

    #[test]
    fn noise_is_smoothed_and_a_jump_is_not() {
        let noise: Vec<f64> = (0..400_u32).map(|w| f64::from(w.wrapping_mul(0x9e37_79b9) >> 25)).collect();
        assert!(best(&[noise]).level <= 0.05);
        let jumps: Vec<f64> = (0..400).map(|w| if w / 50 % 2 == 0 { 10.0 } else { 1000.0 }).collect();
        assert!(best(&[jumps]).level >= 0.4);
    }
}
