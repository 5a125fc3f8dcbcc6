//! What a tick returns: every node's rates, and why.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use tidegate_wire::{RateTable, Timestamp};
use utoipa::ToSchema;

/// All rates of one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Rises by one with every tick.
    pub epoch: u64,
    /// The tick's time.
    pub issued_at: Timestamp,
    /// One rate table for each node that is known; a table that has not changed keeps its epoch.
    pub tables: BTreeMap<String, Arc<RateTable>>,
    /// Totals, for the log, the metrics and the dashboard.
    pub summary: Summary,
}

/// Totals of a plan.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Nodes that are known, and of those, how many reported in the last window.
    pub nodes: usize,
    /// Nodes that reported in the last window.
    pub nodes_reporting: usize,
    /// Series that are kept.
    pub series: usize,
    /// Series whose forecast comes from a naive expert because the model loses to it.
    pub series_on_naive: usize,
    /// Requests offered in the last window, all nodes.
    pub demand: f64,
    /// Requests admitted in the last window.
    pub admitted: f64,
    /// Requests throttled in the last window.
    pub throttled: f64,
    /// Requests expected in the next window.
    pub forecast: f64,
    /// Per origin: name, sustained capacity, leased rate of the first step, and the price of one more token.
    pub origins: Vec<OriginSummary>,
    /// Why the model is not used, when it is not.
    pub degraded: Option<String>,
}

/// Totals of one origin.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OriginSummary {
    /// The origin's name.
    pub name: String,
    /// Its capacity, requests per second.
    pub sustained_per_s: f64,
    /// Its burst, requests.
    pub burst: f64,
    /// Highest sum of leased refill rates over the steps of all leases still in force, tokens per second.
    pub leased_per_s: f64,
    /// Sum of leased bursts of all leases still in force, tokens.
    pub leased_burst: f64,
    /// Probability that one more token at any unclamped node would be used: the group's price.
    pub price: f64,
}

/// Why a bucket has the rate it has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The node.
    pub node: String,
    /// The bucket.
    pub bucket: String,
    /// Plan that this is about.
    pub epoch: u64,
    /// Guaranteed rate, tokens per second; 0 when the bucket is served by the table's default.
    pub refill_per_s: f64,
    /// Whether the rate table lists it.
    pub listed: bool,
    /// Most it may reach when it borrows, tokens per second.
    pub ceiling_per_s: f64,
    /// Tokens of its node's pool that it must leave to others when it borrows.
    pub must_leave: f64,
    /// How unusually many newcomers its node has, 0 to 1: the more, the more of the pool they must leave.
    pub newcomers_surge: f64,
    /// What the rate was made of.
    pub forecast: Recommendation,
    /// The rule that bound the rate: `forecast`, `floor`, `ceiling`, `step-up`, `step-down`, `dead-band`, `unhealthy`,
    /// `capacity`, `default`.
    pub bound_by: String,
    /// The policy that it obeys.
    pub policy: String,
}

/// Forecast of one series and what it would be leased were it alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Recommendation {
    /// Rate that meets the policy's SLO, tokens per second.
    pub refill_per_s: f64,
    /// Expected requests of each of the next steps.
    pub mean: Vec<f64>,
    /// Requests of the next step that are not exceeded with probability 0.5, 0.9 and 0.99.
    pub quantiles: [f64; 3],
    /// Where the mean comes from: `model` or the name of a naive expert.
    pub expert: String,
    /// The features the model saw, by name.
    pub features: BTreeMap<String, f32>,
}
