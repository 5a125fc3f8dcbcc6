//! The handle, and what it asks of the thread.

use std::sync::Arc;

use tidegate_planner::{Model, Plan, Planner};
use tidegate_wire::{Accepted, Timestamp};
use tokio::sync::{mpsc, oneshot};

use super::EngineError;
use crate::ingest::Checked;

pub(super) type Reply<T> = oneshot::Sender<Result<T, EngineError>>;

/// One batch of reports and who waits for its answer.
pub(super) struct Batch {
    pub(super) checked: Checked,
    pub(super) reply: Reply<Accepted>,
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
        Self { commands }
    }

    /// Takes in a checked body. When this returns its reports are durable, and each repeat has been recognised.
    ///
    /// # Errors
    /// Nothing of the body has been taken in: too many wait, the journal cannot be written, or the engine has stopped.
    pub async fn ingest(&self, checked: Checked) -> Result<Accepted, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.commands.try_send(Command::Ingest(Batch { checked, reply })).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => {
                metrics::counter!("tidegate_ingest_shed_total").increment(1);
                EngineError::Overloaded
            }
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
