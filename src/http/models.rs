//! The model API: list, promote, roll back, retrain.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use tidegate_registry::{Entry, Loaded, Registry, RegistryError};
use tidegate_wire::Problem;
use utoipa::ToSchema;

use super::{Api, auth::Caller, refusal::Refusal};
use crate::trainer::{Run, TrainerError};

/// Answer of `GET /v1/models`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Models {
    /// The model that forecasts now; none when the naive experts do it alone.
    serving: Option<String>,
    /// Every artefact.
    models: Vec<ModelEntry>,
    /// The newest run of the trainer that this service started.
    last_training: Option<Run>,
}

/// One artefact under `models/`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelEntry {
    /// Its id.
    id: String,
    /// Whether it is the champion.
    champion: bool,
    /// Why it cannot serve; none when it can.
    error: Option<String>,
    /// What it was fitted on and how it did.
    manifest: Option<serde_json::Value>,
}

/// Answer of a change of champion.
#[derive(Debug, Serialize, ToSchema)]
pub struct Promoted {
    /// The champion, which forecasts from the next tick on.
    champion: String,
}

/// List the models
#[utoipa::path(
    get,
    path = "/v1/models",
    operation_id = "list_models",
    tag = "models",
    responses(
        (status = 200, description = "Artefacts, fit and unfit", body = Models),
        (status = 401, description = "No token that is known", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator's token", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<Models>, Refusal> {
    caller.may_operate()?;
    let entries = on_disk(&api, |registry| registry.entries()).await?;
    let serving = api.engine.query(|planner| planner.model().map(|m| m.id.clone())).await?;
    let models = entries.into_iter().map(ModelEntry::from).collect();
    Ok(Json(Models { serving, models, last_training: api.trainer.last_run() }))
}

/// Make a model the champion
#[utoipa::path(
    post,
    path = "/v1/models/{id}/promote",
    operation_id = "promote_model",
    tag = "models",
    params(("id" = String, Path, description = "Model id")),
    responses(
        (status = 200, description = "It is the champion", body = Promoted),
        (status = 401, description = "No token that is known", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator's token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such model", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It cannot serve; the champion stays", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn promote(State(api): State<Arc<Api>>, caller: Caller, Path(id): Path<String>) -> Result<Json<Promoted>, Refusal> {
    caller.may_operate()?;
    let loaded = on_disk(&api, move |registry| registry.promote(&id)).await?;
    use_from_now(&api, loaded).await
}

/// Go back to the champion before
#[utoipa::path(
    post,
    path = "/v1/models/rollback",
    operation_id = "roll_back_model",
    tag = "models",
    responses(
        (status = 200, description = "The one before is the champion again", body = Promoted),
        (status = 401, description = "No token that is known", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator's token", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There is none to go back to", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn rollback(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<Promoted>, Refusal> {
    caller.may_operate()?;
    let loaded = on_disk(&api, |registry| registry.rollback()).await?;
    use_from_now(&api, loaded).await
}

/// Retrain now
#[utoipa::path(
    post,
    path = "/v1/retrain",
    tag = "models",
    responses(
        (status = 202, description = "The trainer was started", body = Run),
        (status = 401, description = "No token that is known", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator's token", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The trainer is running", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The trainer is not installed", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn retrain(State(api): State<Arc<Api>>, caller: Caller) -> Result<(StatusCode, Json<Run>), Refusal> {
    caller.may_operate()?;
    Ok((StatusCode::ACCEPTED, Json(api.trainer.start()?)))
}

async fn use_from_now(api: &Api, loaded: Loaded) -> Result<Json<Promoted>, Refusal> {
    let champion = loaded.model.id.clone();
    api.engine.set_model(Some(loaded.model)).await?;
    Ok(Json(Promoted { champion }))
}

/// Runs file work where it holds up no request.
async fn on_disk<T: Send + 'static>(
    api: &Api,
    work: impl FnOnce(&Registry) -> Result<T, RegistryError> + Send + 'static,
) -> Result<T, Refusal> {
    let registry = api.registry.clone();
    match tokio::task::spawn_blocking(move || work(&registry)).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Refusal::internal()),
    }
}

impl From<Entry> for ModelEntry {
    fn from(entry: Entry) -> Self {
        // A manifest was read from JSON, so it can be written as JSON.
        let manifest = entry.manifest.and_then(|m| serde_json::to_value(m).ok());
        Self { id: entry.id, champion: entry.champion, error: entry.error, manifest }
    }
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        match &error {
            RegistryError::Id { .. } | RegistryError::Unknown { .. } => Self::unknown("unknown-model", error.to_string()),
            RegistryError::Io { .. } => {
                tracing::error!(%error, "the models directory cannot be used");
                Self::unavailable("models-unavailable", error.to_string(), 60)
            }
            RegistryError::NoPrevious => Self::conflict("no-previous-model", error.to_string()),
            _ => Self::conflict("unfit-model", error.to_string()),
        }
    }
}

impl From<TrainerError> for Refusal {
    fn from(error: TrainerError) -> Self {
        match error {
            TrainerError::Running { .. } => Self::conflict("training-runs", error.to_string()),
            TrainerError::Start { .. } => Self::unavailable("no-trainer", error.to_string(), 600),
        }
    }
}
