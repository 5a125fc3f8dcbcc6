//! How many entries a store may be written: its own limit, or what the user is ready to pay for.

use tidegate_wire::Timestamp;

/// Least seconds' worth of writes that may be saved up for one plan.
const SAVED_S: f64 = 30.0;
/// The part of what there is that may be set aside, as a divisor.
const ASIDE: f64 = 8.0;

/// A token bucket of writes, on the plans' own time.
#[derive(Debug, Clone, PartialEq)]
pub struct Allowance {
    per_s: f64,
    most: f64,
    left: f64,
    at: Option<Timestamp>,
}

impl Allowance {
    /// The least of `limits`, in entries per second; without bound when all are `None`. What accrues in the `interval_s` seconds
    /// from one plan to the next can be saved up.
    pub fn new(limits: impl IntoIterator<Item = Option<f64>>, interval_s: u32) -> Self {
        let per_s = limits.into_iter().flatten().fold(f64::INFINITY, f64::min);
        let most = per_s * SAVED_S.max(f64::from(interval_s));
        Self { per_s, most, left: most, at: None }
    }

    /// Adds what has accrued until `now`.
    pub fn accrue(&mut self, now: Timestamp) {
        if self.per_s.is_infinite() {
            return;
        }
        let elapsed_s = self.at.replace(now).map_or(0.0, |before| now.secs_since(before).max(0.0));
        self.left = (self.left + self.per_s * elapsed_s).min(self.most);
    }

    /// Takes `entries`, unless that is more than there is.
    pub fn take(&mut self, entries: usize) -> bool {
        let enough = self.left >= entries as f64;
        if enough {
            self.left -= entries as f64;
        }
        enough
    }

    /// Takes as many of `entries` as there is enough for; returns how many.
    pub fn take_some(&mut self, entries: usize) -> usize {
        let taken = entries.min(self.left.floor() as usize);
        self.left -= taken as f64;
        taken
    }

    /// Takes as many of `entries` as a small part of what there is suffices for; returns how many.
    pub fn set_aside(&mut self, entries: usize) -> usize {
        self.take_some(entries.min((self.left / ASIDE).ceil() as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_stay_within_the_lower_limit_over_any_span() {
        let mut allowance = Allowance::new([Some(2.0), Some(5.0), None], 30);
        let mut written = 0;
        for tick in 0..10 {
            allowance.accrue(Timestamp::from_secs(tick * 30));
            written += (0..1_000).filter(|_| allowance.take(1)).count();
        }
        assert_eq!(written, 60 * 10);
        assert!(!allowance.take(1));
        assert!(allowance.take(0));
    }

    #[test]
    fn without_a_limit_there_is_always_enough() {
        let mut allowance = Allowance::new([None, None], 30);
        allowance.accrue(Timestamp::from_secs(0));
        allowance.accrue(Timestamp::from_secs(30));
        assert!(allowance.take(1_000_000) && allowance.take(1_000_000));
        assert_eq!((allowance.set_aside(1_000_000), allowance.take_some(1_000_000)), (1_000_000, 1_000_000));
    }

    #[test]
    fn what_is_set_aside_leaves_most_of_it() {
        let mut allowance = Allowance::new([Some(2.0)], 60);
        assert_eq!(allowance.set_aside(3), 3);
        assert_eq!(allowance.set_aside(1_000), 15, "an eighth of 117, rounded up");
        assert_eq!(allowance.take_some(1_000), 102, "what accrues in a longer interval is not lost");
        assert_eq!((allowance.set_aside(1), allowance.take_some(1)), (0, 0));
    }
}
