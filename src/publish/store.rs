//! The seam to KV stores: what each must offer, whatever it is.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tidegate_wire::Timestamp;

use super::bill::Bill;

/// Key of the highest epoch ever written, for stores that keep it beside the values; it never expires.
pub(super) const FENCE: &str = "tidegate-v1-epoch";

/// A KV store that carries rate tables to the edge. `docs/stores.md` says what an adapter has to see to.
#[async_trait]
pub trait RateStore: Send + Sync + 'static {
    /// Name for metrics and logs, from a small fixed set.
    fn name(&self) -> &str;

    /// What the store takes; the publisher keeps to it.
    fn limits(&self) -> Limits;

    /// Writes `entries` in order, in as few calls as the store allows. Each is written or fails by itself; an entry whose epoch
    /// is below [`RateStore::highest_epoch`] is refused with [`StoreError::Fenced`] and changes nothing.
    async fn put_batch(&self, entries: &[Entry]) -> BatchOutcome;

    /// The value under `key`; `None` when there is none or it has expired.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError>;

    /// Removes `keys`, for a writer at `epoch`, fenced like a write. A key that is not there is removed already.
    async fn delete(&self, keys: &[String], epoch: u64) -> BatchOutcome;

    /// The highest epoch that was ever written, also by others and before a restart; 0 for a new store.
    async fn highest_epoch(&self) -> Result<u64, StoreError>;

    /// What the store's provider counts and charges; nothing where nobody charges.
    fn bill(&self) -> Bill {
        Bill::free()
    }
}

/// A value on its way into a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Under which it is found.
    pub key: String,
    /// A rate table or a shard of one, JSON.
    pub value: Bytes,
    /// Epoch of the plan that it belongs to.
    pub epoch: u64,
    /// Until when the store keeps it; the lease inside ends sooner.
    pub expires_at: Timestamp,
}

/// The epoch that the value under [`FENCE`] says; 0 where there is none.
///
/// # Errors
/// [`StoreError::Refused`] when it is no number.
pub(super) fn fence_epoch(value: Option<&Bytes>) -> Result<u64, StoreError> {
    let Some(value) = value else { return Ok(0) };
    let epoch = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok());
    epoch.ok_or_else(|| StoreError::Refused(format!("the value of {FENCE} is no number: remove that key, if nobody else needs it")))
}

impl Entry {
    /// Whole seconds from `now` until it expires, rounded up, at least 1.
    pub fn life_s(&self, now: Timestamp) -> u64 {
        let left_ms = u64::try_from(self.expires_at.as_millis() - now.as_millis()).unwrap_or(0);
        left_ms.div_ceil(1_000).max(1)
    }
}

/// What a store takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Most entries of one call.
    pub batch_pairs: usize,
    /// Most bytes of keys and values of one call.
    pub batch_bytes: usize,
    /// Most bytes of a key.
    pub key_bytes: usize,
    /// Most bytes of a value; a larger table is sharded.
    pub value_bytes: usize,
    /// Most entries per second over a tick; `None` when the store has no such limit.
    pub writes_per_s: Option<f64>,
}

impl Limits {
    /// Checks one entry against the limits on key and value.
    ///
    /// # Errors
    /// [`StoreError::Oversized`].
    pub fn admit(&self, entry: &Entry) -> Result<(), StoreError> {
        let too_long = |what, bytes, max| Err(StoreError::Oversized { what, bytes, max });
        if entry.key.len() > self.key_bytes {
            return too_long("key", entry.key.len(), self.key_bytes);
        }
        if entry.value.len() > self.value_bytes {
            return too_long("value", entry.value.len(), self.value_bytes);
        }
        Ok(())
    }
}

/// What became of a call: everything that is not listed has been done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BatchOutcome {
    /// Keys that have not been written or removed, each with the reason.
    pub failed: Vec<(String, StoreError)>,
}

impl BatchOutcome {
    /// The outcome of a call that failed as a whole.
    pub fn all_failed<'a>(keys: impl IntoIterator<Item = &'a str>, error: &StoreError) -> Self {
        Self { failed: keys.into_iter().map(|key| (key.to_owned(), error.clone())).collect() }
    }
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// Another writer, or this one before a restart, is ahead.
    #[error("epoch {epoch} is fenced off: the store has seen epoch {highest}")]
    Fenced {
        /// Of the writer.
        epoch: u64,
        /// Of the store.
        highest: u64,
    },
    /// The store never takes so much.
    #[error("a {what} of {bytes} bytes is too large: the store takes {max}")]
    Oversized {
        /// `key` or `value`.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// No answer in time; whether it was done is not known.
    #[error("no answer within {} ms", after.as_millis())]
    Deadline {
        /// The time that was allowed.
        after: Duration,
    },
    /// The store wants no more calls for a while.
    #[error("wants no call for {} s", rest.as_secs())]
    Throttled {
        /// How long it is to be left alone.
        rest: Duration,
    },
    /// The store cannot be reached.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The store answered that it will not.
    #[error("refused: {0}")]
    Refused(String),
}

impl StoreError {
    /// One word for the kind, as a metric's label.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Fenced { .. } => "fenced",
            Self::Oversized { .. } => "oversized",
            Self::Deadline { .. } => "deadline",
            Self::Throttled { .. } => "throttled",
            Self::Unreachable(_) => "unreachable",
            Self::Refused(_) => "refused",
        }
    }

    /// Whether further calls in the same tick are bound to fail too.
    pub fn is_of_the_store(&self) -> bool {
        matches!(self, Self::Fenced { .. } | Self::Deadline { .. } | Self::Throttled { .. } | Self::Unreachable(_))
    }
}
