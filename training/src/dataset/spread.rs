//! Over which nodes the requests of a trace arrive, as the replay spreads them by default.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// How a trace is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// It has several nodes of its own.
    Own,
    /// Each bucket at one node, by a hash of its name.
    Hash(usize),
    /// Each request at a random node: there are too few buckets to go round.
    Scatter(usize),
}

impl Spread {
    /// The spread for a trace of so many nodes and buckets over `nodes` nodes.
    pub fn of(own_nodes: usize, buckets: usize, nodes: usize) -> Self {
        match () {
            () if own_nodes > 1 => Self::Own,
            () if buckets < 2 * nodes => Self::Scatter(nodes),
            () => Self::Hash(nodes),
        }
    }
}

/// The node of a bucket among `nodes`: FNV-1a of its name, mixed so that the low bits are good.
pub fn node_of(bucket: &str, nodes: usize) -> u32 {
    let fnv = bucket.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    ((mixed ^ (mixed >> 32)) % nodes as u64) as u32
}

/// `count` requests, each sent to one of `nodes` nodes at random.
pub fn scatter(count: u64, nodes: usize, rng: &mut ChaCha8Rng) -> Vec<u64> {
    let mut parts = vec![0; nodes];
    for _ in 0..count {
        parts[rng.random_range(0..nodes)] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn a_bucket_stays_at_its_node_and_all_nodes_are_used() {
        assert_eq!(node_of("GET /a", 4), node_of("GET /a", 4));
        let mut used = [0; 4];
        (0..200).for_each(|i| used[node_of(&format!("b{i}"), 4) as usize] += 1);
        assert!(used.iter().all(|&n| n > 25), "{used:?}");
    }

    #[test]
    fn scattering_loses_no_request() {
        let parts = scatter(1000, 4, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(parts.iter().sum::<u64>(), 1000);
        assert!(parts.iter().all(|&p| p > 180), "{parts:?}");
    }

    #[test]
    fn the_trace_decides_how_it_is_spread() {
        assert_eq!(Spread::of(3, 1, 4), Spread::Own);
        assert_eq!(Spread::of(1, 7, 4), Spread::Scatter(4));
        assert_eq!(Spread::of(1, 8, 4), Spread::Hash(4));
    }
}
