//! The trainer as a child process: started on a schedule or by request, one at a time, never in the way of serving.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tidegate_wire::Timestamp;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};
use utoipa::ToSchema;

use crate::{clock::Clock, config::Config};

/// Why no run was started.
#[derive(Debug, thiserror::Error)]
pub enum TrainerError {
    /// One at a time.
    #[error("the trainer has been running since {since}; wait for it to end")]
    Running {
        /// Start of the run.
        since: Timestamp,
    },
    /// The program cannot be started.
    #[error("the trainer `{}` cannot be started: {source}; install it, or set training.command to where it is", program.display())]
    Start {
        /// `training.command`.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The last run of the trainer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Run {
    /// When it was started.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// How it ended: `ok`, `failed: ...` or `timed out`; none while it runs.
    pub outcome: Option<String>,
}

/// Starts the trainer and keeps an eye on it.
pub struct Trainer {
    program: PathBuf,
    arguments: Vec<OsString>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    run: Option<Run>,
    task: Option<JoinHandle<()>>,
}

impl Trainer {
    /// The trainer that `config` names.
    pub fn new(config: &Config, clock: Arc<dyn Clock>) -> Arc<Self> {
        let (program, arguments) = config.training.command_line(&config.server.data_dir, config.planner.interval_s);
        let timeout = Duration::from_secs(config.training.timeout_s);
        Arc::new(Self { program: beside_this_program(&program).unwrap_or(program), arguments, timeout, clock, last: Mutex::default() })
    }

    /// Starts a run in the background.
    ///
    /// # Errors
    /// [`TrainerError`]: one is running, or the program cannot be started.
    pub fn start(self: &Arc<Self>) -> Result<Run, TrainerError> {
        let mut last = self.last();
        if let Some(Run { started_at, outcome: None }) = last.run {
            return Err(TrainerError::Running { since: started_at });
        }
        let child = self.spawn().map_err(|source| TrainerError::Start { program: self.program.clone(), source })?;
        let run = Run { started_at: self.clock.now(), outcome: None };
        last.run = Some(run.clone());
        last.task = Some(tokio::spawn(self.clone().watch(child)));
        Ok(run)
    }

    /// The newest run.
    pub fn last_run(&self) -> Option<Run> {
        self.last().run.clone()
    }

    /// Starts a run every `every_s` seconds; never returns. A run that cannot start is logged and tried again at the next turn.
    pub async fn run_every(self: Arc<Self>, every_s: u64) {
        let every_s = i64::try_from(every_s).unwrap_or(i64::MAX);
        loop {
            self.clock.sleep_until(self.clock.now().plus_secs(every_s)).await;
            if let Err(error) = self.start() {
                tracing::warn!(%error, "scheduled training did not start");
            }
        }
    }

    /// Kills a run that has not ended.
    pub fn stop(&self) {
        if let Some(task) = self.last().task.take() {
            task.abort();
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }

    async fn watch(self: Arc<Self>, mut child: Child) {
        tracing::info!(program = %self.program.display(), "training started");
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let ended = tokio::time::timeout(self.timeout, async {
            let (status, ..) = tokio::join!(child.wait(), relay(out), relay(err));
            status
        });
        let outcome = outcome(ended.await);
        tracing::info!(outcome, "training ended");
        metrics::counter!("tidegate_training_runs_total", "outcome" => if outcome == "ok" { "ok" } else { "failed" }).increment(1);
        if let Some(run) = &mut self.last().run {
            run.outcome = Some(outcome);
        }
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Last> {
        // Nothing between lock and unlock can panic half-way.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn outcome(ended: Result<io::Result<ExitStatus>, tokio::time::error::Elapsed>) -> String {
    match ended {
        Ok(Ok(status)) if status.success() => "ok".into(),
        Ok(Ok(status)) => format!("failed: {status}"),
        Ok(Err(error)) => format!("failed: {error}"),
        Err(_) => "timed out".into(),
    }
}

async fn relay(stream: Option<impl AsyncRead + Unpin>) {
    let Some(stream) = stream else { return };
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        tracing::info!(target: "tidegate::trainer", "{line}");
    }
}

/// A program that lies in the same folder as this one, as the two are built and shipped together.
fn beside_this_program(program: &Path) -> Option<PathBuf> {
    if program.components().count() != 1 {
        return None;
    }
    let beside = std::env::current_exe().ok()?.with_file_name(program);
    beside.is_file().then_some(beside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn trainer(command: &[&str]) -> Arc<Trainer> {
        Arc::new(Trainer {
            program: command[0].into(),
            arguments: command[1..].iter().map(|a| a.into()).collect(),
            timeout: Duration::from_secs(60),
            clock: Arc::new(SystemClock::new()),
            last: Mutex::default(),
        })
    }

    async fn ended(trainer: &Arc<Trainer>) -> String {
        let task = trainer.last().task.take().unwrap();
        task.await.unwrap();
        trainer.last_run().unwrap().outcome.unwrap()
    }

    #[tokio::test]
    async fn one_run_at_a_time_and_its_outcome_is_kept() {
        let trainer = trainer(&["sh", "-c", "read line; exit 3"]);
        trainer.start().unwrap();
        assert!(matches!(trainer.start(), Err(TrainerError::Running { .. })));
        assert_eq!(ended(&trainer).await, "failed: exit status: 3");
        trainer.start().unwrap();
    }

    #[tokio::test]
    async fn a_run_that_does_not_end_is_killed() {
        let mut trainer = trainer(&["sleep", "1000"]);
        Arc::get_mut(&mut trainer).unwrap().timeout = Duration::from_millis(1);
        trainer.start().unwrap();
        assert_eq!(ended(&trainer).await, "timed out");
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let error = trainer(&["/nowhere/tidegate-train"]).start().unwrap_err().to_string();
        assert!(error.contains("`/nowhere/tidegate-train`") && error.contains("training.command"), "{error}");
    }
}
