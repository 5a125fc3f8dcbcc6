//! Requests of a trace one by one, on a clock that is compressed: for load tests that run in real time.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use tidegate_trace::Trace;

use crate::spread::{Spread, Spreader};

/// What is asked of a timetable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Mean requests per second of the timetable.
    pub per_s: f64,
    /// Its length in seconds.
    pub seconds: u32,
    /// Where in the trace to begin: share of its length, 0 to below 1.
    pub from: f64,
    /// Keep this many of the busiest buckets.
    pub buckets: usize,
    /// Nodes to spread the buckets over, in order of requests; single requests where there are fewer buckets than nodes.
    pub nodes: usize,
    /// Seed of everything that is random.
    pub seed: u64,
}

/// The requests, and how they were made of the trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetable {
    /// How many seconds of the trace pass in one second.
    pub factor: f64,
    /// First second that is replayed, since the Unix epoch.
    pub start: i64,
    /// In order of time.
    pub arrivals: Vec<Arrival>,
}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Arrival {
    /// Milliseconds from the start of the timetable.
    pub ms: f64,
    /// Index of the node that it arrives at.
    pub node: usize,
    /// Index of its bucket, the busiest first.
    pub bucket: u32,
}

/// Why there is no timetable.
#[derive(Debug, thiserror::Error)]
pub enum TimetableError {
    /// The rest of the trace is too short.
    #[error("{found} requests follow in the trace where {wanted} are needed; lower --rate, --seconds or --from, or keep more --buckets")]
    Short {
        /// Requests from there on.
        found: usize,
        /// Requests that make up the timetable.
        wanted: usize,
    },
    /// The trace would have to be slowed down, which would stretch its bursts.
    #[error("the trace has {per_s:.0} requests per second there, more than --rate; raise it")]
    Busy {
        /// Mean of the trace.
        per_s: f64,
    },
}

impl Timetable {
    /// Takes as many requests of `trace` as make up `wanted.per_s` over `wanted.seconds`, and compresses the time that they span to
    /// that length. The trace knows the second of a request only: within it, its place is random.
    ///
    /// # Errors
    /// [`TimetableError`] when the trace is too short or too busy.
    pub fn new(trace: &Trace, wanted: &Wanted) -> Result<Self, TimetableError> {
        let trace = trace.busiest(wanted.buckets);
        // Fits: the share is below one.
        let trace = trace.span((f64::from(trace.length) * wanted.from) as u32, u32::MAX);
        let count = (wanted.per_s * f64::from(wanted.seconds)) as usize;
        let mut arrivals = scattered(&trace, wanted, count);
        if arrivals.len() < count || count == 0 {
            return Err(TimetableError::Short { found: arrivals.len(), wanted: count.max(1) });
        }
        arrivals.sort_by(|a, b| a.ms.total_cmp(&b.ms));
        arrivals.truncate(count);
        let spanned_ms = arrivals.last().map_or(0.0, |a| a.ms);
        let factor = spanned_ms / (f64::from(wanted.seconds) * 1000.0);
        if factor < 1.0 {
            return Err(TimetableError::Busy { per_s: count as f64 * 1000.0 / spanned_ms.max(1.0) });
        }
        arrivals.iter_mut().for_each(|a| a.ms /= factor);
        Ok(Self { factor, start: trace.start, arrivals })
    }
}

/// At least the first `count` requests, at the times of the trace.
fn scattered(trace: &Trace, wanted: &Wanted, count: usize) -> Vec<Arrival> {
    let spread = if trace.bucket_names.len() < wanted.nodes { Spread::Request } else { Spread::Rank };
    let mut spreader = Spreader::new(spread, wanted.nodes, wanted.seed, trace);
    let mut random = ChaCha8Rng::seed_from_u64(wanted.seed);
    let mut arrivals: Vec<Arrival> = Vec::with_capacity(count);
    let mut last = 0;
    for row in 0..trace.rows() {
        // Only whole seconds: which of a second's requests come first is not known.
        if arrivals.len() >= count && trace.seconds[row] != last {
            break;
        }
        last = trace.seconds[row];
        for part in spreader.split(trace, row) {
            let at = |random: &mut ChaCha8Rng| (f64::from(last) + random.random::<f64>()) * 1000.0;
            arrivals.extend((0..part.requests).map(|_| Arrival { ms: at(&mut random), node: part.node, bucket: trace.buckets[row] }));
        }
    }
    arrivals
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted = Wanted { per_s: 10.0, seconds: 6, from: 0.0, buckets: 8, nodes: 2, seed: 1 };

    /// `requests` of each of two buckets in every one of `seconds`.
    fn trace(seconds: u32, requests: u32) -> Trace {
        let rows = 2 * seconds as usize;
        Trace {
            start: 1_000,
            length: seconds,
            seconds: (0..seconds).flat_map(|s| [s, s]).collect(),
            nodes: vec![0; rows],
            buckets: (0..rows as u32).map(|row| row % 2).collect(),
            requests: vec![requests; rows],
            bytes_mean: vec![f32::NAN; rows],
            errors: vec![0; rows],
            node_names: vec!["n".into()],
            bucket_names: vec!["a".into(), "b".into()],
        }
    }

    #[test]
    fn as_many_requests_as_asked_for_fill_the_time_asked_for() {
        let timetable = Timetable::new(&trace(300, 1), &WANTED).unwrap();
        assert_eq!(timetable.arrivals.len(), 60);
        assert!((4.9..5.1).contains(&timetable.factor), "30 s of the trace in 6: {}", timetable.factor);
        let times: Vec<f64> = timetable.arrivals.iter().map(|a| a.ms).collect();
        assert!(times.is_sorted() && times[0] >= 0.0 && (times[59] - 6_000.0).abs() < 1e-6, "{times:?}");
    }

    #[test]
    fn each_bucket_is_at_one_node_and_single_requests_where_there_are_too_few_buckets() {
        let timetable = Timetable::new(&trace(300, 1), &WANTED).unwrap();
        assert!(timetable.arrivals.iter().all(|a| a.node == a.bucket as usize));
        let few = Timetable::new(&trace(300, 1), &Wanted { nodes: 3, ..WANTED }).unwrap();
        for node in 0..3 {
            assert!(few.arrivals.iter().any(|a| a.node == node && a.bucket == 0), "node {node}");
        }
    }

    #[test]
    fn it_begins_where_it_is_told_to() {
        let timetable = Timetable::new(&trace(300, 1), &Wanted { from: 0.5, ..WANTED }).unwrap();
        assert_eq!(timetable.start, 1_150);
    }

    #[test]
    fn a_trace_that_is_too_short_or_too_busy_is_refused() {
        let refused = |trace: &Trace| Timetable::new(trace, &WANTED).unwrap_err().to_string();
        assert!(refused(&trace(29, 1)).starts_with("58 requests follow in the trace where 60 are needed"));
        assert!(refused(&trace(300, 50)).contains("more than --rate"));
    }
}
