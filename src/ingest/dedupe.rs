//! Which reports have come before: by node, instance and sequence number.
//!
//! Each instance has a sliding window over its last [`WINDOW`] sequence numbers. [`Bounds`] keep the memory bounded: what was
//! used longest ago is forgotten first, and a report of what has been forgotten is new, if it is young enough to be taken at all.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use tidegate_wire::Report;

/// Sequence numbers of an instance that are told apart, the highest and those below it.
pub const WINDOW: u64 = 1024;

const WORDS: usize = (WINDOW / 64) as usize;

/// How many senders are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Nodes.
    pub nodes: usize,
    /// Instances of one node.
    pub instances_per_node: usize,
}

/// What the index knows of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It has not come before.
    Never,
    /// It has come before.
    Before,
    /// Its sequence number is below the window, so nothing is known of it.
    TooOld {
        /// Highest sequence number of the instance.
        highest: u64,
    },
}

/// The reports that have come before.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Index {
    nodes: HashMap<String, Node>,
    /// Counts insertions: the time by which the least recently used goes first.
    clock: u64,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Node {
    instances: HashMap<String, Sequences>,
    used: u64,
}

/// Bit `n % WINDOW` stands for sequence number `n`, for the `WINDOW` numbers up to `highest`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Sequences {
    highest: u64,
    bits: [u64; WORDS],
    used: u64,
}

impl Index {
    /// What is known of `report`.
    pub fn seen(&self, report: &Report) -> Seen {
        let instances = self.nodes.get(&report.node).map(|n| &n.instances);
        instances.and_then(|i| i.get(instance(report))).map_or(Seen::Never, |s| s.seen(report.sequence))
    }

    /// Remembers `report`, forgetting the instances or the nodes used longest ago when there are too many.
    pub fn insert(&mut self, report: &Report, bounds: Bounds) {
        self.clock += 1;
        let used = self.clock;
        make_room(&mut self.nodes, &report.node, bounds.nodes, |n| n.used);
        let node = self.nodes.entry(report.node.clone()).or_default();
        node.used = used;
        let instance = instance(report);
        make_room(&mut node.instances, instance, bounds.instances_per_node, |s| s.used);
        let sequences = node.instances.entry(instance.to_owned()).or_default();
        sequences.used = used;
        sequences.insert(report.sequence);
    }
}

impl Sequences {
    fn seen(&self, n: u64) -> Seen {
        if n > self.highest {
            return Seen::Never;
        }
        if self.highest - n >= WINDOW {
            return Seen::TooOld { highest: self.highest };
        }
        let (word, bit) = place(n);
        if self.bits[word] & bit == 0 { Seen::Never } else { Seen::Before }
    }

    fn insert(&mut self, n: u64) {
        if n > self.highest {
            if n - self.highest >= WINDOW {
                self.bits = [0; WORDS];
            } else {
                (self.highest + 1..n).for_each(|skipped| self.clear(skipped));
            }
            self.highest = n;
        }
        let (word, bit) = place(n);
        self.bits[word] |= bit;
    }

    fn clear(&mut self, n: u64) {
        let (word, bit) = place(n);
        self.bits[word] &= !bit;
    }
}

fn place(n: u64) -> (usize, u64) {
    let slot = n % WINDOW;
    ((slot / 64) as usize, 1 << (slot % 64))
}

/// A node that names no instance is its own, and no instance has an empty name.
fn instance(report: &Report) -> &str {
    report.instance.as_deref().unwrap_or("")
}

/// Forgets the eighth of `map` used longest ago when `key` would not fit, so that the scan for it is seldom.
fn make_room<V>(map: &mut HashMap<String, V>, key: &str, most: usize, used: impl Fn(&V) -> u64) {
    if map.len() < most || map.contains_key(key) {
        return;
    }
    let mut times: Vec<u64> = map.values().map(&used).collect();
    times.sort_unstable();
    let newest_forgotten = times.get(most / 8).or(times.last()).copied().unwrap_or(0);
    map.retain(|_, v| used(v) > newest_forgotten);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    use super::*;

    const BOUNDS: Bounds = Bounds { nodes: 2, instances_per_node: 64 };

    fn report(instance: Option<&str>, sequence: u64) -> Report {
        let instance = instance.map(Into::into);
        Report {
            node: "n".into(),
            instance,
            sequence,
            epoch: None,
            staleness_ms: None,
            start: Default::default(),
            seconds: 30,
            cpu: None,
            memory: None,
            buckets: vec![],
        }
    }

    #[test]
    fn instances_have_sequences_of_their_own() {
        let mut index = Index::default();
        index.insert(&report(Some("a"), 7), BOUNDS);
        assert_eq!(index.seen(&report(Some("a"), 7)), Seen::Before);
        assert_eq!(index.seen(&report(Some("a"), 6)), Seen::Never);
        assert_eq!(index.seen(&report(Some("b"), 7)), Seen::Never);
        assert_eq!(index.seen(&report(None, 7)), Seen::Never);
    }

    #[test]
    fn the_instance_used_longest_ago_is_forgotten_first() {
        let mut index = Index::default();
        for i in 0..BOUNDS.instances_per_node {
            index.insert(&report(Some(&format!("i{i}")), 1), BOUNDS);
        }
        index.insert(&report(Some("i0"), 2), BOUNDS);
        index.insert(&report(Some("new"), 1), BOUNDS);
        assert_eq!(index.seen(&report(Some("i0"), 1)), Seen::Before, "used again");
        assert_eq!(index.seen(&report(Some("i1"), 1)), Seen::Never, "forgotten");
        assert_eq!(index.seen(&report(Some(&format!("i{}", BOUNDS.instances_per_node - 1)), 1)), Seen::Before);
        assert!(index.nodes["n"].instances.len() <= BOUNDS.instances_per_node);
    }

    #[test]
    fn no_more_nodes_are_kept_than_the_bound_says() {
        for nodes in 1..10 {
            let mut index = Index::default();
            for i in 0..30 {
                index.insert(&Report { node: format!("n{i}"), ..report(None, 1) }, Bounds { nodes, ..BOUNDS });
                assert!(index.nodes.len() <= nodes, "{nodes}");
                assert!(index.nodes.contains_key(&format!("n{i}")));
            }
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_set_of_all_that_came(steps in proptest::collection::vec(prop_oneof![0u64..3000, 0u64..40, Just(u64::MAX), Just(u64::MAX - 1)], 1..300)) {
            let (mut index, mut all) = (Index::default(), BTreeSet::new());
            for n in steps {
                let highest = all.last().copied().unwrap_or(0);
                let expected = match () {
                    () if all.contains(&n) && highest - n < WINDOW => Seen::Before,
                    () if n < highest && highest - n >= WINDOW => Seen::TooOld { highest },
                    () => Seen::Never,
                };
                prop_assert_eq!(index.seen(&report(None, n)), expected, "sequence {}", n);
                if expected == Seen::Never {
                    index.insert(&report(None, n), BOUNDS);
                    all.insert(n);
                }
            }
        }
    }
}
