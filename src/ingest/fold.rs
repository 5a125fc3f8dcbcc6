//! The cardinality bound: buckets beyond what a node may bring are counted together.

use tidegate_wire::{BucketCounts, Report};

/// Bucket that the counts of buckets beyond the bound are added to.
pub const OVERFLOW: &str = "tidegate.overflow";

/// Adds the counts of unknown buckets beyond the first `room` of them to [`OVERFLOW`]. Returns how many were folded; the
/// report's totals stay as they are.
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
