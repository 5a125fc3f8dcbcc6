//! The model that the planner forecasts with.

use std::path::Path;

use anyhow::{Context, bail};
use tidegate_planner::Model;
use tidegate_registry::Registry;
use tidegate_replay::workload::WINDOW_S;

use crate::args::ModelChoice;

/// Loads the model that was asked for, or the champion when none was; `none` is no model. Says why when there is no champion.
///
/// # Errors
/// When an artefact that was asked for by name cannot be used.
pub fn load(asked: &ModelChoice) -> anyhow::Result<Option<Model>> {
    let Some(artefact) = &asked.model else { return Ok(champion(&asked.models)) };
    if artefact == Path::new("none") {
        return Ok(None);
    }
    let (Some(parent), Some(id)) = (artefact.parent(), artefact.file_name().and_then(|id| id.to_str())) else {
        bail!("--model {}: must be a model's folder, for example models/baseline, or none", artefact.display());
    };
    let loaded = Registry::new(parent, WINDOW_S).load(id).with_context(|| format!("--model {}", artefact.display()))?;
    Ok(Some(loaded.model))
}

fn champion(models: &Path) -> Option<Model> {
    match Registry::new(models, WINDOW_S).champion() {
        Ok(loaded) => Some(loaded.model),
        Err(reason) => {
            eprintln!("no model, so adaptive runs on its naive forecasts: {reason}");
            None
        }
    }
}
