//! A circuit breaker: a store that fails again and again is asked less often, so that it is not kept from recovering.

use std::time::Duration;

use tidegate_wire::Timestamp;

/// Failures in a row from which the store is left alone.
const TOLERATED: u32 = 3;
/// Seconds of the first rest; each further failure doubles it.
const REST_S: i64 = 60;
/// Longest rest, in seconds: below the usual lease, so that a store which is well again is found before its tables end.
const REST_MAX_S: i64 = 240;

/// How one store has fared, on the plans' own time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Breaker {
    failures: u32,
    rests_until: Option<Timestamp>,
}

impl Breaker {
    /// Until when the store is to be left alone, if that is after `now`.
    pub fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.rests_until.filter(|until| *until > now)
    }

    /// Notes a plan that the store answered.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// Notes a plan that the store did not answer, at `now`; `asked` is how long it wants to be left alone itself.
    pub fn failed(&mut self, now: Timestamp, asked: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        let own_s = match self.failures.checked_sub(TOLERATED) {
            Some(more) => (REST_S << more.min(8)).min(REST_MAX_S),
            None => 0,
        };
        // What a server asks for is bounded too: a nonsensical header must not end publishing.
        let asked_s = asked.map_or(0, |a| i64::try_from(a.as_secs()).unwrap_or(i64::MAX).min(3_600));
        let rest_s = own_s.max(asked_s);
        self.rests_until = (rest_s > 0).then(|| now.plus_secs(rest_s));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_secs(s)
    }

    #[test]
    fn rests_come_after_some_failures_grow_and_are_bounded() {
        let mut breaker = Breaker::default();
        let mut rests = vec![];
        for _ in 0..8 {
            breaker.failed(at(0), None);
            rests.push(breaker.rests_until(at(0)).map(|until| until.secs_since(at(0))));
        }
        assert_eq!(rests, [None, None, Some(60.0), Some(120.0), Some(240.0), Some(240.0), Some(240.0), Some(240.0)]);
        assert_eq!(breaker.rests_until(at(240)), None, "the next plan tries again");
        breaker.answered();
        breaker.failed(at(0), None);
        assert_eq!(breaker.rests_until(at(0)), None, "the count began anew");
    }

    #[test]
    fn a_store_that_asks_for_rest_gets_it_at_once_but_not_for_ever() {
        let mut breaker = Breaker::default();
        breaker.failed(at(0), Some(Duration::from_secs(300)));
        assert_eq!(breaker.rests_until(at(0)), Some(at(300)));
        breaker.failed(at(300), Some(Duration::MAX));
        assert_eq!(breaker.rests_until(at(300)), Some(at(3_900)));
    }
}
