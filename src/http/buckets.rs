//! `GET /v1/buckets/{bucket}`: why a bucket has the rate it has.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::{Deserialize, Serialize};
use tidegate_planner::{Explanation, Planner};
use tidegate_wire::Problem;
use utoipa::{IntoParams, ToSchema};

use super::{Api, auth::Caller, refusal::Refusal};

/// Query of `GET /v1/buckets/{bucket}`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AtNode {
    /// The node; every node that knows the bucket when left out.
    node: Option<String>,
}

/// A bucket's rate at each node, explained.
#[derive(Debug, Serialize, ToSchema)]
pub struct BucketExplained {
    /// The bucket.
    bucket: String,
    /// One explanation per node.
    nodes: Vec<Explanation>,
}

/// Why a bucket has its rate
#[utoipa::path(
    get,
    path = "/v1/buckets/{bucket}",
    operation_id = "explain_bucket",
    tag = "operation",
    params(("bucket" = String, Path, description = "Bucket id"), AtNode),
    responses(
        (status = 200, description = "Inputs, forecast and the rule that bound the rate, by node", body = BucketExplained),
        (status = 401, description = "No token that is known", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator's token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The bucket is not known there", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn explain(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(bucket): Path<String>,
    Query(at): Query<AtNode>,
) -> Result<Json<BucketExplained>, Refusal> {
    caller.may_operate()?;
    let asked = bucket.clone();
    let nodes = api.engine.query(move |planner| explanations(planner, &asked, at.node)).await?;
    if nodes.is_empty() {
        let detail =
            format!("bucket {bucket:?} is not known there: it had no requests, was idle for long, or is counted as unlisted traffic");
        return Err(Refusal::unknown("unknown-bucket", detail));
    }
    Ok(Json(BucketExplained { bucket, nodes }))
}

fn explanations(planner: &Planner, bucket: &str, node: Option<String>) -> Vec<Explanation> {
    let nodes = node.map_or_else(|| planner.nodes_of(bucket), |node| vec![node]);
    nodes.iter().filter_map(|node| planner.explain(node, bucket)).collect()
}
