//! The connection to a Redis server: made when it is needed, made anew when it was lost.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult, aio::MultiplexedConnection};
use tokio::time;

use super::store::StoreError;

/// A connection, or the want of one. Nothing is done in the background: each call finds out for itself how things are now, so
/// a server that is back is used by the next call.
pub(super) struct Connection {
    client: Client,
    config: AsyncConnectionConfig,
    deadline: Duration,
    live: Mutex<Option<MultiplexedConnection>>,
}

impl Connection {
    pub fn new(client: Client, deadline: Duration) -> Self {
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(deadline)).set_response_timeout(Some(deadline));
        Self { client, config, deadline, live: Mutex::default() }
    }

    /// Runs `call` on a connection, all within the deadline. If a connection of an earlier call turns out to be lost, `call` is
    /// run again on a new one; it must do no harm when it is done twice.
    ///
    /// # Errors
    /// [`StoreError::Deadline`], [`StoreError::Unreachable`], or [`StoreError::Refused`] with the server's words.
    pub async fn call<T, F>(&self, call: impl Fn(MultiplexedConnection) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let answer = time::timeout(self.deadline, self.attempt(call)).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if !error.is_timeout() => Err(told(&error)),
            _ => {
                // A connection may hang for good, as when the network has forgotten it.
                self.live().take();
                Err(StoreError::Deadline { after: self.deadline })
            }
        }
    }

    async fn attempt<T, F>(&self, call: impl Fn(MultiplexedConnection) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let live = self.live().clone();
        if let Some(connection) = live {
            match call(connection).await {
                Err(error) if is_lost(&error) => drop(self.live().take()),
                answer => return answer,
            }
        }
        let connection = self.client.get_multiplexed_async_connection_with_config(&self.config).await?;
        *self.live() = Some(connection.clone());
        call(connection).await
    }

    fn live(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        // Nothing that is done under the lock can panic half-way.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_lost(error: &RedisError) -> bool {
    !error.is_timeout() && error.is_unrecoverable_error()
}

/// The error of a call, or of one command of it, in the terms of stores.
pub(super) fn told(error: &RedisError) -> StoreError {
    if error.is_io_error() || error.is_connection_dropped() {
        return StoreError::Unreachable(error.to_string());
    }
    StoreError::Refused(error.to_string())
}
