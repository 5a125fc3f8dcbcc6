//! The values of one report.

use std::collections::HashSet;

use tidegate_wire::{BucketCounts, Problem, Report, Timestamp, check_bucket, check_node};

use super::Rules;

/// Most requests, bytes and so on that one bucket may count in one window: sums of them stay exact.
const COUNT_MAX: u64 = 1 << 48;

/// Why a report is refused: the kind of problem, and what is wrong this time.
type Refusal = (&'static str, String);

/// Checks one report against the rules at `now`.
///
/// # Errors
/// A problem that says which value is wrong and what would do.
pub(super) fn validate(report: &Report, rules: &Rules, now: Timestamp) -> Result<(), Problem> {
    ids(report)
        .and_then(|()| window(report, rules, now))
        .and_then(|()| shares(report))
        .and_then(|()| buckets(report, rules))
        .map_err(|(slug, detail)| Problem::new(slug, title(slug), 422, detail))
}

fn title(slug: &str) -> &'static str {
    match slug {
        "invalid-id" => "An id is not of its alphabet",
        "invalid-window" => "The window is not one of this service's",
        "clock-skew" => "The window is too far from the time here",
        "too-many-buckets" => "The report lists too many buckets",
        _ => "A value is impossible",
    }
}

fn ids(report: &Report) -> Result<(), Refusal> {
    check_node(&report.node).map_err(|e| ("invalid-id", format!("node {:?}: {e}", report.node)))?;
    let Some(instance) = &report.instance else { return Ok(()) };
    check_bucket(instance).map_err(|_| {
        ("invalid-id", format!("instance {instance:?}: an instance has 1 to 128 characters of [A-Za-z0-9._:-], or is left out"))
    })
}

fn window(report: &Report, rules: &Rules, now: Timestamp) -> Result<(), Refusal> {
    let interval_s = rules.interval_s;
    if report.seconds != interval_s {
        return Err(("invalid-window", format!("seconds is {}; a window here is {interval_s} s long", report.seconds)));
    }
    if report.start.as_millis().rem_euclid(i64::from(interval_s) * 1000) != 0 {
        return Err(("invalid-window", format!("start {} is not a multiple of {interval_s} s since the Unix epoch", report.start)));
    }
    let end = report.start.plus_secs(i64::from(interval_s));
    let (ahead_s, behind_s) = (rules.bounds.future_skew_s, rules.bounds.late_s);
    if end > now.plus_secs(i64::from(ahead_s)) {
        return Err((
            "clock-skew",
            format!("the window ends at {end}, more than {ahead_s} s after {now}, the time here: set the node's clock"),
        ));
    }
    if end < now.plus_secs(-i64::from(behind_s)) {
        return Err((
            "clock-skew",
            format!("the window ended at {end}, more than {behind_s} s before {now}, the time here: drop the report"),
        ));
    }
    Ok(())
}

fn shares(report: &Report) -> Result<(), Refusal> {
    for (key, share) in [("cpu", report.cpu), ("memory", report.memory)] {
        if share.is_some_and(|s| !(0.0..=1.0).contains(&s)) {
            return Err(("invalid-value", format!("{key} is a share from 0 to 1, or is left out")));
        }
    }
    Ok(())
}

fn buckets(report: &Report, rules: &Rules) -> Result<(), Refusal> {
    let most = rules.bounds.buckets_per_report;
    if report.buckets.len() > most {
        return Err(("too-many-buckets", format!("{} buckets; at most {most} are taken in one report", report.buckets.len())));
    }
    let mut seen = HashSet::with_capacity(report.buckets.len());
    for counts in &report.buckets {
        let bucket = counts.bucket.as_str();
        check_bucket(bucket).map_err(|e| ("invalid-id", format!("bucket {bucket:?}: {e}")))?;
        if !seen.insert(bucket) {
            return Err(("invalid-value", format!("bucket {bucket:?} is listed twice; add its counts up")));
        }
        values(counts).map_err(|what| ("invalid-value", format!("bucket {bucket:?}: {what}")))?;
    }
    Ok(())
}

fn values(counts: &BucketCounts) -> Result<(), &'static str> {
    if counts.requests.max(counts.bytes) > COUNT_MAX {
        return Err("requests and bytes are at most 2^48 in one window");
    }
    if counts.throttled > counts.requests {
        return Err("throttled is more than requests, which counts the throttled ones too");
    }
    if counts.retries > counts.requests {
        return Err("retries is more than requests, of which they are a part");
    }
    if counts.errors > counts.requests - counts.throttled {
        return Err("errors is more than the admitted requests, of which they are a part");
    }
    if counts.peak_per_s.is_some_and(|p| !(p.is_finite() && p >= 0.0)) {
        return Err("peak_per_s is zero or a positive number, or is left out");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_033);

    fn report() -> Report {
        let counts = BucketCounts { bucket: "key:1".into(), requests: 10, throttled: 4, retries: 2, errors: 6, ..Default::default() };
        Report {
            node: "fra-1".into(),
            instance: Some("a".into()),
            sequence: 1,
            epoch: None,
            staleness_ms: None,
            start: Timestamp::from_secs(1_800_000_000),
            seconds: 30,
            cpu: Some(1.0),
            memory: Some(0.0),
            buckets: vec![counts],
        }
    }

    fn refusal(change: impl FnOnce(&mut Report)) -> Option<String> {
        let mut changed = report();
        change(&mut changed);
        let rules = Rules { bounds: config::Ingest { buckets_per_report: 2, ..config::Ingest::default() }, interval_s: 30 };
        validate(&changed, &rules, NOW).err().map(|p| p.kind)
    }

    #[test]
    fn a_sound_report_passes() {
        assert_eq!(refusal(|_| ()), None);
        assert_eq!(refusal(|r| r.instance = None), None);
        assert_eq!(refusal(|r| r.buckets.clear()), None);
    }

    #[test]
    fn each_wrong_value_has_its_problem() {
        type Change = fn(&mut Report);
        let cases: [(&str, Change); 18] = [
            ("invalid-id", |r| r.node = "a/b".into()),
            ("invalid-id", |r| r.instance = Some(String::new())),
            ("invalid-id", |r| r.buckets[0].bucket = "Bearer x".into()),
            ("invalid-window", |r| r.seconds = 60),
            ("invalid-window", |r| r.start = r.start.plus_secs(1)),
            ("invalid-window", |r| r.start = Timestamp::from_millis(r.start.as_millis() + 1)),
            ("clock-skew", |r| r.start = r.start.plus_secs(30)),
            ("clock-skew", |r| r.start = r.start.plus_secs(-330)),
            ("clock-skew", |r| r.start = Timestamp::from_millis(i64::MIN / 30_000 * 30_000)),
            ("invalid-value", |r| r.cpu = Some(1.5)),
            ("invalid-value", |r| r.memory = Some(f64::NAN)),
            ("invalid-value", |r| r.buckets[0].throttled = 11),
            ("invalid-value", |r| r.buckets[0].retries = 11),
            ("invalid-value", |r| r.buckets[0].errors = 7),
            ("invalid-value", |r| r.buckets[0].requests = u64::MAX),
            ("invalid-value", |r| r.buckets[0].peak_per_s = Some(-1.0)),
            ("invalid-value", |r| r.buckets.push(r.buckets[0].clone())),
            ("too-many-buckets", |r| r.buckets = vec![BucketCounts::default(); 3]),
        ];
        for (i, (slug, change)) in cases.into_iter().enumerate() {
            assert_eq!(refusal(change), Some(format!("/problems/{slug}")), "case {i}");
        }
    }
}
