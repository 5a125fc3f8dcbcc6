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
    pub fn drain(&mut self, bucket: &str) -> BucketCounts {
        let counts = std::mem::take(self);
        BucketCounts {
            bucket: bucket.to_owned(),
            requests: counts.requests,
            throttled: counts.throttled,
            retries: counts.retries,
            errors: counts.errors,
            bytes: counts.bytes,
            peak_per_s: Some(counts.peak_per_s as f64),
        }
    }
}
