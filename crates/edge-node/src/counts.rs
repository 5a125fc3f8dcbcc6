//! Counts of one bucket in the open window.

use tidegate_wire::{BucketCounts, Timestamp};

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    requests: u64,
    throttled: u64,
    retries: u64,
    errors: u64,
    bytes: u64,
    /// Second that is being counted, and the requests in it so far.
    second: i64,
    in_second: u64,
    peak_per_s: u64,
}

impl Counts {
    pub fn is_empty(&self) -> bool {
        self.requests == 0
    }

    pub fn offered(&mut self, requests: u64, throttled: u64, now: Timestamp) {
        self.requests += requests;
        self.throttled += throttled;
        let second = now.as_secs();
        if second != self.second {
            self.second = second;
            self.in_second = 0;
        }
        self.in_second += requests;
        self.peak_per_s = self.peak_per_s.max(self.in_second);
    }

    pub fn outcome(&mut self, retries: u64, errors: u64, bytes: u64) {
        self.retries += retries;
        self.errors += errors;
        self.bytes += bytes;
    }

    /// The counts as telemetry of `bucket`; none are left.
    ///
    /// An outcome can become known in a window after its request's. More errors than admitted requests would have the whole report
    /// refused, so what is beyond goes unreported.
    pub fn drain(&mut self, bucket: &str) -> BucketCounts {
        let counts = std::mem::take(self);
        BucketCounts {
            bucket: bucket.to_owned(),
            requests: counts.requests,
            throttled: counts.throttled,
            retries: counts.retries.min(counts.requests),
            errors: counts.errors.min(counts.requests - counts.throttled),
            bytes: counts.bytes,
            peak_per_s: Some(counts.peak_per_s as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_known_late_never_exceeds_what_was_counted() {
        let mut counts = Counts::default();
        counts.offered(5, 2, Timestamp::from_secs(0));
        counts.outcome(9, 4, 100);
        let drained = counts.drain("b");
        assert_eq!((drained.retries, drained.errors), (5, 3));
        assert!(counts.is_empty());
    }
}
