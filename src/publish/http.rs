//! Calls to a provider's HTTP API, told in the terms of stores.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use reqwest::{Client, RequestBuilder, StatusCode, header::RETRY_AFTER, redirect::Policy};

use super::store::StoreError;

/// How long a provider is left alone that says "too many" but not for how long.
const REST: Duration = Duration::from_secs(60);
/// Characters of a provider's message that get into an error.
const MESSAGE_CHARS: usize = 200;

/// An HTTP client with a deadline on every call.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: Client,
    deadline: Duration,
}

/// What a provider answered, when that was neither "too many" nor an error of its own.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Http {
    /// # Errors
    /// [`StoreError::Refused`] when the system offers no roots of trust.
    pub fn new(deadline: Duration) -> Result<Self, StoreError> {
        crate::tls::provide();
        // A redirect would carry the token elsewhere.
        let client = Client::builder().redirect(Policy::none()).timeout(deadline).build();
        let client = client.map_err(|e| StoreError::Refused(format!("no HTTP client: {}", e.without_url())))?;
        Ok(Self { client, deadline })
    }

    /// The client to build requests with.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Sends `request` and reads the whole answer.
    ///
    /// # Errors
    /// [`StoreError::Deadline`], [`StoreError::Unreachable`] (also for a 5xx), [`StoreError::Throttled`] for a 429.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, StoreError> {
        let answer = request.send().await.map_err(|e| self.told(e))?;
        let status = answer.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let seconds = answer.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse().ok());
            return Err(StoreError::Throttled { rest: seconds.map_or(REST, Duration::from_secs) });
        }
        if status.is_server_error() {
            return Err(StoreError::Unreachable(format!("it answers {status}")));
        }
        Ok(Answer { status, body: answer.bytes().await.map_err(|e| self.told(e))? })
    }

    /// An error of the way, without the address.
    fn told(&self, error: reqwest::Error) -> StoreError {
        if error.is_timeout() {
            return StoreError::Deadline { after: self.deadline };
        }
        let error = error.without_url();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        StoreError::Unreachable(format!("{error}{cause}"))
    }
}

/// Tells a key that is not there from a whole store that is not there, for APIs that answer 404 to both.
#[derive(Debug, Default)]
pub(super) struct Existence {
    is_known: AtomicBool,
}

impl Existence {
    /// Whether `answer` says that a key is not there. Until the store is known to exist, `ask` asks for it.
    ///
    /// # Errors
    /// Those of `ask`.
    pub async fn is_absent(&self, answer: &Answer, ask: impl Future<Output = Result<Answer, StoreError>>) -> Result<bool, StoreError> {
        if answer.status != StatusCode::NOT_FOUND || self.is_known.load(Ordering::Relaxed) {
            return Ok(answer.status == StatusCode::NOT_FOUND);
        }
        let exists = ask.await?.status.is_success();
        self.is_known.store(exists, Ordering::Relaxed);
        Ok(exists)
    }
}

impl Answer {
    /// The error of an answer that is not a success. `secret` names the key of the configuration that holds the credentials.
    pub fn refused(&self, secret: &str) -> StoreError {
        let text: String = String::from_utf8_lossy(&self.body).chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS).collect();
        match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                StoreError::Refused(format!("it answers {}: check {secret} and what it permits; {text}", self.status))
            }
            status => StoreError::Refused(format!("it answers {status}: {text}")),
        }
    }
}
