//! `tidegate-train run`: retraining as a process of its own.

use std::{
    path::PathBuf,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use anyhow::Context;
use clap::Args;
use tidegate_registry::Registry;
use tidegate_wire::Timestamp;

use super::{
    duration,
    fit::{champion, id_of, now},
    seconds,
};
use crate::{
    matrix::Options,
    pipeline::{Past, gather, train},
    progress::Progress,
    promote::{Origin, Verdict, card, verdict},
};

/// Arguments of `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Time between two passes
    #[arg(long, default_value = "6h", value_parser = duration, value_name = "TIME")]
    every: Duration,
    /// Make one pass and end
    #[arg(long)]
    once: bool,
    /// Data directory of the service; its journal is read
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Folder of models
    #[arg(long, default_value = "models", value_name = "DIR")]
    models: PathBuf,
    /// Length of a window, as the service's planner.interval_s
    #[arg(long, default_value = "30s", value_parser = seconds, value_name = "TIME")]
    interval: u32,
    /// About so many rows are kept
    #[arg(long, default_value_t = 500_000, value_name = "N")]
    rows: usize,
}

impl RunArgs {
    /// Makes a pass now and after each `every`, until the process is told to end.
    ///
    /// # Errors
    /// With `--once`, what went wrong; without, a failed pass is told and the next waited for.
    pub fn run(self) -> anyhow::Result<()> {
        if self.once {
            return self.pass(now()).map(|outcome| println!("{outcome}"));
        }
        let stop = stop_signal()?;
        loop {
            match self.pass(now()) {
                Ok(outcome) => println!("{outcome}"),
                Err(error) => eprintln!("this pass failed, the next is in {:?}: {error:#}", self.every),
            }
            match stop.recv_timeout(self.every) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Reads the journal, fits, backtests, and promotes a winner. Says what came of it.
    ///
    /// # Errors
    /// When the journal or the models cannot be read or written, or there is too little to learn from.
    pub fn pass(&self, now: Timestamp) -> anyhow::Result<String> {
        let registry = Registry::new(&self.models, self.interval);
        let champion = champion(&registry)?;
        let past = Past::Journal(self.data_dir.join("journal"), self.interval);
        let options = Options { rows: self.rows, ..Options::default() };
        let samples = gather(&past, 1.0, options, &Progress::Shown)?;
        let id = id_of(now);
        let command = format!("tidegate-train run --once --data-dir DATA_DIR --interval {}s --rows {}", self.interval, self.rows);
        let origin = Origin { id: id.clone(), created_at: now, step_s: self.interval, command };
        let (artefact, outcome) = train(&samples, champion.as_ref(), &origin, &Progress::Shown)?;
        print!("{}", card::lines(&outcome.table.overall));
        let verdict = verdict(&outcome);
        if verdict != Verdict::Won {
            return Ok(format!("model {id} is not kept: {verdict}"));
        }
        registry.install(&id, &artefact.files())?;
        registry.promote(&id)?;
        Ok(format!("model {id} is the champion: {verdict}"))
    }
}

/// Hears of Ctrl-C, SIGTERM and SIGHUP. A pass under way ends first: it takes seconds, and its promotion is one rename.
fn stop_signal() -> anyhow::Result<Receiver<()>> {
    let (tell, stop) = channel();
    ctrlc::set_handler(move || {
        // The receiver is gone only when the process is ending anyway.
        let _ = tell.send(());
    })
    .context("cannot listen for signals")?;
    Ok(stop)
}
