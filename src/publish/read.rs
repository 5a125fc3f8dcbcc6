//! Reading a table back from a store: the other side of [`super::pack`].

use tidegate_wire::{RateShard, RateTable, TABLE_VERSION};

use super::store::{RateStore, StoreError};

/// Why there is no table to be had; a reader keeps the one that it has.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store did not answer.
    #[error("{key}: {source}")]
    Store {
        /// The key asked for.
        key: String,
        /// What the store said.
        source: StoreError,
    },
    /// The value is not what should be there.
    #[error("{key} is not a part of a rate table: {source}")]
    Parse {
        /// The key of the value.
        key: String,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The value is of another version of the contract.
    #[error("{key} is of version {found}, this program reads {TABLE_VERSION}")]
    Version {
        /// The key of the value.
        key: String,
        /// Its version.
        found: u32,
    },
    /// A shard is missing or belongs to another table: a newer one is being written. Read again.
    #[error("{key} does not belong to the table that names it: read again")]
    Torn {
        /// The shard's key.
        key: String,
    },
}

/// The table of `node`, with its shards put together; `None` when the store has none.
///
/// # Errors
/// [`ReadError`], each kind naming the key.
pub async fn read_table(store: &dyn RateStore, node: &str) -> Result<Option<RateTable>, ReadError> {
    let key = RateTable::key(node);
    let Some(head) = value(store, &key).await? else { return Ok(None) };
    let mut table: RateTable = serde_json::from_slice(&head).map_err(|source| ReadError::Parse { key: key.clone(), source })?;
    check_version(&key, table.version)?;
    for key in std::mem::take(&mut table.shards) {
        let Some(part) = value(store, &key).await? else { return Err(ReadError::Torn { key }) };
        let shard: RateShard = serde_json::from_slice(&part).map_err(|source| ReadError::Parse { key: key.clone(), source })?;
        check_version(&key, shard.version)?;
        if (shard.node.as_str(), shard.epoch) != (table.node.as_str(), table.epoch) {
            return Err(ReadError::Torn { key });
        }
        table.buckets.extend(shard.buckets);
    }
    Ok(Some(table))
}

async fn value(store: &dyn RateStore, key: &str) -> Result<Option<bytes::Bytes>, ReadError> {
    store.get(key).await.map_err(|source| ReadError::Store { key: key.to_owned(), source })
}

fn check_version(key: &str, found: u32) -> Result<(), ReadError> {
    if found == TABLE_VERSION {
        return Ok(());
    }
    Err(ReadError::Version { key: key.to_owned(), found })
}
