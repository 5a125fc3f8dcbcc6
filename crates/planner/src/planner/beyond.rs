//! Demand that no rate could admit: what a bucket offers beyond its policy's ceiling.
//!
//! It is taken out before anything learns from it. Otherwise an abuser, refused at its ceiling, would still draw capacity to its
//! node by offering more, at the cost of everybody elsewhere.

use std::borrow::Cow;

use tidegate_wire::{BucketCounts, Report};

use super::Planner;

impl Planner {
    /// `report` without what was refused beyond the ceilings of its buckets.
    pub(super) fn within_ceilings<'a>(&self, report: &'a Report) -> Cow<'a, Report> {
        let seconds = f64::from(report.seconds);
        let beyond = |counts: &BucketCounts| self.bound_per_s(&counts.bucket).map_or(0, |bound| beyond(counts, bound * seconds));
        if report.buckets.iter().all(|counts| beyond(counts) == 0) {
            return Cow::Borrowed(report);
        }
        let mut within = report.clone();
        for counts in &mut within.buckets {
            let beyond = beyond(counts);
            counts.requests -= beyond;
            counts.throttled -= beyond;
            counts.retries = counts.retries.min(counts.requests);
        }
        Cow::Owned(within)
    }

    /// Most tokens per second that `bucket` may reach at one node; `None` without a bound.
    fn bound_per_s(&self, bucket: &str) -> Option<f64> {
        self.policy(bucket).most_per_s()
    }
}

/// Throttled requests of a window beyond `most` of them. What was admitted stays. A bucket that was admitted all but the part of a token
/// that a window may end on is taken to be short of nothing: it is had in one of the next.
fn beyond(counts: &BucketCounts, most: f64) -> u64 {
    let admitted = counts.requests.saturating_sub(counts.throttled);
    if admitted > 0 && admitted as f64 >= most.floor() {
        return counts.throttled;
    }
    // Rounded up, so that demand just at the ceiling is not understated.
    counts.requests.saturating_sub(most.ceil() as u64).min(counts.throttled)
}

#[cfg(test)]
mod tests {
    use tidegate_wire::Timestamp;

    use super::*;
    use crate::settings::{Policy, Settings};

    fn report(requests: u64, throttled: u64) -> Report {
        let counts = BucketCounts { bucket: "key:a".into(), requests, throttled, retries: requests, ..BucketCounts::default() };
        Report {
            node: "n".into(),
            instance: None,
            sequence: 1,
            epoch: None,
            staleness_ms: None,
            start: Timestamp::from_secs(0),
            seconds: 30,
            cpu: None,
            memory: None,
            buckets: vec![counts],
        }
    }

    fn planner(ceiling_per_s: Option<f64>, limit_per_s: Option<f64>) -> Planner {
        let policy = Policy { ceiling_per_s, limit_per_s, ..Policy::default() };
        Planner::new(Settings { policies: vec![policy], ..Settings::default() }, None).unwrap()
    }

    #[test]
    fn what_is_refused_beyond_the_ceiling_is_not_demand() {
        for (ceiling, limit) in [(Some(2.0), None), (None, Some(2.0)), (Some(9.0), Some(2.0)), (Some(2.0), Some(9.0))] {
            let (planner, flood) = (planner(ceiling, limit), report(1000, 900));
            let within = planner.within_ceilings(&flood);
            let counts = &within.buckets[0];
            assert_eq!((counts.requests, counts.throttled, counts.retries), (100, 0, 100), "100 were admitted");
        }
        let (planner, flood) = (planner(Some(5.0), None), report(1000, 990));
        let counts = &planner.within_ceilings(&flood).buckets[0];
        assert_eq!((counts.requests, counts.throttled), (150, 140), "up to the ceiling it is");
    }

    #[test]
    fn who_has_all_of_a_ceiling_is_not_short_of_the_part_of_a_token() {
        // 75.6 requests a window: 75 are admitted in one and 76 in the next.
        let planner = planner(Some(2.52), None);
        for (requests, throttled) in [(1000, 925), (1000, 924), (76, 1)] {
            let flood = report(requests, throttled);
            let counts = &planner.within_ceilings(&flood).buckets[0];
            assert_eq!((counts.requests, counts.throttled), (requests - throttled, 0));
        }
        let refused = report(5, 5);
        let counts = &self::planner(Some(0.01), None).within_ceilings(&refused).buckets[0];
        assert_eq!((counts.requests, counts.throttled), (1, 1), "and who has nothing of it still asks");
    }

    #[test]
    fn what_is_within_stays_as_it_was() {
        assert!(matches!(planner(None, None).within_ceilings(&report(1000, 900)), Cow::Borrowed(_)));
        assert!(matches!(planner(Some(2.0), None).within_ceilings(&report(60, 60)), Cow::Borrowed(_)));
        assert!(matches!(planner(Some(2.0), None).within_ceilings(&report(100, 0)), Cow::Borrowed(_)), "a burst that was admitted");
    }
}
