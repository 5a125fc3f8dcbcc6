//! The handle, and what it asks of the thread.

use std::sync::Arc;

use tidegate_planner::{Model, Plan, Planner};
use tidegate_wire::{Accepted, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::EngineError;
use crate::ingest::Checked;

pub(super) type Reply<T> = oneshot::Sender<Result<T, EngineError>>;

/// KiB of encoded reports that may wait together: the bound on memory where the number of batches is none.
const ROOM_KIB: u32 = 64 << 10;

/// One batch of reports, who waits for its answer and the room that it takes until then.
pub(super) struct Batch {
    pub(super) checked: Checked,
    pub(super) reply: Reply<Accepted>,
    pub(super) room: OwnedSemaphorePermit,
}

pub(super) enum Command {
    Ingest(Batch),
    Tick(Timestamp, Reply<Arc<Plan>>),
    SetModel(Option<Model>, Reply<()>),
    Query(Box<dyn FnOnce(&Planner) + Send>),
    Snapshot(Reply<()>),
    Stop(Reply<()>),
}

/// A handle on the engine's thread; clones share it.
#[derive(Debug, Clone)]
pub struct Engine {
    commands: mpsc::Sender<Command>,
    room: Arc<Semaphore>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ingest(_) => "Ingest",
            Self::Tick(..) => "Tick",
            Self::SetModel(..) => "SetModel",
            Self::Query(_) => "Query",
            Self::Snapshot(_) => "Snapshot",
            Self::Stop(_) => "Stop",
        })
    }
}

impl Engine {
    pub(super) fn new(commands: mpsc::Sender<Command>) -> Self {
        Self { commands, room: Arc::new(Semaphore::new(ROOM_KIB as usize)) }
    }

    /// Takes in a checked body. When this returns its reports are durable, and each repeat has been recognised.
    ///
    /// # Errors
    /// Nothing of the body has been taken in: too many wait, the journal cannot be written, or the engine has stopped.
    pub async fn ingest(&self, checked: Checked) -> Result<Accepted, EngineError> {
        let room = self.room.clone().try_acquire_many_owned(kib(&checked)).map_err(|_| shed())?;
        let (reply, answer) = oneshot::channel();
        self.commands.try_send(Command::Ingest(Batch { checked, reply, room })).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => shed(),
            mpsc::error::TrySendError::Closed(_) => EngineError::Stopped,
        })?;
        answer.await.unwrap_or(Err(EngineError::Stopped))
    }

    /// Closes the windows that have ended by `now` and returns the plan of the next epoch.
    ///
    /// # Errors
    /// The engine has stopped. A journal that cannot be written is no error here: the tick is written once it can be.
    pub async fn tick(&self, now: Timestamp) -> Result<Arc<Plan>, EngineError> {
        self.ask(|reply| Command::Tick(now, reply)).await
    }

    /// Uses `model` from the next tick on; `None` leaves the naive experts alone.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn set_model(&self, model: Option<Model>) -> Result<(), EngineError> {
        self.ask(|reply| Command::SetModel(model, reply)).await
    }

    /// Runs `question` on the planner, between two groups.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn query<T: Send + 'static>(&self, question: impl FnOnce(&Planner) -> T + Send + 'static) -> Result<T, EngineError> {
        self.ask(|reply| {
            Command::Query(Box::new(move |planner| {
                // Who asked may have gone; the answer is then for no one.
                let _ = reply.send(Ok(question(planner)));
            }))
        })
        .await
    }

    /// Begins a snapshot, which is written while the engine goes on.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn snapshot(&self) -> Result<(), EngineError> {
        self.ask(Command::Snapshot).await
    }

    /// Finishes what waits, writes a last snapshot and ends the thread.
    ///
    /// # Errors
    /// The engine had stopped before.
    pub async fn stop(&self) -> Result<(), EngineError> {
        self.ask(Command::Stop).await
    }

    /// Whether the thread is there to take commands.
    pub fn is_running(&self) -> bool {
        !self.commands.is_closed()
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| EngineError::Stopped)?;
        answer.await.unwrap_or(Err(EngineError::Stopped))
    }
}

/// Room that a batch takes; one larger than all the room there is has to wait until it is alone.
fn kib(checked: &Checked) -> u32 {
    let bytes: usize = checked.items.iter().map(|i| i.encoded.len()).sum();
    u32::try_from(bytes / 1024 + 1).unwrap_or(ROOM_KIB).min(ROOM_KIB)
}

fn shed() -> EngineError {
    metrics::counter!("tidegate_ingest_shed_total").increment(1);
    EngineError::Overloaded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::Item;

    fn batch(bytes: usize) -> Checked {
        let report = tidegate_wire::Report {
            node: "n".into(),
            instance: None,
            sequence: 1,
            epoch: None,
            staleness_ms: None,
            start: Timestamp::default(),
            seconds: 30,
            cpu: None,
            memory: None,
            buckets: vec![],
        };
        let mut item = Item::new(0, report);
        item.encoded.resize(bytes, 0);
        Checked { items: vec![item], rejected: vec![] }
    }

    #[tokio::test]
    async fn bytes_that_wait_are_bounded_and_their_room_comes_back() {
        let (sender, mut commands) = mpsc::channel(10);
        let engine = Engine::new(sender);
        let send = |bytes: usize| {
            tokio::spawn({
                let engine = engine.clone();
                async move { engine.ingest(batch(bytes)).await }
            })
        };
        let larger_than_all = send((ROOM_KIB as usize) << 11);
        let first = commands.recv().await.unwrap();
        assert_eq!(send(1).await.unwrap(), Err(EngineError::Overloaded));
        drop(first);
        assert_eq!(larger_than_all.await.unwrap(), Err(EngineError::Stopped));
        let next = send(1);
        assert!(matches!(commands.recv().await, Some(Command::Ingest(_))), "there is room again");
        assert_eq!(next.await.unwrap(), Err(EngineError::Stopped));
    }
}
