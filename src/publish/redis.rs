//! Rate tables in a Redis server.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use redis::{AsyncCommands, Client, IntoConnectionInfo, Pipeline, RedisError, RedisResult, Script};
use tidegate_wire::Timestamp;

use super::{
    connection::{Connection, told},
    secret::Secret,
    store::{BatchOutcome, Entry, FENCE, Limits, RateStore, StoreError},
};
use crate::clock::Clock;

// Redis runs one command at a time: smaller values and batches keep its other clients' waits short.
const LIMITS: Limits = Limits { batch_pairs: 1_000, batch_bytes: 8 << 20, key_bytes: 512, value_bytes: 1 << 20, writes_per_s: None };

/// Writes `ARGV[2]` under `KEYS[2]` for `ARGV[3]` milliseconds, or removes it when there is no `ARGV[2]`; returns the highest
/// epoch seen. A writer whose epoch `ARGV[1]` is lower has changed nothing.
static FENCED: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local highest = tonumber(redis.call('GET', KEYS[1]) or '0')
        local epoch = tonumber(ARGV[1])
        if epoch < highest then return highest end
        if epoch > highest then redis.call('SET', KEYS[1], ARGV[1]) end
        if ARGV[2] then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) else redis.call('DEL', KEYS[2]) end
        return epoch",
    )
});

/// How to reach the server.
#[derive(Debug, Clone)]
pub struct RedisAddress {
    /// `redis://host:port/database`, without a password.
    pub url: String,
    /// The user to log in as; Redis' default user when left out.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// Longest wait for a connection and for an answer.
    pub deadline: Duration,
}

/// Rate tables in a Redis server, connected to when first used and again when the connection was lost.
pub struct RedisStore {
    connection: Connection,
    clock: Arc<dyn Clock>,
    limits: Limits,
}

impl RedisStore {
    /// The store at `address`, which need not be up yet. What is left of an entry's life is
    /// counted by `clock`, and by the server from then on.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the address cannot be one; it does not show the password.
    pub fn connect(address: &RedisAddress, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let unusable = |e: RedisError| StoreError::Refused(format!("publish.redis_url cannot be used: {}", e.category()));
        let info = address.url.as_str().into_connection_info().map_err(unusable)?;
        let mut login = info.redis_settings().clone();
        if login.password().is_some() {
            return Err(StoreError::Refused(
                "publish.redis_url holds a password, which logs would show: move it to publish.redis_password_file".into(),
            ));
        }
        if let Some(username) = &address.username {
            login = login.set_username(username);
        }
        if let Some(password) = &address.password {
            login = login.set_password(password.reveal());
        }
        let client = Client::open(info.set_redis_settings(login)).map_err(unusable)?;
        Ok(Self { connection: Connection::new(client, address.deadline), clock, limits: LIMITS })
    }

    /// The same store with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Runs one fenced script call per key, in one round trip.
    async fn run(&self, pipeline: &Pipeline, epochs: &[(&str, u64)]) -> BatchOutcome {
        if epochs.is_empty() {
            return BatchOutcome::default();
        }
        let sent = self.connection.call(|mut c| async move { pipeline.query_async(&mut c).await }).await;
        let answers: Vec<RedisResult<u64>> = match sent {
            Ok(answers) => answers,
            Err(error) => return BatchOutcome::all_failed(epochs.iter().map(|(key, _)| *key), &error),
        };
        let mut outcome = BatchOutcome::default();
        for ((key, epoch), answer) in epochs.iter().zip(answers) {
            let error = match answer {
                Ok(highest) if highest > *epoch => StoreError::Fenced { epoch: *epoch, highest },
                Ok(_) => continue,
                Err(error) => told(&error),
            };
            outcome.failed.push(((*key).to_owned(), error));
        }
        outcome
    }
}

#[async_trait]
impl RateStore for RedisStore {
    fn name(&self) -> &str {
        "redis"
    }

    fn limits(&self) -> Limits {
        self.limits.clone()
    }

    async fn put_batch(&self, entries: &[Entry]) -> BatchOutcome {
        let now = self.clock.now();
        let mut pipeline = fenced_pipeline();
        let mut sent = vec![];
        let mut refused = vec![];
        for entry in entries {
            if let Err(error) = self.limits.admit(entry) {
                refused.push((entry.key.clone(), error));
                continue;
            }
            let mut call = FENCED.key(FENCE);
            call.key(&entry.key).arg(entry.epoch).arg(&entry.value[..]).arg(life_ms(entry.expires_at, now));
            pipeline.invoke_script(&call);
            sent.push((entry.key.as_str(), entry.epoch));
        }
        let mut outcome = self.run(&pipeline, &sent).await;
        outcome.failed.append(&mut refused);
        outcome
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let value: Option<Vec<u8>> = self.connection.call(|mut c| async move { c.get(key).await }).await?;
        Ok(value.map(Bytes::from))
    }

    async fn delete(&self, keys: &[String], epoch: u64) -> BatchOutcome {
        let mut pipeline = fenced_pipeline();
        for key in keys {
            pipeline.invoke_script(FENCED.key(FENCE).key(key).arg(epoch));
        }
        let sent: Vec<_> = keys.iter().map(|key| (key.as_str(), epoch)).collect();
        self.run(&pipeline, &sent).await
    }

    async fn highest_epoch(&self) -> Result<u64, StoreError> {
        let epoch: Option<u64> = self.connection.call(|mut c| async move { c.get(FENCE).await }).await?;
        Ok(epoch.unwrap_or(0))
    }
}

/// A pipeline that sees to it that the server knows the script, and gives each later command's answer by itself.
fn fenced_pipeline() -> Pipeline {
    let mut pipeline = redis::pipe();
    pipeline.load_script(&FENCED).ignore().ignore_errors();
    pipeline
}

/// Milliseconds from `now` until `expires_at`, at least 1: Redis refuses an expiry of nothing.
fn life_ms(expires_at: Timestamp, now: Timestamp) -> i64 {
    (expires_at.as_millis() - now.as_millis()).max(1)
}
