//! Which node a request arrives at.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tidegate_trace::Trace;

/// Requests of one row that are scattered one by one.
const SCATTERED: u32 = 100_000;

/// How the requests of a trace are spread over nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Spread {
    /// `own` if the trace has more than one node; else `request` if it has fewer than two buckets per node; else `hash`.
    Auto,
    /// The nodes of the trace itself.
    Own,
    /// Each bucket at one node, by a seeded hash of its name.
    Hash,
    /// Each bucket at one node, dealt out in order of requests.
    Rank,
    /// Each request at a random node, seeded.
    Request,
}

/// Deals out the rows of one trace.
pub struct Spreader {
    spread: Spread,
    nodes: usize,
    seed: u64,
    random: ChaCha8Rng,
}

/// The part of a row that one node gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Index of the node.
    pub node: usize,
    /// Requests that arrive there.
    pub requests: u32,
    /// Of them, how many would fail at the origin.
    pub errors: u32,
}

impl Spreader {
    /// Spreads `trace` over `nodes` nodes; `Own` keeps the trace's own number.
    pub fn new(spread: Spread, nodes: usize, seed: u64, trace: &Trace) -> Self {
        let spread = match spread {
            Spread::Auto if trace.node_names.len() > 1 => Spread::Own,
            Spread::Auto if trace.bucket_names.len() < 2 * nodes => Spread::Request,
            Spread::Auto => Spread::Hash,
            asked => asked,
        };
        Self { spread, nodes, seed, random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The spread that `Auto` came to.
    pub fn spread(&self) -> Spread {
        self.spread
    }

    /// Number of nodes that requests of `trace` arrive at.
    pub fn nodes(&self, trace: &Trace) -> usize {
        if self.spread == Spread::Own { trace.node_names.len() } else { self.nodes }
    }

    /// Deals out row `row` of `trace`, whose buckets are numbered in order of requests.
    pub fn split(&mut self, trace: &Trace, row: usize) -> Vec<Part> {
        let (requests, errors) = (trace.requests[row], trace.errors[row]);
        let bucket = trace.buckets[row] as usize;
        let node = match self.spread {
            Spread::Own => trace.nodes[row] as usize,
            Spread::Rank => bucket % self.nodes,
            Spread::Hash => (hash(self.seed, &trace.bucket_names[bucket]) % self.nodes as u64) as usize,
            Spread::Request | Spread::Auto => return self.scatter(requests, errors),
        };
        vec![Part { node, requests, errors }]
    }

    /// Sends each request to a node of its own choice; the first `errors` of them are those that fail. Of a flood, all but
    /// [`SCATTERED`] requests are dealt out evenly, which is what as many choices come to.
    fn scatter(&mut self, requests: u32, errors: u32) -> Vec<Part> {
        // Fits: there are 10,000 nodes at most.
        let nodes = self.nodes as u32;
        let even = requests.saturating_sub(SCATTERED) / nodes;
        let failed = (errors / nodes).min(even);
        let mut parts: Vec<Part> = (0..self.nodes).map(|node| Part { node, requests: even, errors: failed }).collect();
        let (requests, errors) = (requests - even * nodes, errors - failed * nodes);
        for i in 0..requests {
            let part = &mut parts[self.random.random_range(0..self.nodes)];
            part.requests += 1;
            part.errors += u32::from(i < errors);
        }
        parts.retain(|p| p.requests > 0);
        parts
    }
}

/// FNV-1a over seed and name, mixed once more so that its low bits are good.
fn hash(seed: u64, name: &str) -> u64 {
    let bytes = seed.to_le_bytes().into_iter().chain(name.bytes());
    let fnv = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(buckets: usize, nodes: usize) -> Trace {
        Trace {
            start: 0,
            length: 1,
            seconds: vec![0; buckets],
            nodes: (0..buckets as u32).map(|b| b % nodes as u32).collect(),
            buckets: (0..buckets as u32).collect(),
            requests: vec![1000; buckets],
            bytes_mean: vec![0.0; buckets],
            errors: vec![10; buckets],
            node_names: (0..nodes).map(|n| n.to_string()).collect(),
            bucket_names: (0..buckets).map(|b| format!("bucket {b}")).collect(),
        }
    }

    #[test]
    fn auto_goes_by_the_number_of_nodes_and_buckets() {
        for (buckets, nodes, expected) in [(100, 2, Spread::Own), (7, 1, Spread::Request), (8, 1, Spread::Hash)] {
            let trace = trace(buckets, nodes);
            assert_eq!(Spreader::new(Spread::Auto, 4, 0, &trace).spread(), expected, "{buckets} buckets, {nodes} nodes");
        }
    }

    #[test]
    fn requests_and_errors_are_neither_lost_nor_made() {
        let trace = trace(8, 1);
        for spread in [Spread::Own, Spread::Hash, Spread::Rank, Spread::Request] {
            let mut spreader = Spreader::new(spread, 4, 0, &trace);
            let parts = spreader.split(&trace, 3);
            assert_eq!(parts.iter().map(|p| p.requests).sum::<u32>(), 1000, "{spread:?}");
            assert_eq!(parts.iter().map(|p| p.errors).sum::<u32>(), 10, "{spread:?}");
            assert!(parts.iter().all(|p| p.node < spreader.nodes(&trace) && p.errors <= p.requests), "{spread:?}");
        }
    }

    #[test]
    fn a_scattered_row_reaches_all_nodes_about_evenly() {
        let trace = trace(1, 1);
        let parts = Spreader::new(Spread::Request, 4, 7, &trace).split(&trace, 0);
        assert_eq!(parts.len(), 4);
        assert!(parts.iter().all(|p| (180..320).contains(&p.requests)), "{parts:?}");
    }

    #[test]
    fn a_flood_is_scattered_whole_and_at_once() {
        let mut trace = trace(1, 1);
        (trace.requests[0], trace.errors[0]) = (u32::MAX, u32::MAX - 7);
        let parts = Spreader::new(Spread::Request, 4, 0, &trace).split(&trace, 0);
        assert_eq!(parts.iter().map(|p| u64::from(p.requests)).sum::<u64>(), u64::from(u32::MAX));
        assert_eq!(parts.iter().map(|p| u64::from(p.errors)).sum::<u64>(), u64::from(u32::MAX) - 7);
        assert!(parts.iter().all(|p| p.errors <= p.requests), "{parts:?}");
    }

    #[test]
    fn another_seed_scatters_otherwise() {
        let trace = trace(1, 1);
        let parts = |seed| Spreader::new(Spread::Request, 4, seed, &trace).split(&trace, 0);
        assert_eq!(parts(1), parts(1));
        assert_ne!(parts(1), parts(2));
    }

    #[test]
    fn the_hash_depends_on_the_seed_and_uses_every_node() {
        let trace = trace(200, 1);
        let nodes = |seed| -> Vec<usize> {
            let mut spreader = Spreader::new(Spread::Hash, 4, seed, &trace);
            (0..200).map(|row| spreader.split(&trace, row)[0].node).collect()
        };
        assert_ne!(nodes(1), nodes(2));
        assert_eq!(nodes(1), nodes(1));
        for node in 0..4 {
            assert!((25..80).contains(&nodes(1).iter().filter(|&&n| n == node).count()));
        }
    }
}
