//! Rate tables as they are served: written out once per table, then handed out as they are.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use axum::{body::Bytes, http::HeaderValue};
use tidegate_wire::RateTable;
use tokio::sync::watch;

/// One node's table in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct ServedTable {
    /// The table as JSON.
    pub body: Bytes,
    /// Its strong validator, made of the epoch.
    pub etag: HeaderValue,
    /// Its epoch.
    pub epoch: u64,
}

impl ServedTable {
    fn new(table: &RateTable) -> Result<Self, serde_json::Error> {
        Ok(Self { body: serde_json::to_vec(table)?.into(), etag: etag_of(table.epoch), epoch: table.epoch })
    }
}

/// All tables in force, and a bell that rings when some have changed.
#[derive(Debug)]
pub struct ServedRates {
    tables: ArcSwap<HashMap<String, Arc<ServedTable>>>,
    changes: watch::Sender<u64>,
}

impl Default for ServedRates {
    fn default() -> Self {
        Self { tables: ArcSwap::default(), changes: watch::Sender::new(0) }
    }
}

impl ServedRates {
    /// The table of `node`.
    pub fn get(&self, node: &str) -> Option<Arc<ServedTable>> {
        self.tables.load().get(node).cloned()
    }

    /// Wakes after every call of [`ServedRates::update`].
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Takes in the tables of a plan: a node without one is no longer served, and one whose epoch is not above that of the table
    /// in force keeps that. Called by one task at a time.
    pub fn update<'a>(&self, tables: impl IntoIterator<Item = &'a Arc<RateTable>>) {
        let before = self.tables.load();
        let mut all = HashMap::with_capacity(before.len());
        for table in tables {
            let in_force = before.get(&table.node).filter(|served| served.epoch >= table.epoch);
            let served = match in_force {
                Some(served) => Ok(served.clone()),
                None => ServedTable::new(table).map(Arc::new),
            };
            match served {
                Ok(served) => drop(all.insert(table.node.clone(), served)),
                Err(error) => tracing::error!(node = table.node, %error, "a rate table cannot be written as JSON"),
            }
        }
        self.tables.store(Arc::new(all));
        self.changes.send_modify(|n| *n += 1);
    }
}

fn etag_of(epoch: u64) -> HeaderValue {
    // Digits in quotes are a legal header value.
    HeaderValue::try_from(format!("\"{epoch}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_wire::{BucketRates, Mode, PoolRates, TABLE_VERSION, Timestamp};

    fn table(epoch: u64) -> RateTable {
        RateTable {
            version: TABLE_VERSION,
            node: "a".into(),
            epoch,
            issued_at: Timestamp::from_secs(0),
            step_s: 30,
            expires_at: Timestamp::from_secs(300),
            mode: Mode::Enforce,
            instances: 1,
            pool: PoolRates::default(),
            default: BucketRates::default(),
            buckets: Default::default(),
            shards: vec![],
        }
    }

    #[test]
    fn an_older_epoch_never_replaces_a_newer_one() {
        let rates = ServedRates::default();
        rates.update([&Arc::new(table(7))]);
        rates.update([&Arc::new(table(6))]);
        let served = rates.get("a").unwrap();
        assert_eq!((served.epoch, served.etag.to_str().unwrap()), (7, "\"7\""));
        assert_eq!(serde_json::from_slice::<RateTable>(&served.body).unwrap(), table(7));
        assert_eq!(rates.get("b"), None);
        rates.update([]);
        assert_eq!(rates.get("a"), None, "a node that was forgotten is not served");
    }
}
