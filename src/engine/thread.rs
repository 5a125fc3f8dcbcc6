//! The thread itself: drains the queue and groups what can be grouped.

use std::{mem, ops::ControlFlow, sync::Arc, thread};

use tidegate_planner::{Plan, Planner};
use tokio::sync::mpsc;

use super::{Core, Engine, Options, command::Command, worker::Worker};
use crate::state::{self, RecoverError, Recovery, Writer};

/// Batches that share one `fdatasync` at most, so that the first does not wait for ever.
const GROUP_MAX: usize = 1024;

/// A running engine.
#[derive(Debug)]
pub struct Running {
    /// The handle.
    pub engine: Engine,
    /// How its state was recovered.
    pub recovery: Recovery,
    /// The plan that was in force when the service last stopped.
    pub plan: Option<Arc<Plan>>,
    /// Ends when the engine has stopped.
    pub thread: thread::JoinHandle<()>,
}

/// Recovers the state and starts the thread. `planner` is empty and brings the settings, and the model to use if it is not the
/// one that was in force when the service last stopped.
///
/// # Errors
/// The state cannot be recovered: a file that cannot be read, or a folder that is in use.
pub fn start(options: &Options, mut planner: Planner) -> Result<Running, RecoverError> {
    // Replay begins without a model, as the first run did: every model that came after is a record of the journal.
    let model = planner.model().cloned();
    planner.set_model(None);
    let mut recovered = state::recover(options, planner)?;
    let recovery = mem::take(&mut recovered.recovery);
    recovery.log();
    let mut core = Core::new(recovered);
    if model.is_some() {
        core.set_model(model);
    }
    core.raise_epoch(options.fence);
    let writer = Writer::new(Options::snapshot_dir(&options.data_dir));
    let plan = core.state().plan.clone();
    let (sender, commands) = mpsc::channel(options.queue.max(1));
    let worker = Worker::new(core, writer, options.segment_age_s);
    let thread = thread::Builder::new().name("engine".into()).spawn(move || run(worker, commands)).map_err(RecoverError::Thread)?;
    Ok(Running { engine: Engine::new(sender), recovery, plan, thread })
}

fn run(mut worker: Worker, mut commands: mpsc::Receiver<Command>) {
    while let Some(first) = commands.blocking_recv() {
        let mut group = vec![];
        let mut waiting = Some(first);
        while let Some(command) = waiting {
            match command {
                Command::Ingest(batch) => group.push(batch),
                other => {
                    worker.ingest(mem::take(&mut group));
                    if let ControlFlow::Break(reply) = worker.carry_out(other) {
                        // Who waits may start another engine on the same data at once.
                        drop(worker);
                        drop(reply.send(Ok(())));
                        return;
                    }
                }
            }
            waiting = if group.len() < GROUP_MAX { commands.try_recv().ok() } else { None };
        }
        worker.ingest(group);
        metrics::gauge!("tidegate_ingest_queue_commands").set(commands.len() as f64);
    }
    worker.last_snapshot();
}
