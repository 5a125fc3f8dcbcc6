//! What one store has of each node, and so which tables of a new plan are due.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use tidegate_planner::Plan;
use tidegate_wire::RateTable;

use super::{change::reason, pack::Packed};

/// Keys to be removed that are remembered at most: what is beyond them is left to expire.
const UNNEEDED: usize = 100_000;

/// What one store has, by its own acknowledgements.
#[derive(Debug, Default)]
pub struct Ledger {
    nodes: BTreeMap<String, Held>,
    /// Keys in the store that no reader needs any more, those that were never tried to be removed first.
    unneeded: VecDeque<String>,
}

#[derive(Debug, Default)]
struct Held {
    /// The table that the store has; `None` after a write whose outcome is not known.
    table: Option<Arc<RateTable>>,
    /// Shards that this table names.
    shards: Vec<String>,
    /// Shards of the table before it, which a reader with an older head may still fetch.
    outgoing: Vec<String>,
}

impl Ledger {
    /// The tables of `plan` that should be written; first those that the store has none of, then those whose lease in the store
    /// ends first.
    pub fn due<'p>(&self, plan: &'p Plan, dead_band: f64) -> Vec<&'p Arc<RateTable>> {
        let is_due = |table: &&Arc<RateTable>| reason(self.held(&table.node), table, dead_band).is_some();
        let mut due: Vec<_> = plan.tables.values().filter(is_due).collect();
        due.sort_by_key(|table| self.held(&table.node).map(|held| held.expires_at));
        due
    }

    /// The table of `node` that the store is known to have.
    pub fn held(&self, node: &str) -> Option<&RateTable> {
        self.nodes.get(node)?.table.as_deref()
    }

    /// Notes that `table` has been written as `packed`, which leaves some shards unneeded.
    pub fn written(&mut self, table: &Arc<RateTable>, packed: &Packed) {
        let held = self.nodes.entry(table.node.clone()).or_default();
        held.table = Some(Arc::clone(table));
        let replaced = std::mem::replace(&mut held.shards, packed.shards.iter().map(|shard| shard.key.clone()).collect());
        self.unneeded.extend(std::mem::replace(&mut held.outgoing, replaced));
    }

    /// Notes that a write of `table` as `packed` failed, perhaps only in part: it is due again at the next plan.
    pub fn failed(&mut self, table: &RateTable, packed: Option<&Packed>) {
        let held = self.nodes.entry(table.node.clone()).or_default();
        held.table = None;
        held.outgoing.extend(packed.into_iter().flat_map(|p| p.shards.iter().map(|shard| shard.key.clone())));
    }

    /// Drops the nodes that `plan` no longer has: all their keys are unneeded. One that is back needs its own again.
    pub fn drop_vanished(&mut self, plan: &Plan) {
        if !self.unneeded.is_empty() {
            let needed: BTreeSet<String> = plan.tables.keys().map(|node| RateTable::key(node)).collect();
            self.unneeded.retain(|key| !needed.contains(key));
        }
        let unneeded = &mut self.unneeded;
        self.nodes.retain(|node, held| {
            if plan.tables.contains_key(node) {
                return true;
            }
            unneeded.push_back(RateTable::key(node));
            unneeded.extend(held.shards.drain(..).chain(held.outgoing.drain(..)));
            false
        });
    }

    /// How many keys are in the store that no reader needs any more.
    pub fn unneeded(&self) -> usize {
        self.unneeded.len()
    }

    /// Takes up to `most` of those keys, to be removed.
    pub fn take_unneeded(&mut self, most: usize) -> Vec<String> {
        self.unneeded.drain(..most.min(self.unneeded.len())).collect()
    }

    /// Notes that `keys` are still there: their turn comes again after all others.
    pub fn not_removed(&mut self, keys: impl IntoIterator<Item = String>) {
        self.unneeded.extend(keys);
        let beyond = self.unneeded.len().saturating_sub(UNNEEDED);
        if beyond > 0 {
            tracing::warn!(keys = beyond, "so many keys cannot be removed that some are left to expire");
            self.unneeded.drain(..beyond);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::{
        pack::pack,
        store::Limits,
        testing::{edit, plan, table},
    };

    fn packed(table: &RateTable) -> Packed {
        let limits = Limits { batch_pairs: 10, batch_bytes: 1 << 20, key_bytes: 512, value_bytes: 600, writes_per_s: None };
        pack(table, &limits, 0).unwrap()
    }

    fn due(ledger: &Ledger, plan: &Plan) -> Vec<String> {
        ledger.due(plan, 0.05).into_iter().map(|table| table.node.clone()).collect()
    }

    #[test]
    fn what_was_written_is_not_due_again_and_what_failed_is() {
        let mut ledger = Ledger::default();
        let first = plan(1, &["a", "b", "c"]);
        assert_eq!(due(&ledger, &first).len(), 3);
        ledger.written(&first.tables["a"], &packed(&first.tables["a"]));
        ledger.written(&first.tables["b"], &packed(&first.tables["b"]));
        ledger.written(&first.tables["c"], &packed(&first.tables["c"]));
        ledger.failed(&first.tables["c"], None);
        assert_eq!(due(&ledger, &plan(2, &["a", "b", "c"])), ["c"]);
    }

    #[test]
    fn the_most_urgent_comes_first() {
        let mut ledger = Ledger::default();
        let mut next = plan(2, &["changed", "ends-soon", "ends-sooner", "unknown"]);
        for (node, left_s) in [("changed", 300), ("ends-soon", 140), ("ends-sooner", 20)] {
            let mut held = table(node, 1, 3);
            held.expires_at = held.issued_at.plus_secs(left_s);
            held.issued_at = held.expires_at.plus_secs(-300);
            ledger.written(&Arc::new(held.clone()), &packed(&held));
        }
        edit(&mut next, "changed").pool.refill_per_s = vec![1.0];
        assert_eq!(due(&ledger, &next), ["unknown", "ends-sooner", "ends-soon", "changed"]);
    }

    #[test]
    fn shards_outlive_the_table_that_named_them_by_one() {
        let mut ledger = Ledger::default();
        for epoch in 1..=3 {
            assert_eq!(ledger.unneeded(), 0, "before epoch {epoch}");
            let table = Arc::new(table("n", epoch, 20));
            ledger.written(&table, &packed(&table));
        }
        let first: Vec<_> = packed(&table("n", 1, 20)).shards.into_iter().map(|shard| shard.key).collect();
        assert!(!first.is_empty());
        assert_eq!(ledger.take_unneeded(usize::MAX), first);
        assert_eq!(ledger.unneeded(), 0);
    }

    #[test]
    fn a_vanished_node_leaves_no_key_behind() {
        let mut ledger = Ledger::default();
        let (written, failed) = (Arc::new(table("n", 1, 20)), table("n", 2, 20));
        ledger.written(&written, &packed(&written));
        ledger.failed(&failed, Some(&packed(&failed)));
        ledger.drop_vanished(&plan(3, &["other"]));
        let mut expected: BTreeSet<_> = [&*written, &failed].iter().flat_map(|t| packed(t).shards).map(|s| s.key).collect();
        expected.insert("tidegate-v1-rates-n".into());
        let keys = ledger.take_unneeded(usize::MAX);
        assert_eq!(keys.iter().cloned().collect::<BTreeSet<_>>(), expected);
        ledger.not_removed(keys);
        ledger.drop_vanished(&plan(4, &["n"]));
        assert!(expected.remove("tidegate-v1-rates-n"));
        let keys = ledger.take_unneeded(usize::MAX).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(keys, expected, "a node that is back needs its own key, but not its old shards");
    }

    #[test]
    fn keys_that_cannot_be_removed_let_others_go_first_and_are_not_kept_without_end() {
        let mut ledger = Ledger::default();
        ledger.not_removed(["a", "b", "c"].map(String::from));
        assert_eq!(ledger.take_unneeded(2), ["a", "b"]);
        ledger.not_removed(["b".into()]);
        assert_eq!(ledger.take_unneeded(5), ["c", "b"]);
        ledger.not_removed((0..UNNEEDED + 3).map(|i| i.to_string()));
        assert_eq!((ledger.unneeded(), ledger.take_unneeded(1)), (UNNEEDED, vec!["3".into()]));
    }
}
