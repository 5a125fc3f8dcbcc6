//! `tidegate-train fit`: one model from given data.

use std::{path::PathBuf, time::SystemTime};

use anyhow::Context;
use clap::Args;
use tidegate_registry::{Registry, RegistryError, check_id};
use tidegate_wire::Timestamp;

use super::{PastArgs, ReadArgs, share};
use crate::{
    matrix::Options,
    pipeline::{Past, gather, train},
    progress::Progress,
    promote::{Origin, Verdict, card, verdict},
};

/// Arguments of `fit`.
#[derive(Debug, Clone, Args)]
pub struct FitArgs {
    #[command(flatten)]
    past: PastArgs,
    #[command(flatten)]
    read: ReadArgs,
    /// Learn from this share of each trace or journal, from its start
    #[arg(long, default_value = "1", value_parser = share, value_name = "SHARE")]
    until_fraction: f64,
    /// Folder of models
    #[arg(long, default_value = "models", value_name = "DIR")]
    models: PathBuf,
    /// Name of the model; the time when left out
    #[arg(long)]
    id: Option<String>,
    /// When the model is said to have been made, RFC 3339; now when left out
    #[arg(long, value_name = "TIME")]
    created_at: Option<Timestamp>,
    /// Make it the champion if it beats the naive forecasts and the champion
    #[arg(long)]
    promote: bool,
}

impl FitArgs {
    /// Fits, writes, and promotes if asked to.
    ///
    /// # Errors
    /// When the data cannot be read, the id is taken, or the model was to be promoted and lost.
    pub fn run(self) -> anyhow::Result<()> {
        let created_at = self.created_at.unwrap_or_else(now);
        let id = self.id.clone().unwrap_or_else(|| id_of(created_at));
        check_id(&id)?;
        let past = self.past.past(&self.read)?;
        let step_s = step_of(&past);
        let registry = Registry::new(&self.models, step_s);
        let champion = champion(&registry)?;
        let options = Options { rows: self.read.rows, ..Options::default() };
        let samples = gather(&past, self.until_fraction, options, &Progress::Shown)?;
        let origin = Origin { id: id.clone(), created_at, step_s, command: self.command(&id) };
        let (artefact, outcome) = train(&samples, champion.as_ref(), &origin, &Progress::Shown)?;
        print!("{}", card::lines(&outcome.table.overall));
        registry.install(&id, &artefact.files())?;
        println!("model {id} is in {}", self.models.join(&id).display());
        if !self.promote {
            return Ok(());
        }
        let verdict = verdict(&outcome);
        anyhow::ensure!(verdict == Verdict::Won, "model {id} is not promoted: {verdict}");
        registry.promote(&id)?;
        println!("model {id} is the champion: {verdict}");
        Ok(())
    }

    /// The command that fits the same model again, with the data's place left open.
    fn command(&self, id: &str) -> String {
        let from = if self.past.journal.is_some() { "--journal DATA_DIR/journal" } else { "--traces TRACES" };
        format!("tidegate-train fit {from} --until-fraction {} --rows {} --id {id}", self.until_fraction, self.read.rows)
    }
}

/// Length of a window of `past`, in seconds.
pub fn step_of(past: &Past) -> u32 {
    match past {
        Past::Traces(..) => crate::dataset::trace::STEP_S,
        Past::Journal(_, step_s) => *step_s,
    }
}

/// The champion, if there is one that can be used; one that cannot is no rival.
///
/// # Errors
/// When `active.json` cannot be read: it would be overwritten unread.
pub fn champion(registry: &Registry) -> anyhow::Result<Option<tidegate_planner::Model>> {
    match registry.champion() {
        Ok(loaded) => Ok(Some(loaded.model)),
        Err(e @ (RegistryError::Corrupt { .. } | RegistryError::Io { .. })) => Err(e).context("the champion is not known"),
        Err(RegistryError::Missing { .. } | RegistryError::NoChampion { .. }) => Ok(None),
        Err(unusable) => {
            eprintln!("the champion is no rival: {unusable}");
            Ok(None)
        }
    }
}

/// The present.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_secs(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// An id that says when: letters that are legal in one.
pub fn id_of(time: Timestamp) -> String {
    let digits: String = time.to_string().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    format!("m-{digits}")
}
