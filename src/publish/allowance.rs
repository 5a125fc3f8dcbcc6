//! How many entries a store may be written: its own limit, or what the user is ready to pay for.

use tidegate_wire::Timestamp;

/// Seconds' worth of writes that may be saved up for one plan.
const SAVED_S: f64 = 30.0;

/// A token bucket of writes, on the plans' own time.
#[derive(Debug, Clone, PartialEq)]
pub struct Allowance {
    per_s: f64,
    left: f64,
    at: Option<Timestamp>,
}

impl Allowance {
    /// The least of `limits`, in entries per second; without bound when all are `None`.
    pub fn new(limits: impl IntoIterator<Item = Option<f64>>) -> Self {
        let per_s = limits.into_iter().flatten().fold(f64::INFINITY, f64::min);
        Self { per_s, left: per_s * SAVED_S, at: None }
    }

    /// Adds what has accrued until `now`.
    pub fn accrue(&mut self, now: Timestamp) {
        if self.per_s.is_infinite() {
            return;
        }
        let elapsed_s = self.at.replace(now).map_or(0.0, |before| now.secs_since(before).max(0.0));
        self.left = (self.left + self.per_s * elapsed_s).min(self.per_s * SAVED_S);
    }

    /// Takes `entries`, unless that is more than there is.
    pub fn take(&mut self, entries: usize) -> bool {
        let enough = self.left >= entries as f64;
        if enough {
            self.left -= entries as f64;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_stay_within_the_lower_limit_over_any_span() {
        let mut allowance = Allowance::new([Some(2.0), Some(5.0), None]);
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
        let mut allowance = Allowance::new([None, None]);
        allowance.accrue(Timestamp::from_secs(0));
        allowance.accrue(Timestamp::from_secs(30));
        assert!(allowance.take(1_000_000) && allowance.take(1_000_000));
    }
}
