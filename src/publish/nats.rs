//! Rate tables in a key-value bucket of NATS JetStream.
//!
//! A bucket is a stream that keeps the last message of each subject. Every write here names the sequence that the whole stream must
//! have reached, so that it is done only if nobody has written since the fence was read: fence and value are checked in one step,
//! on the stream's leader, with no gap in which an engine that is behind could slip through.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    nats_bucket::{Bucket, Life, Verdict, Write},
    secret::Secret,
    store::{BatchOutcome, Entry, FENCE, Limits, RateStore, StoreError, fence_epoch},
};
use crate::clock::Clock;

// A server takes messages of 1 MiB unless it is set otherwise, headers included. A batch is sent whole before its first
// acknowledgement is read, and 1,000 of the 5,000 that the client lets be under way leave room.
const LIMITS: Limits = Limits { batch_pairs: 1_000, batch_bytes: 8 << 20, key_bytes: 512, value_bytes: 1_000_000, writes_per_s: None };
/// Seconds after which the marker of a deletion is gone, too.
const MARKER_LIFE_S: u64 = 60;
/// How often in a row another writer may be first.
const OUTRUN: u32 = 5;

/// How to reach the bucket.
#[derive(Debug, Clone)]
pub struct NatsAddress {
    /// `nats://host:port`, or `tls://host:port`; without a password.
    pub url: String,
    /// Name of the bucket, which is made when it is not there.
    pub bucket: String,
    /// Servers that keep a copy each, for a bucket that is made; an odd number.
    pub replicas: usize,
    /// How to log in.
    pub login: NatsLogin,
    /// Longest wait for an answer.
    pub deadline: Duration,
}

/// How to log in to NATS.
#[derive(Debug, Clone)]
pub enum NatsLogin {
    /// As nobody.
    None,
    /// With a token.
    Token(Secret),
    /// As a user with a password.
    Password {
        /// The user.
        username: String,
        /// Its password.
        password: Secret,
    },
    /// With the text of a `.creds` file: a JWT and the seed that signs for it.
    Credentials(Secret),
}

/// Rate tables in a bucket, connected to when first used.
pub struct NatsStore {
    bucket: Bucket,
    clock: Arc<dyn Clock>,
    limits: Limits,
}

impl NatsStore {
    /// The bucket at `address`, whose server need not be up yet. What is left of an entry's life is counted by `clock`, and by the
    /// server from then on.
    pub fn new(address: NatsAddress, clock: Arc<dyn Clock>) -> Self {
        Self { bucket: Bucket::new(address), clock, limits: LIMITS }
    }

    /// The same store with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Raises the fence to `epoch` where it is lower; returns the sequence that the next write has to follow. `None` when another
    /// writer was first.
    async fn enter(&self, epoch: u64) -> Result<Option<u64>, StoreError> {
        // In this order: a write between the two reads makes the first one stale, and every write that relies on it fail.
        let last = self.bucket.last_sequence().await?;
        let highest = fence_epoch(self.bucket.read(FENCE).await?.as_ref())?;
        if epoch < highest {
            return Err(StoreError::Fenced { epoch, highest });
        }
        if epoch == highest {
            return Ok(Some(last));
        }
        let fence = Write { key: FENCE, value: Some(Bytes::from(epoch.to_string())), life: Life::Endless };
        match self.bucket.write(&[fence], last).await?.pop() {
            Some(Verdict::Refused(error)) => Err(error),
            Some(Verdict::Done) => Ok(Some(last + 1)),
            Some(Verdict::Outrun) | None => Ok(None),
        }
    }

    /// Does what `writes` say, at `epoch`; each is done or fails by itself.
    async fn write(&self, mut writes: Vec<Write<'_>>, epoch: u64) -> Result<BatchOutcome, StoreError> {
        let mut outcome = BatchOutcome::default();
        let mut outrun = 0;
        while !writes.is_empty() && outrun < OUTRUN {
            let before = writes.len();
            if let Some(last) = self.enter(epoch).await? {
                let verdicts = self.bucket.write(&writes, last).await?;
                let mut left = vec![];
                for (write, verdict) in writes.into_iter().zip(verdicts) {
                    match verdict {
                        Verdict::Done => {}
                        // What follows a write that was refused names a sequence that never came.
                        Verdict::Outrun => left.push(write),
                        Verdict::Refused(error) => outcome.failed.push((write.key.to_owned(), error)),
                    }
                }
                writes = left;
            }
            outrun = if writes.len() < before { 0 } else { outrun + 1 };
        }
        let busy = StoreError::Refused("somebody else keeps writing to the bucket, which must be for rate tables alone".into());
        outcome.failed.extend(writes.into_iter().map(|write| (write.key.to_owned(), busy.clone())));
        Ok(outcome)
    }

    /// [`Self::write`] within the deadline.
    async fn write_in_time(&self, writes: Vec<Write<'_>>, epoch: u64) -> BatchOutcome {
        let keys: Vec<String> = writes.iter().map(|write| write.key.to_owned()).collect();
        let done = self.bucket.within(self.write(writes, epoch)).await;
        done.unwrap_or_else(|error| BatchOutcome::all_failed(keys.iter().map(String::as_str), &error))
    }
}

#[async_trait]
impl RateStore for NatsStore {
    fn name(&self) -> &str {
        "nats"
    }

    fn limits(&self) -> Limits {
        self.limits.clone()
    }

    async fn put_batch(&self, entries: &[Entry]) -> BatchOutcome {
        let now = self.clock.now();
        let mut outcome = BatchOutcome::default();
        // A batch is of one plan, so this is one round.
        for same in entries.chunk_by(|a, b| a.epoch == b.epoch) {
            let mut writes = vec![];
            for entry in same {
                match self.limits.admit(entry) {
                    Ok(()) => {
                        writes.push(Write { key: &entry.key, value: Some(entry.value.clone()), life: Life::Seconds(entry.life_s(now)) })
                    }
                    Err(error) => outcome.failed.push((entry.key.clone(), error)),
                }
            }
            outcome.failed.append(&mut self.write_in_time(writes, same[0].epoch).await.failed);
        }
        outcome
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.bucket.within(self.bucket.read(key)).await
    }

    async fn delete(&self, keys: &[String], epoch: u64) -> BatchOutcome {
        let removal = |key| Write { key, value: None, life: Life::Seconds(MARKER_LIFE_S) };
        self.write_in_time(keys.iter().map(|key| removal(key.as_str())).collect(), epoch).await
    }

    async fn highest_epoch(&self) -> Result<u64, StoreError> {
        fence_epoch(self.get(FENCE).await?.as_ref())
    }
}
