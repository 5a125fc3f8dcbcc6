//! The default store: one file in the data directory, no server.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError, WriteTransaction};
use tidegate_wire::Timestamp;
use tokio::task;

use super::store::{BatchOutcome, Entry, Limits, RateStore, StoreError};
use crate::clock::Clock;

/// Key to (expiry in milliseconds since the Unix epoch, value).
const RATES: TableDefinition<&str, (i64, &[u8])> = TableDefinition::new("rates");
/// The same keys in the order of their expiry.
const EXPIRY: TableDefinition<(i64, &str), ()> = TableDefinition::new("expiry");
/// Single numbers by name.
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
const HIGHEST_EPOCH: &str = "highest_epoch";

const LIMITS: Limits = Limits { batch_pairs: 10_000, batch_bytes: 64 << 20, key_bytes: 512, value_bytes: 16 << 20, writes_per_s: None };

/// Rate tables in an embedded database. Each batch is one transaction, on disk when the call returns.
pub struct EmbeddedStore {
    file: Arc<File>,
    limits: Limits,
}

struct File {
    database: Database,
    clock: Arc<dyn Clock>,
}

impl EmbeddedStore {
    /// Opens or creates the file at `path`. Values expire by `clock`.
    ///
    /// # Errors
    /// [`StoreError::Refused`] naming the file, when it is in use by another process or is not a store.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let named = |error: redb::Error| StoreError::Refused(format!("{}: {error}", path.display()));
        let database = Database::create(path).map_err(|e| named(e.into()))?;
        Ok(Self { file: Arc::new(File { database, clock }), limits: LIMITS })
    }

    /// The same store with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Runs `job` where it may wait for the disk.
    async fn on_disk<T: Send + 'static>(
        &self,
        job: impl FnOnce(&File) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let file = Arc::clone(&self.file);
        let done = task::spawn_blocking(move || job(&file)).await;
        done.map_err(|e| StoreError::Refused(e.to_string()))?.map_err(|e| StoreError::Refused(e.to_string()))
    }
}

#[async_trait]
impl RateStore for EmbeddedStore {
    fn name(&self) -> &str {
        "embedded"
    }

    fn limits(&self) -> Limits {
        self.limits.clone()
    }

    async fn put_batch(&self, entries: &[Entry]) -> BatchOutcome {
        let (batch, limits) = (entries.to_vec(), self.limits.clone());
        let written = self.on_disk(move |file| file.put(&batch, &limits)).await;
        written.unwrap_or_else(|e| BatchOutcome::all_failed(entries.iter().map(|e| e.key.as_str()), &e))
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let key = key.to_owned();
        self.on_disk(move |file| file.get(&key)).await
    }

    async fn delete(&self, keys: &[String], epoch: u64) -> BatchOutcome {
        let batch = keys.to_vec();
        let deleted = self.on_disk(move |file| file.delete(&batch, epoch)).await;
        deleted.unwrap_or_else(|e| BatchOutcome::all_failed(keys.iter().map(String::as_str), &e))
    }

    async fn highest_epoch(&self) -> Result<u64, StoreError> {
        self.on_disk(File::highest_epoch).await
    }
}

impl File {
    fn put(&self, entries: &[Entry], limits: &Limits) -> Result<BatchOutcome, redb::Error> {
        let mut outcome = BatchOutcome::default();
        let transaction = self.database.begin_write()?;
        {
            let mut rates = Rates::open(&transaction)?;
            rates.sweep(self.clock.now())?;
            for entry in entries {
                let admitted = limits.admit(entry).and_then(|()| rates.pass_fence(entry.epoch));
                match admitted {
                    Ok(()) => rates.insert(entry)?,
                    Err(error) => outcome.failed.push((entry.key.clone(), error)),
                }
            }
            rates.save_fence()?;
        }
        transaction.commit()?;
        Ok(outcome)
    }

    fn delete(&self, keys: &[String], epoch: u64) -> Result<BatchOutcome, redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut rates = Rates::open(&transaction)?;
            if let Err(fenced) = rates.pass_fence(epoch) {
                return Ok(BatchOutcome::all_failed(keys.iter().map(String::as_str), &fenced));
            }
            for key in keys {
                rates.remove(key)?;
            }
            rates.save_fence()?;
        }
        transaction.commit()?;
        Ok(BatchOutcome::default())
    }

    // A read transaction that stays open keeps the file from reusing pages: each read copies and closes.
    fn get(&self, key: &str) -> Result<Option<Bytes>, redb::Error> {
        let rates = match self.database.begin_read()?.open_table(RATES) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            table => table?,
        };
        let Some(found) = rates.get(key)? else { return Ok(None) };
        let (expires_ms, value) = found.value();
        let live = expires_ms > self.clock.now().as_millis();
        Ok(live.then(|| Bytes::copy_from_slice(value)))
    }

    fn highest_epoch(&self) -> Result<u64, redb::Error> {
        let meta = match self.database.begin_read()?.open_table(META) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(0),
            table => table?,
        };
        Ok(meta.get(HIGHEST_EPOCH)?.map_or(0, |epoch| epoch.value()))
    }
}

/// The tables of one write transaction, and the fence within it.
struct Rates<'t> {
    rates: redb::Table<'t, &'static str, (i64, &'static [u8])>,
    expiry: redb::Table<'t, (i64, &'static str), ()>,
    meta: redb::Table<'t, &'static str, u64>,
    highest: u64,
}

impl<'t> Rates<'t> {
    fn open(transaction: &'t WriteTransaction) -> Result<Self, redb::Error> {
        let meta = transaction.open_table(META)?;
        let highest = meta.get(HIGHEST_EPOCH)?.map_or(0, |epoch| epoch.value());
        Ok(Self { rates: transaction.open_table(RATES)?, expiry: transaction.open_table(EXPIRY)?, meta, highest })
    }

    fn pass_fence(&mut self, epoch: u64) -> Result<(), StoreError> {
        if epoch < self.highest {
            return Err(StoreError::Fenced { epoch, highest: self.highest });
        }
        self.highest = epoch;
        Ok(())
    }

    fn save_fence(&mut self) -> Result<(), redb::Error> {
        self.meta.insert(HIGHEST_EPOCH, self.highest)?;
        Ok(())
    }

    fn insert(&mut self, entry: &Entry) -> Result<(), redb::Error> {
        self.remove(&entry.key)?;
        let expires_ms = entry.expires_at.as_millis();
        self.rates.insert(entry.key.as_str(), (expires_ms, entry.value.as_ref()))?;
        self.expiry.insert((expires_ms, entry.key.as_str()), ())?;
        Ok(())
    }

    fn remove(&mut self, key: &str) -> Result<(), redb::Error> {
        let expires_ms = self.rates.remove(key)?.map(|old| old.value().0);
        if let Some(expires_ms) = expires_ms {
            self.expiry.remove((expires_ms, key))?;
        }
        Ok(())
    }

    /// Drops what has expired by `now`.
    fn sweep(&mut self, now: Timestamp) -> Result<(), redb::Error> {
        let mut expired = vec![];
        for row in self.expiry.range(..(now.as_millis(), ""))? {
            expired.push(row?.0.value().1.to_owned());
        }
        for key in expired {
            self.remove(&key)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use redb::ReadableTableMetadata;

    use super::*;
    use crate::{clock::ManualClock, publish::testing::ISSUED};

    #[tokio::test]
    async fn what_has_expired_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(ISSUED));
        let store = EmbeddedStore::open(&dir.path().join("rates.redb"), Arc::clone(&clock) as _).unwrap();
        let entry = |key: &str, life_s| Entry { key: key.into(), value: Bytes::new(), epoch: 1, expires_at: ISSUED.plus_secs(life_s) };
        store.put_batch(&[entry("a", 10), entry("b", 10), entry("a", 90)]).await;
        clock.advance(11);
        store.put_batch(&[entry("c", 90)]).await;
        let read = store.file.database.begin_read().unwrap();
        assert_eq!(read.open_table(RATES).unwrap().len().unwrap(), 2, "a, written again, and c");
        assert_eq!(read.open_table(EXPIRY).unwrap().len().unwrap(), 2);
    }
}
