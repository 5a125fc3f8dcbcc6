//! The way of a rate table from planner to node: a store that is stale for a while, and nodes that poll it.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_wire::RateTable;

use crate::{arrivals::mix, contender::Leased};

/// Staleness of the store and interval of the polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Staleness {
    /// Seconds from publication until every reader sees it.
    pub delay_s: u32,
    /// Most seconds that a node sees a table later than that, at random for each table and node.
    pub jitter_s: u32,
    /// Seconds between two polls of a node; 0 and 1 are both every second.
    pub poll_s: u32,
}

impl Staleness {
    /// The same `delay_s` for every table.
    pub fn fixed(delay_s: u32) -> Self {
        Self { delay_s, ..Self::default() }
    }
}

/// A store of rate tables on simulated time.
#[derive(Debug, Default)]
pub struct Kv {
    staleness: Staleness,
    seed: u64,
    published: u64,
    /// By second of arrival, then in order of publication.
    due: BTreeMap<(u32, u64), Leased>,
}

impl Kv {
    /// An empty store; `seed` is that of its jitter.
    pub fn new(staleness: Staleness, seed: u64) -> Self {
        Self { staleness, seed, ..Self::default() }
    }

    /// Publishes the table of `node` at `second`.
    pub fn publish(&mut self, node: usize, table: Arc<RateTable>, second: u32) {
        let arrival = self.next_poll(node, second + self.staleness.delay_s + self.jitter());
        self.due.insert((arrival, self.published), (node, table));
        self.published += 1;
    }

    /// Removes the next table that a node has polled by `second`: when, which node, what.
    pub fn polled_by(&mut self, second: u32) -> Option<(u32, usize, Arc<RateTable>)> {
        let entry = self.due.first_entry().filter(|e| e.key().0 <= second)?;
        let arrival = entry.key().0;
        let (node, table) = entry.remove();
        Some((arrival, node, table))
    }

    fn jitter(&self) -> u32 {
        // Fits: at most what is asked for.
        (mix(self.seed ^ mix(self.published)) % (u64::from(self.staleness.jitter_s) + 1)) as u32
    }

    /// First second from `second` on at which `node` polls. Nodes poll one after the other, not all at once.
    fn next_poll(&self, node: usize, second: u32) -> u32 {
        let every = self.staleness.poll_s.max(1);
        let phase = (node % every as usize) as u32;
        second + (phase + every - second % every) % every
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease;

    fn table(epoch: u64) -> Arc<RateTable> {
        Arc::new(RateTable { epoch, ..lease::fixed(0, 0, 1.0, 1.0) })
    }

    #[test]
    fn a_table_arrives_after_the_delay_and_not_before() {
        let mut kv = Kv::new(Staleness::fixed(30), 0);
        kv.publish(0, table(1), 60);
        assert!(kv.polled_by(89).is_none());
        assert_eq!(kv.polled_by(90).map(|(second, node, t)| (second, node, t.epoch)), Some((90, 0, 1)));
        assert!(kv.polled_by(1000).is_none());
    }

    #[test]
    fn a_table_waits_for_the_next_poll_of_its_node() {
        let mut kv = Kv::new(Staleness { poll_s: 10, ..Staleness::default() }, 0);
        kv.publish(0, table(1), 60);
        kv.publish(3, table(1), 60);
        kv.publish(3, table(2), 64);
        let arrivals: Vec<(u32, u64)> = std::iter::from_fn(|| kv.polled_by(100)).map(|(second, _, t)| (second, t.epoch)).collect();
        assert_eq!(arrivals, [(60, 1), (63, 1), (73, 2)]);
    }

    #[test]
    fn jitter_delays_each_table_by_its_own_number_of_seconds() {
        let mut kv = Kv::new(Staleness { jitter_s: 2, ..Staleness::fixed(10) }, 7);
        (0..50).for_each(|epoch| kv.publish(0, table(epoch), 0));
        let late: Vec<u32> = std::iter::from_fn(|| kv.polled_by(100)).map(|(second, ..)| second - 10).collect();
        assert!((0..=2).all(|s| late.contains(&s)) && late.iter().all(|s| *s <= 2), "{late:?}");
    }
}
