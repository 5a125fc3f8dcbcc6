//! How many calls a provider takes in a span of time.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tidegate_wire::Timestamp;

/// At most `most` calls within any `span`.
#[derive(Debug)]
pub(super) struct CallBudget {
    most: usize,
    span: Duration,
    calls: Mutex<VecDeque<Timestamp>>,
}

impl CallBudget {
    /// A budget of which nothing is used.
    pub fn new(most: usize, span: Duration) -> Self {
        Self { most, span, calls: Mutex::default() }
    }

    /// Takes one call at `now`.
    ///
    /// # Errors
    /// How long it is until the next call is within the budget.
    pub fn take(&self, now: Timestamp) -> Result<(), Duration> {
        // Nothing that is done under the lock can panic half-way.
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back leaves calls in the future; they count as being made now.
        let age = |call: &Timestamp| Duration::from_millis(u64::try_from(now.as_millis() - call.as_millis()).unwrap_or(0));
        while calls.front().is_some_and(|call| age(call) >= self.span) {
            calls.pop_front();
        }
        match calls.front() {
            Some(oldest) if calls.len() >= self.most => Err(self.span - age(oldest)),
            _ => {
                calls.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_span_sees_more_calls_than_the_budget() {
        let budget = CallBudget::new(3, Duration::from_secs(10));
        let at = Timestamp::from_secs;
        assert_eq!([0, 1, 2].map(|s| budget.take(at(s))), [Ok(()); 3]);
        assert_eq!(budget.take(at(4)), Err(Duration::from_secs(6)));
        assert_eq!(budget.take(at(10)), Ok(()));
        assert_eq!(budget.take(at(10)), Err(Duration::from_secs(1)));
        assert_eq!(budget.take(at(-100)), Err(Duration::from_secs(10)), "a clock that was set back wins nothing");
    }
}
