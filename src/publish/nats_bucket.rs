//! A key-value bucket of JetStream as the stream that it is: the connection, reads from the leader, writes at a sequence.
//!
//! How a bucket maps onto a stream: <https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-8.md>; lives of
//! single messages: ADR-43.

use std::{error::Error, future::Future, time::Duration};

use async_nats::{
    Client, ConnectOptions, HeaderMap,
    connection::State,
    header::NATS_MESSAGE_TTL,
    jetstream::{
        self, Context, ErrorCode,
        context::{ContextBuilder, CreateStreamErrorKind, GetStreamErrorKind, PublishError, PublishErrorKind},
        message::PublishMessage,
        stream::{Config, DiscardPolicy, LastRawMessageErrorKind},
    },
};
use bytes::Bytes;
use tokio::{sync::OnceCell, time};

use super::{
    nats::{NatsAddress, NatsLogin},
    store::StoreError,
};

/// Says what a message of a bucket is where it is no value.
const OPERATION: &str = "KV-Operation";
/// Says that the server put a message there to mark the end of another.
const MARKER: &str = "Nats-Marker-Reason";

/// A bucket, connected to when first used.
pub(super) struct Bucket {
    address: NatsAddress,
    context: OnceCell<Context>,
}

/// One message on its way into the bucket.
#[derive(Debug, Clone)]
pub(super) struct Write<'a> {
    /// Under which it is found.
    pub key: &'a str,
    /// `None` removes the key.
    pub value: Option<Bytes>,
    /// How long the server keeps it.
    pub life: Life,
}

/// How long the server keeps a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Life {
    /// As many seconds.
    Seconds(u64),
    /// For ever, whatever the bucket's own limit.
    Endless,
}

/// What became of a write.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is done.
    Done,
    /// The stream had gone on: nothing is changed.
    Outrun,
    /// It never will be.
    Refused(StoreError),
}

impl Bucket {
    pub fn new(address: NatsAddress) -> Self {
        Self { address, context: OnceCell::new() }
    }

    /// Waits for `call`, but not beyond the deadline.
    ///
    /// # Errors
    /// What `call` returns, [`StoreError::Deadline`], or [`StoreError::Unreachable`] while the connection is lost.
    pub async fn within<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let after = self.address.deadline;
        let Ok(answer) = time::timeout(after, call).await else {
            let is_lost = |context: &Context| context.client().connection_state() != State::Connected;
            return Err(match self.context.get() {
                Some(context) if is_lost(context) => StoreError::Unreachable("the connection is lost".into()),
                _ => StoreError::Deadline { after },
            });
        };
        answer
    }

    /// The sequence of the stream's last message. The bucket is made when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`]; [`StoreError::Refused`], also when keys of the bucket cannot expire.
    pub async fn last_sequence(&self) -> Result<u64, StoreError> {
        let context = self.context().await?;
        let stream = match context.get_stream(self.stream_name()).await.map_err(|e| (e.kind(), unreachable(&e))) {
            Ok(stream) => stream,
            Err((GetStreamErrorKind::JetStream(e), _)) if e.error_code() == ErrorCode::STREAM_NOT_FOUND => self.make(context).await?,
            Err((GetStreamErrorKind::JetStream(e), _)) => return Err(refused(&e)),
            Err((_, error)) => return Err(error),
        };
        let info = stream.cached_info();
        if info.config.allow_message_ttl {
            return Ok(info.state.last_sequence);
        }
        let NatsAddress { bucket, .. } = &self.address;
        Err(StoreError::Refused(format!(
            "keys of the bucket {bucket} cannot expire one by one: that takes nats-server 2.11 or newer and a stream KV_{bucket} that \
             allows a time to live per message; remove the bucket, and it is made anew"
        )))
    }

    async fn make(&self, context: &Context) -> Result<jetstream::stream::Stream, StoreError> {
        let NatsAddress { bucket, replicas, .. } = &self.address;
        let config = Config {
            name: self.stream_name(),
            subjects: vec![format!("$KV.{bucket}.>")],
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            allow_rollup: true,
            deny_delete: true,
            allow_direct: true,
            allow_message_ttl: true,
            num_replicas: *replicas,
            ..Config::default()
        };
        context.create_stream(config).await.map_err(|e| match e.kind() {
            CreateStreamErrorKind::JetStream(e) => refused(&e),
            _ => unreachable(&e),
        })
    }

    /// The value under `key`, by the stream's leader; `None` also where there is no bucket.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`], [`StoreError::Refused`].
    pub async fn read(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let context = self.context().await?;
        let stream = context.get_stream_no_info(self.stream_name()).await.map_err(|e| unreachable(&e))?;
        match stream.get_last_raw_message_by_subject(&self.subject(key)).await {
            Ok(message) => Ok(is_value(&message.headers).then_some(message.payload)),
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => Ok(None),
                LastRawMessageErrorKind::JetStream(e) if e.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
                LastRawMessageErrorKind::JetStream(e) => Err(refused(&e)),
                _ => Err(unreachable(&error)),
            },
        }
    }

    /// Sends all of `writes` at once, the first to follow the sequence `last` and each other the one before it; then reads what
    /// became of each.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] when that is not known.
    pub async fn write(&self, writes: &[Write<'_>], last: u64) -> Result<Vec<Verdict>, StoreError> {
        let context = self.context().await?;
        let mut sent = vec![];
        for (write, after) in writes.iter().zip(last..) {
            sent.push(context.send_publish(self.subject(write.key), message(write, after)).await);
        }
        let mut verdicts = vec![];
        for acknowledgement in sent {
            let answer = match acknowledgement {
                Ok(acknowledgement) => acknowledgement.await.map(drop),
                Err(error) => Err(error),
            };
            verdicts.push(answer.map_or_else(|e| verdict(&e), |()| Ok(Verdict::Done))?);
        }
        Ok(verdicts)
    }

    async fn context(&self) -> Result<&Context, StoreError> {
        // Everything ends by the deadline of the call that it is part of, which is sooner.
        let patience = self.address.deadline * 2;
        let connect = || async { Ok(ContextBuilder::new().timeout(patience).build(self.connect(patience).await?)) };
        self.context.get_or_try_init(connect).await
    }

    async fn connect(&self, patience: Duration) -> Result<Client, StoreError> {
        crate::tls::provide();
        let NatsAddress { url, login, .. } = &self.address;
        let options = match login {
            NatsLogin::None => ConnectOptions::new(),
            NatsLogin::Token(token) => ConnectOptions::with_token(token.reveal().into()),
            NatsLogin::Password { username, password } => {
                ConnectOptions::with_user_and_password(username.clone(), password.reveal().into())
            }
            // The client's parser wants the last line break, which is no part of a secret.
            NatsLogin::Credentials(text) => ConnectOptions::with_credentials(&format!("{}\n", text.reveal()))
                .map_err(|_| StoreError::Refused("publish.nats.credentials_file holds no credentials of NATS".into()))?,
        };
        let connected = options.name("tidegate").connection_timeout(patience).connect(url.as_str()).await;
        connected.map_err(|error| unreachable(&error))
    }

    fn stream_name(&self) -> String {
        format!("KV_{}", self.address.bucket)
    }

    fn subject(&self, key: &str) -> String {
        format!("$KV.{}.{key}", self.address.bucket)
    }
}

fn message(write: &Write, after: u64) -> PublishMessage {
    let message = PublishMessage::build().expected_last_sequence(after).payload(write.value.clone().unwrap_or_default());
    let message = match write.life {
        Life::Seconds(s) => message.ttl(Duration::from_secs(s)),
        Life::Endless => message.header(NATS_MESSAGE_TTL, "never"),
    };
    if write.value.is_some() { message } else { message.header(OPERATION, "DEL") }
}

fn is_value(headers: &HeaderMap) -> bool {
    headers.get(MARKER).is_none() && headers.get(OPERATION).is_none_or(|operation| operation.as_str() == "PUT")
}

/// What an unsuccessful acknowledgement says of its write.
fn verdict(error: &PublishError) -> Result<Verdict, StoreError> {
    match error.kind() {
        PublishErrorKind::WrongLastSequence => Ok(Verdict::Outrun),
        PublishErrorKind::MaxPayloadExceeded | PublishErrorKind::Other => Ok(Verdict::Refused(StoreError::Refused(chain(error)))),
        _ => Err(unreachable(error)),
    }
}

fn refused(error: &jetstream::Error) -> StoreError {
    StoreError::Refused(error.to_string())
}

fn unreachable(error: &dyn Error) -> StoreError {
    StoreError::Unreachable(chain(error))
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
