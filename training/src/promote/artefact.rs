//! Model, manifest and checksum: the files of one artefact.

use serde_json::json;
use tidegate_planner::{
    Model,
    forecast::{Manifest, checksum},
};
use tidegate_wire::Timestamp;

use super::card;
use crate::{
    evaluate::{
        Backtest, Forecaster,
        backtest::{by_group, spread},
        forecaster::regression,
    },
    fit::FittedPoisson,
    matrix::Samples,
};

/// What is said of a fit besides the numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// Id of the model.
    pub id: String,
    /// When it was fitted.
    pub created_at: Timestamp,
    /// Length of a window in seconds.
    pub step_s: u32,
    /// The command that fits it again.
    pub command: String,
}

/// The files of one artefact.
#[derive(Debug, Clone, PartialEq)]
pub struct Artefact {
    /// The model itself.
    pub model: Model,
    /// `model.json`.
    pub model_json: Vec<u8>,
    /// `manifest.json`.
    pub manifest_json: Vec<u8>,
    /// `card.md`.
    pub card: String,
}

impl Artefact {
    /// Puts `fits` (one per step, of the kind that `backtest` found best) into the form that the service reads.
    ///
    /// # Errors
    /// A number that JSON cannot hold; a fit has none.
    pub fn new(origin: &Origin, fits: &[FittedPoisson], samples: &Samples, backtest: &Backtest) -> serde_json::Result<Self> {
        let all: Vec<u32> = (0..samples.len() as u32).collect();
        let forecaster = Forecaster::of_fits("fit", fits);
        let spreads = by_group(samples, &all, |i| samples.class[i]).into_values().map(|rows| spread(samples, &forecaster, 0, &rows));
        let dispersion = median(spreads.collect());
        let steps = fits.iter().map(regression).collect();
        let model = Model::new(origin.id.clone(), origin.step_s, steps, dispersion);
        let model_json = pretty(&model)?;
        let manifest = Manifest {
            id: origin.id.clone(),
            created_at: origin.created_at.to_string(),
            sha256: checksum(&model_json),
            trainer: env!("CARGO_PKG_VERSION").into(),
            data: json!({
                "rows": samples.len(),
                "command": origin.command,
                "sources": samples.spans.iter().map(|s| json!({
                    "name": s.name, "from": s.from, "to": s.to, "windows": s.windows, "series": s.series, "requests": s.requests,
                    "damaged_frames": s.skipped,
                })).collect::<Vec<_>>(),
            }),
            metrics: json!({"kind": backtest.best.name(), "relative_to": "last value", "backtest": backtest.table.overall}),
        };
        let card = card::render(origin, &model, samples, backtest);
        Ok(Self { model, model_json, manifest_json: pretty(&manifest)?, card })
    }

    /// Names and contents of the files, as the registry installs them.
    pub fn files(&self) -> [(&'static str, &[u8]); 3] {
        [("model.json", &self.model_json), ("manifest.json", &self.manifest_json), ("card.md", self.card.as_bytes())]
    }
}

fn pretty(value: &impl serde::Serialize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The middle value; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
