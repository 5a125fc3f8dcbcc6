//! The model artefact: one log-linear regression per step ahead, readable, checksummed.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::features;

/// Steps ahead that a model predicts.
pub const STEPS: usize = 4;

/// Version of the artefact's form.
const FORMAT: u32 = 1;

/// A fitted forecast: expected requests of each of the next [`STEPS`] windows, `exp(intercept + coefficients . features)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Name of the artefact's folder under `models/`.
    pub id: String,
    /// Version of this form.
    pub format: u32,
    /// Length of a window in seconds; the planner's interval must be the same.
    pub step_s: u32,
    /// Names of the features, in the order of the coefficients.
    pub features: Vec<String>,
    /// One regression per step ahead, the next window first.
    pub steps: Vec<Regression>,
    /// Variance of a count in excess of Poisson's, as a multiple of its squared mean, in the backtest: for whoever reads the model's
    /// card. The planner measures how far each series strays itself, see [`crate::state::Columns::overdispersion`].
    pub dispersion: f64,
}

/// A Poisson regression with a log link, on features as they come (not standardised).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    /// Log of the mean where every feature is zero.
    pub intercept: f64,
    /// One per feature.
    pub coefficients: Vec<f64>,
}

/// What stands beside a model: where it came from and how it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The model's id.
    pub id: String,
    /// When it was fitted, RFC 3339.
    pub created_at: String,
    /// SHA-256 of `model.json`, hex.
    pub sha256: String,
    /// Version of the program that fitted it.
    pub trainer: String,
    /// What it was fitted on.
    pub data: serde_json::Value,
    /// How it did in the backtest, beside the naive forecasts and the champion of the time.
    pub metrics: serde_json::Value,
}

/// Why an artefact is not used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file is not what the manifest says.
    #[error("model.json does not match the manifest: sha256 is {found}, the manifest says {expected}")]
    Checksum {
        /// Of the file.
        found: String,
        /// By the manifest.
        expected: String,
    },
    /// The file cannot be read as a model.
    #[error("{file} cannot be read: {source}")]
    Parse {
        /// `model.json` or `manifest.json`.
        file: &'static str,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The model is of another form, or was fitted on other features or another interval.
    #[error("model {id} does not fit this version: {reason}")]
    Unfit {
        /// The model.
        id: String,
        /// What differs.
        reason: String,
    },
}

impl Model {
    /// Wraps regressions fitted by this version.
    pub fn new(id: impl Into<String>, step_s: u32, steps: Vec<Regression>, dispersion: f64) -> Self {
        let features = features::NAMES.iter().map(|n| (*n).to_owned()).collect();
        Self { id: id.into(), format: FORMAT, step_s, features, steps, dispersion }
    }

    /// Reads an artefact and checks it against its manifest and against this version's features.
    ///
    /// # Errors
    /// [`ModelError`], one kind per thing that can be wrong.
    pub fn from_artefact(manifest: &[u8], model: &[u8]) -> Result<(Self, Manifest), ModelError> {
        let manifest: Manifest = serde_json::from_slice(manifest).map_err(|source| ModelError::Parse { file: "manifest.json", source })?;
        let found = checksum(model);
        if found != manifest.sha256 {
            return Err(ModelError::Checksum { found, expected: manifest.sha256 });
        }
        let model: Self = serde_json::from_slice(model).map_err(|source| ModelError::Parse { file: "model.json", source })?;
        model.check()?;
        Ok((model, manifest))
    }

    /// Checks form, features and values.
    ///
    /// # Errors
    /// [`ModelError::Unfit`] naming what differs.
    pub fn check(&self) -> Result<(), ModelError> {
        let unfit = |reason: String| Err(ModelError::Unfit { id: self.id.clone(), reason });
        if self.format != FORMAT {
            return unfit(format!("its form is version {}, this program reads {FORMAT}", self.format));
        }
        if !self.features.iter().map(String::as_str).eq(features::NAMES.iter().copied()) {
            return unfit("it was fitted on other features; retrain it".into());
        }
        if self.steps.len() != STEPS || self.steps.iter().any(|r| r.coefficients.len() != features::COUNT) {
            return unfit(format!("{STEPS} regressions of {} coefficients are needed", features::COUNT));
        }
        let finite = |r: &Regression| r.intercept.is_finite() && r.coefficients.iter().all(|c| c.is_finite());
        if !(self.steps.iter().all(finite) && self.dispersion.is_finite() && self.dispersion >= 0.0) {
            return unfit("a coefficient is not a finite number".into());
        }
        Ok(())
    }
}

/// SHA-256 of a file's bytes, hex.
pub fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}
