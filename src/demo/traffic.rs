//! Which requests arrive at which node, second by second.

use anyhow::{Context, ensure};
use tidegate_trace::Trace;
use tidegate_wire::{Timestamp, check_bucket, check_node};

use super::args::Args;
use super::workload;

/// Length of a window, in seconds.
pub(super) const WINDOW_S: u32 = 30;
/// Nodes over which the trace of a single one is spread.
const NODES: usize = 4;
/// Buckets of a trace that are played.
const BUSIEST: usize = 300;

/// Requests for one bucket at one node in one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    pub second: u32,
    pub node: usize,
    pub bucket: usize,
    pub requests: u32,
    /// Of them, how many would fail at the origin.
    pub errors: u32,
}

/// All requests of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Traffic {
    /// Start of the first window.
    pub start: Timestamp,
    pub windows: u32,
    pub nodes: Vec<String>,
    pub buckets: Vec<String>,
    /// By bucket: whether its requests are abuse, which nobody wants admitted.
    pub abuse: Vec<bool>,
    arrivals: Vec<Arrival>,
    /// Where each second begins in `arrivals`, and the end.
    seconds: Vec<usize>,
}

impl Traffic {
    /// The traffic that the flags ask for.
    ///
    /// # Errors
    /// The trace cannot be read or holds too little.
    pub fn of(args: &Args) -> anyhow::Result<Self> {
        let Some(path) = &args.trace else { return Ok(workload::seeded(args.windows, args.seed)) };
        let trace = Trace::read(path).with_context(|| format!("--trace {}", path.display()))?;
        Self::of_trace(&trace, args.windows).with_context(|| format!("--trace {}", path.display()))
    }

    /// Puts `arrivals` in order of time.
    pub fn new(start: Timestamp, windows: u32, nodes: Vec<String>, buckets: Vec<String>, mut arrivals: Vec<Arrival>) -> Self {
        arrivals.sort_by_key(|a| (a.second, a.node, a.bucket));
        let seconds = (0..=windows * WINDOW_S).map(|s| arrivals.partition_point(|a| a.second < s)).collect();
        let abuse = vec![false; buckets.len()];
        Self { start, windows, nodes, buckets, abuse, arrivals, seconds }
    }

    /// The busiest stretch of a trace. The trace of a single node is dealt out over several: bucket by bucket, or request by
    /// request where there are too few buckets.
    fn of_trace(trace: &Trace, windows: u32) -> anyhow::Result<Self> {
        let trace = trace.busiest(BUSIEST);
        let (from, windows) = busiest_stretch(&trace, windows);
        ensure!(windows >= 2, "a trace of at least two whole windows of {WINDOW_S} s is needed");
        let trace = trace.span(from, windows * WINDOW_S);
        let own_nodes = trace.node_names.len() > 1;
        let nodes = if own_nodes { legal(&trace.node_names, "n", |id| check_node(id).is_ok()) } else { edge_names() };
        let by_bucket = trace.bucket_names.len() >= 2 * NODES;
        let mut arrivals = vec![];
        for row in 0..trace.rows() {
            let (second, bucket) = (trace.seconds[row], trace.buckets[row] as usize);
            let (requests, errors) = (trace.requests[row], trace.errors[row]);
            let arrival = |node, requests, errors| Arrival { second, node, bucket, requests, errors };
            match (own_nodes, by_bucket) {
                (true, _) => arrivals.push(arrival(trace.nodes[row] as usize, requests, errors)),
                (_, true) => arrivals.push(arrival(bucket % NODES, requests, errors)),
                _ => arrivals.extend((0..NODES).map(|n| arrival(n, dealt(requests, n, row), dealt(errors, n, row)))),
            }
        }
        arrivals.retain(|a| a.requests > 0);
        let buckets = legal(&trace.bucket_names, "b", |id| check_bucket(id).is_ok());
        Ok(Self::new(Timestamp::from_secs(trace.start), windows, nodes, buckets, arrivals))
    }

    /// Requests of a second, counted from the start.
    pub fn second(&self, second: u32) -> &[Arrival] {
        let second = second as usize;
        &self.arrivals[self.seconds[second]..self.seconds[second + 1]]
    }

    /// Requests that somebody wants admitted, per second on average over the whole run.
    pub fn mean_per_s(&self) -> f64 {
        let wanted: u64 = self.arrivals.iter().filter(|a| !self.abuse[a.bucket]).map(|a| u64::from(a.requests)).sum();
        wanted as f64 / f64::from(self.windows * WINDOW_S)
    }

    /// By node and bucket: its part of all requests that somebody wants admitted.
    pub fn shares(&self) -> Vec<Vec<f64>> {
        let mut shares = vec![vec![0.0; self.buckets.len()]; self.nodes.len()];
        let mut total = 0.0;
        for arrival in self.arrivals.iter().filter(|a| !self.abuse[a.bucket]) {
            shares[arrival.node][arrival.bucket] += f64::from(arrival.requests);
            total += f64::from(arrival.requests);
        }
        shares.iter_mut().flatten().for_each(|s| *s /= f64::max(total, 1.0));
        shares
    }
}

/// Names of the nodes where the traffic does not bring its own.
pub(super) fn edge_names() -> Vec<String> {
    ["edge-fra", "edge-iad", "edge-nrt", "edge-gru"].map(str::to_owned).to_vec()
}

/// The part of `n` that node `node` of [`NODES`] gets; `turn` decides who gets the rest.
fn dealt(n: u32, node: usize, turn: usize) -> u32 {
    let nodes = NODES as u32;
    n / nodes + u32::from(((node + turn) % NODES) < (n % nodes) as usize)
}

/// First second and number of windows of the stretch of `windows` aligned windows with the most requests.
fn busiest_stretch(trace: &Trace, windows: u32) -> (u32, u32) {
    let window = i64::from(WINDOW_S);
    let aligned = (window - trace.start.rem_euclid(window)) % window;
    let first = u32::try_from(aligned).unwrap_or(0);
    let whole = trace.length.saturating_sub(first) / WINDOW_S;
    let length = windows.min(whole) as usize;
    let mut per_window = vec![0u64; whole as usize];
    for row in 0..trace.rows() {
        let Some(window) = trace.seconds[row].checked_sub(first).map(|s| (s / WINDOW_S) as usize) else { continue };
        if let Some(sum) = per_window.get_mut(window) {
            *sum += u64::from(trace.requests[row]);
        }
    }
    let mut sum: u64 = per_window[..length].iter().sum();
    let (mut most, mut best) = (sum, 0);
    for end in length..per_window.len() {
        sum = sum + per_window[end] - per_window[end - length];
        if sum > most {
            (most, best) = (sum, end + 1 - length);
        }
    }
    (first + best as u32 * WINDOW_S, length as u32)
}

/// `names` where all of them are legal and none comes twice; else numbered ones.
fn legal(names: &[String], prefix: &str, is_legal: impl Fn(&str) -> bool) -> Vec<String> {
    if names.iter().all(|n| is_legal(n)) {
        return names.to_vec();
    }
    (0..names.len()).map(|i| format!("{prefix}{i}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(nodes: &[&str], buckets: usize, start: i64) -> Trace {
        let seconds: Vec<u32> = (0..600).collect();
        let rows = seconds.len();
        let names = |n: &[&str]| n.iter().map(|&s| s.to_owned()).collect::<Vec<_>>();
        Trace {
            start,
            length: 600,
            nodes: (0..rows as u32).map(|i| i % nodes.len() as u32).collect(),
            buckets: (0..rows as u32).map(|i| i % buckets as u32).collect(),
            requests: seconds.iter().map(|s| 10 + s).collect(),
            bytes_mean: vec![0.0; rows],
            errors: vec![0; rows],
            seconds,
            node_names: names(nodes),
            bucket_names: (0..buckets).map(|b| format!("GET /{b}")).collect(),
        }
    }

    #[test]
    fn the_busiest_aligned_stretch_of_a_trace_is_played() {
        let traffic = Traffic::of_trace(&trace(&["all"], 20, 1007), 4).unwrap();
        assert_eq!((traffic.start.as_secs() % 30, traffic.windows), (0, 4));
        assert_eq!(traffic.start.as_secs(), 1007 + 600 - 120 - 17);
        assert_eq!(traffic.second(0)[0].requests, 10 + 463);
        assert!(traffic.buckets.iter().all(|b| check_bucket(b).is_ok()));
        assert!(Traffic::of_trace(&trace(&["all"], 20, 1007).span(0, 40), 4).is_err());
    }

    #[test]
    fn no_request_is_lost_whatever_the_nodes() {
        for (nodes, buckets, expected) in [(&["all"][..], 3, 4), (&["all"], 20, 4), (&["a", "b"], 20, 2), (&["a/b", "c"], 20, 2)] {
            let trace = trace(nodes, buckets, 0);
            let traffic = Traffic::of_trace(&trace, 20).unwrap();
            let total: u64 = (0..600).flat_map(|s| traffic.second(s)).map(|a| u64::from(a.requests)).sum();
            assert_eq!((total, traffic.nodes.len()), (trace.total_requests(), expected));
            assert!(traffic.nodes.iter().all(|n| check_node(n).is_ok()));
            let shares: f64 = traffic.shares().iter().flatten().sum();
            assert!((shares - 1.0).abs() < 1e-9);
        }
    }
}
