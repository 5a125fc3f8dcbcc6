//! The way of a rate table from planner to node: a store that is stale for a while, and nodes that poll it.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_wire::RateTable;

use crate::contender::Leased;

/// Staleness of the store and interval of the polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Staleness {
    /// Seconds from publication until every reader sees it.
    pub delay_s: u32,
    /// Seconds between two polls of a node; 0 and 1 are both every second.
    pub poll_s: u32,
}

/// A store of rate tables on simulated time.
#[derive(Debug, Default)]
pub struct Kv {
    staleness: Staleness,
    published: u64,
    /// By second of arrival, then in order of publication.
    due: BTreeMap<(u32, u64), Leased>,
}

impl Kv {
    /// An empty store.
    pub fn new(staleness: Staleness) -> Self {
        Self { staleness, ..Self::default() }
    }

    /// Publishes the table of `node` at `second`.
    pub fn publish(&mut self, node: usize, table: Arc<RateTable>, second: u32) {
        let arrival = self.next_poll(node, second + self.staleness.delay_s);
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
        let mut kv = Kv::new(Staleness { delay_s: 30, poll_s: 0 });
        kv.publish(0, table(1), 60);
        assert!(kv.polled_by(89).is_none());
        assert_eq!(kv.polled_by(90).map(|(second, node, t)| (second, node, t.epoch)), Some((90, 0, 1)));
        assert!(kv.polled_by(1000).is_none());
    }

    #[test]
    fn a_table_waits_for_the_next_poll_of_its_node() {
        let mut kv = Kv::new(Staleness { delay_s: 0, poll_s: 10 });
        kv.publish(0, table(1), 60);
        kv.publish(3, table(1), 60);
        kv.publish(3, table(2), 64);
        let arrivals: Vec<(u32, u64)> = std::iter::from_fn(|| kv.polled_by(100)).map(|(second, _, t)| (second, t.epoch)).collect();
        assert_eq!(arrivals, [(60, 1), (63, 1), (73, 2)]);
    }
}
