//! The cardinality bound: buckets beyond what a node may bring are counted together.

use tidegate_wire::{BucketCounts, Report};

/// Bucket that the counts of buckets beyond the bound are added to.
pub const OVERFLOW: &str = "tidegate.overflow";

/// Adds the counts of unknown buckets beyond the first `room` of them to [`OVERFLOW`]. Returns how many buckets were
/// added up; the report's totals stay as they are.
pub fn fold(report: &mut Report, room: usize, known: impl Fn(&str) -> bool) -> usize {
    let mut room = room;
    let mut overflow = BucketCounts { bucket: OVERFLOW.into(), ..BucketCounts::default() };
    let before = report.buckets.len();
    report.buckets.retain(|counts| {
        let is_overflow = counts.bucket == OVERFLOW;
        if !is_overflow && known(&counts.bucket) {
            return true;
        }
        if !is_overflow && room > 0 {
            room -= 1;
            return true;
        }
        add(&mut overflow, counts);
        false
    });
    let folded = before - report.buckets.len();
    if folded > 0 {
        report.buckets.push(overflow);
    }
    folded
}

fn add(sum: &mut BucketCounts, counts: &BucketCounts) {
    sum.requests = sum.requests.saturating_add(counts.requests);
    sum.throttled = sum.throttled.saturating_add(counts.throttled);
    sum.retries = sum.retries.saturating_add(counts.retries);
    sum.errors = sum.errors.saturating_add(counts.errors);
    sum.bytes = sum.bytes.saturating_add(counts.bytes);
    // The peaks need not have been in the same second, so their sum is an upper bound of the true peak.
    sum.peak_per_s = match (sum.peak_per_s, counts.peak_per_s) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(buckets: &[(&str, u64)]) -> Report {
        let counts = |&(bucket, n): &(&str, u64)| BucketCounts {
            bucket: bucket.into(),
            requests: n,
            throttled: n / 2,
            bytes: n * 100,
            peak_per_s: Some(n as f64),
            ..BucketCounts::default()
        };
        let buckets = buckets.iter().map(counts).collect();
        Report {
            node: "n".into(),
            instance: None,
            sequence: 1,
            epoch: None,
            staleness_ms: None,
            start: Default::default(),
            seconds: 30,
            cpu: None,
            memory: None,
            buckets,
        }
    }

    fn totals(report: &Report) -> (u64, u64, u64) {
        let sum = |f: fn(&BucketCounts) -> u64| report.buckets.iter().map(f).sum();
        (sum(|b| b.requests), sum(|b| b.throttled), sum(|b| b.bytes))
    }

    fn names(report: &Report) -> Vec<&str> {
        report.buckets.iter().map(|b| b.bucket.as_str()).collect()
    }

    #[test]
    fn known_buckets_stay_and_the_totals_too() {
        let mut folded = report(&[("new1", 8), ("old", 16), ("new2", 32), ("new3", 64)]);
        let before = totals(&folded);
        assert_eq!(fold(&mut folded, 1, |b| b == "old"), 2);
        assert_eq!(names(&folded), ["new1", "old", OVERFLOW]);
        assert_eq!(totals(&folded), before);
        assert_eq!(folded.buckets[2].peak_per_s, Some(96.0));
    }

    #[test]
    fn what_fits_is_left_alone() {
        let mut fits = report(&[("a", 1), ("b", 2)]);
        assert_eq!(fold(&mut fits, 2, |_| false), 0);
        assert_eq!(fits, report(&[("a", 1), ("b", 2)]));
    }

    #[test]
    fn a_node_that_folds_itself_is_added_to() {
        let mut folded = report(&[(OVERFLOW, 8), ("new", 2)]);
        fold(&mut folded, 0, |_| false);
        assert_eq!(names(&folded), [OVERFLOW]);
        assert_eq!(folded.buckets[0].requests, 10);
    }
}
