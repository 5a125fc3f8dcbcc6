//! The fence of epochs for stores that know no condition on a write: kept beside the values, read before each batch.
//!
//! Between reading the fence and writing lies one call. Two engines that publish to the same store at the same time could both
//! pass it in that moment; one writer at a time closes the gap, and a worker never goes back to an older epoch anyway.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    bill::Bill,
    store::{BatchOutcome, Entry, FENCE, Limits, RateStore, StoreError, fence_epoch},
};
use crate::clock::Clock;

/// A value on its way to a store that has no fence of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'a> {
    /// Under which it is found.
    pub key: &'a str,
    /// JSON.
    pub value: &'a Bytes,
    /// Seconds that the store is to keep it, rounded up; `None` for ever.
    pub life_s: Option<u64>,
}

/// A KV store without conditional writes.
#[async_trait]
pub(super) trait PlainKv: Send + Sync + 'static {
    /// See [`RateStore::name`].
    fn name(&self) -> &'static str;

    /// See [`RateStore::limits`].
    fn limits(&self) -> Limits;

    /// See [`RateStore::bill`].
    fn bill(&self) -> Bill;

    /// See [`RateStore::get`].
    async fn read(&self, key: &str) -> Result<Option<Bytes>, StoreError>;

    /// Writes all of `pairs`, which are within the limits; each is written or fails by itself.
    async fn write(&self, pairs: &[Pair<'_>]) -> BatchOutcome;

    /// Removes `keys`. A key that is not there is removed already.
    async fn remove(&self, keys: &[String]) -> BatchOutcome;
}

/// A [`PlainKv`] behind a fence.
pub(super) struct Fenced<K> {
    kv: K,
    limits: Limits,
    clock: Arc<dyn Clock>,
    /// The highest epoch that this writer put there: a store may go on showing an older fence for a while.
    raised_to: AtomicU64,
}

impl<K: PlainKv> Fenced<K> {
    /// What is left of an entry's life is counted by `clock`, and by the store from then on.
    pub fn new(kv: K, clock: Arc<dyn Clock>) -> Self {
        Self { limits: kv.limits(), kv, clock, raised_to: AtomicU64::new(0) }
    }

    /// The same store with other limits.
    #[cfg(test)]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Raises the fence from `highest` to `epoch`, or refuses an epoch that is behind it.
    async fn pass(&self, epoch: u64, highest: u64) -> Result<(), StoreError> {
        if epoch < highest {
            return Err(StoreError::Fenced { epoch, highest });
        }
        if epoch == highest {
            return Ok(());
        }
        let value = Bytes::from(epoch.to_string());
        let outcome = self.kv.write(&[Pair { key: FENCE, value: &value, life_s: None }]).await;
        if let Some((_, error)) = outcome.failed.into_iter().next() {
            return Err(error);
        }
        self.raised_to.fetch_max(epoch, Ordering::Relaxed);
        Ok(())
    }

    /// Reads the fence and passes it.
    async fn enter(&self, epoch: u64) -> Result<(), StoreError> {
        let shown = self.highest_epoch().await?;
        self.pass(epoch, shown.max(self.raised_to.load(Ordering::Relaxed))).await
    }
}

#[async_trait]
impl<K: PlainKv> RateStore for Fenced<K> {
    fn name(&self) -> &str {
        self.kv.name()
    }

    fn limits(&self) -> Limits {
        self.limits.clone()
    }

    fn bill(&self) -> Bill {
        self.kv.bill()
    }

    async fn put_batch(&self, entries: &[Entry]) -> BatchOutcome {
        let mut outcome = BatchOutcome::default();
        let now = self.clock.now();
        // A batch is of one plan, so this is one round.
        for same in entries.chunk_by(|a, b| a.epoch == b.epoch) {
            if let Err(error) = self.enter(same[0].epoch).await {
                outcome.failed.extend(same.iter().map(|entry| (entry.key.clone(), error.clone())));
                continue;
            }
            let mut pairs = vec![];
            for entry in same {
                match self.limits.admit(entry) {
                    Ok(()) => pairs.push(Pair { key: &entry.key, value: &entry.value, life_s: Some(entry.life_s(now)) }),
                    Err(error) => outcome.failed.push((entry.key.clone(), error)),
                }
            }
            if !pairs.is_empty() {
                outcome.failed.append(&mut self.kv.write(&pairs).await.failed);
            }
        }
        outcome
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.kv.read(key).await
    }

    async fn delete(&self, keys: &[String], epoch: u64) -> BatchOutcome {
        if keys.is_empty() {
            return BatchOutcome::default();
        }
        match self.enter(epoch).await {
            Ok(()) => self.kv.remove(keys).await,
            Err(error) => BatchOutcome::all_failed(keys.iter().map(String::as_str), &error),
        }
    }

    async fn highest_epoch(&self) -> Result<u64, StoreError> {
        fence_epoch(self.kv.read(FENCE).await?.as_ref())
    }
}
