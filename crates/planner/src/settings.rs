//! What a person has decided: the origins' capacities, the policies and the bounds that hold whatever the model says.

use serde::{Deserialize, Serialize};

mod without;

pub use without::Without;

/// Everything the planner is told by its configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Length of a window, of a tick and of a step of a schedule, in seconds.
    pub interval_s: u32,
    /// Origins, each with the nodes that lead to it. A node belongs to the first whose pattern matches.
    pub origins: Vec<Origin>,
    /// Intents for sets of buckets. A bucket obeys the first whose pattern matches; [`Policy::default`] when none does.
    pub policies: Vec<Policy>,
    /// How long rates are lent and what holds when they run out.
    pub lease: Lease,
    /// Hard bounds on what the model may propose.
    pub guard: Guard,
    /// Bounds on memory.
    pub limits: Limits,
    /// What a measurement leaves out; not part of the configuration.
    #[serde(skip)]
    pub without: Without,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval_s: 30,
            origins: vec![Origin::default()],
            policies: vec![],
            lease: Lease::default(),
            guard: Guard::default(),
            limits: Limits::default(),
            without: Without::default(),
        }
    }
}

/// A capacity shared by all buckets of the nodes that lead to it: itself a token bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Origin {
    /// Name, for explanations and metrics.
    pub name: String,
    /// Nodes that lead to it: a node id, or a prefix followed by `*`.
    pub nodes: String,
    /// Requests per second that it can serve for ever.
    pub sustained_per_s: f64,
    /// Requests that it can serve at once on top, once rested.
    pub burst: f64,
}

impl Default for Origin {
    fn default() -> Self {
        Self { name: "default".into(), nodes: "*".into(), sustained_per_s: 1000.0, burst: 10_000.0 }
    }
}

/// A person's intent for a set of buckets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Name, for explanations.
    pub name: String,
    /// Buckets it is for: a bucket id, or a prefix followed by `*`.
    pub buckets: String,
    /// Share of the legitimate requests that should be admitted, 0 to 1.
    pub slo: f64,
    /// Least guaranteed rate, tokens per second.
    pub floor_per_s: f64,
    /// Most a bucket may reach at one node when it borrows, tokens per second; none when left out.
    pub ceiling_per_s: Option<f64>,
    /// Most a bucket may reach over all nodes together, tokens per second; none when left out. At once it may have what that brings in
    /// the length of a lease, and two tokens at each instance of a node.
    pub limit_per_s: Option<f64>,
    /// What one admitted request is worth beside those of other policies.
    pub weight: f64,
    /// Order of shedding when capacity is scarce: the lowest goes first.
    pub priority: u8,
    /// What holds after a lease has run out.
    pub when_stale: WhenStale,
    /// Count refusals without enforcing them.
    pub shadow: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            name: "default".into(),
            buckets: "*".into(),
            slo: 0.999,
            floor_per_s: 0.0,
            ceiling_per_s: None,
            limit_per_s: None,
            weight: 1.0,
            priority: 100,
            when_stale: WhenStale::Safe,
            shadow: false,
        }
    }
}

/// What a bucket falls back to after its lease has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenStale {
    /// Its share of the origin's safe rates.
    #[default]
    Safe,
    /// The policy's floor.
    Floor,
}

/// How rates are lent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lease {
    /// Seconds from issue to expiry of a rate table.
    pub duration_s: u32,
    /// Steps of the schedule that a table carries.
    pub steps: u32,
    /// Share of an origin's sustained capacity that all safe rates together may take, 0 to 1.
    pub safe_share: f64,
    /// Seconds after its last report until a node's safe rate goes back to the others.
    pub forget_after_s: u32,
}

impl Default for Lease {
    fn default() -> Self {
        Self { duration_s: 300, steps: 6, safe_share: 0.9, forget_after_s: 86_400 }
    }
}

/// Hard bounds on what the model may propose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Guard {
    /// Largest factor by which a bucket's guaranteed rate may grow from one tick to the next.
    pub step_up: f64,
    /// Largest factor by which it may shrink.
    pub step_down: f64,
    /// Relative change below which a rate stays as it was.
    pub dead_band: f64,
    /// Share of processor or memory in use from which a node is exhausted: it gets no raise.
    pub exhausted: f64,
    /// Rise of the error ratio over its own baseline from which demand raises nothing.
    pub error_surge: f64,
}

impl Default for Guard {
    fn default() -> Self {
        Self { step_up: 4.0, step_down: 4.0, dead_band: 0.05, exhausted: 0.95, error_surge: 0.25 }
    }
}

/// Bounds on memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Series kept in all.
    pub series: usize,
    /// Series kept per node; reports of further buckets are added to the node's unlisted traffic.
    pub series_per_node: usize,
    /// Seconds without a request after which a series is evicted.
    pub idle_after_s: u32,
    /// Most buckets that a rate table lists.
    pub listed_per_node: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { series: 1_000_000, series_per_node: 200_000, idle_after_s: 86_400, listed_per_node: 1_000 }
    }
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct SettingsError {
    /// The setting, as in the configuration file.
    pub key: String,
    /// What is wrong and what would do.
    pub reason: String,
}

impl Settings {
    /// Checks every value and every relation between values.
    ///
    /// # Errors
    /// The first key whose value cannot be used.
    pub fn check(&self) -> Result<(), SettingsError> {
        let refuse = |key: String, reason: &str| Err(SettingsError { key, reason: reason.into() });
        if self.interval_s == 0 || 86_400 % self.interval_s != 0 {
            return refuse("interval_s".into(), "must divide a day evenly, for example 30");
        }
        if self.origins.is_empty() {
            return refuse("origins".into(), "at least one origin is needed");
        }
        for (i, o) in self.origins.iter().enumerate() {
            if !(o.sustained_per_s.is_finite() && o.sustained_per_s > 0.0) {
                return refuse(format!("origins[{i}].sustained_per_s"), "must be a positive number of requests per second");
            }
            if !(o.burst.is_finite() && o.burst >= 0.0) {
                return refuse(format!("origins[{i}].burst"), "must be zero or a positive number of requests");
            }
        }
        for (i, p) in self.policies.iter().enumerate() {
            p.check().or_else(|(key, reason)| refuse(format!("policies[{i}].{key}"), reason))?;
        }
        let l = &self.lease;
        if l.steps < 3 || l.steps > 16 {
            return refuse("lease.steps".into(), "must be 3 to 16");
        }
        if l.duration_s < 2 * self.interval_s {
            return refuse("lease.duration_s".into(), "must be at least two intervals, or a lease ends before the next can arrive");
        }
        if (l.steps - 1).saturating_mul(self.interval_s) > l.duration_s {
            return refuse(
                "lease.steps".into(),
                "must not reach beyond lease.duration_s: the last step is the safe rate, on which a lease ends",
            );
        }
        if !(0.0..=1.0).contains(&l.safe_share) {
            return refuse("lease.safe_share".into(), "must be a share from 0 to 1");
        }
        let g = &self.guard;
        for (key, factor) in [("step_up", g.step_up), ("step_down", g.step_down)] {
            if !(factor.is_finite() && factor > 1.0) {
                return refuse(format!("guard.{key}"), "must be a factor above 1");
            }
        }
        for (key, share) in [("dead_band", g.dead_band), ("exhausted", g.exhausted), ("error_surge", g.error_surge)] {
            if !(0.0..=1.0).contains(&share) {
                return refuse(format!("guard.{key}"), "must be a share from 0 to 1");
            }
        }
        if self.limits.series == 0 || self.limits.series_per_node == 0 {
            return refuse("limits.series".into(), "must be at least 1");
        }
        Ok(())
    }
}

impl Policy {
    /// Most that a bucket may reach at one node, tokens per second; none when nothing bounds it.
    pub fn most_per_s(&self) -> Option<f64> {
        match (self.ceiling_per_s, self.limit_per_s) {
            (Some(ceiling), Some(limit)) => Some(ceiling.min(limit)),
            (ceiling, limit) => ceiling.or(limit),
        }
    }

    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(0.0..1.0).contains(&self.slo) {
            return Err(("slo", "must be a share from 0 to below 1, for example 0.999"));
        }
        if !(self.floor_per_s.is_finite() && self.floor_per_s >= 0.0) {
            return Err(("floor_per_s", "must be zero or a positive rate"));
        }
        for (key, bound) in [("ceiling_per_s", self.ceiling_per_s), ("limit_per_s", self.limit_per_s)] {
            if bound.is_some_and(|b| !(b.is_finite() && b > 0.0)) {
                return Err((key, "must be a positive rate"));
            }
            if bound.is_some_and(|b| b < self.floor_per_s) {
                return Err((key, "must not be below floor_per_s"));
            }
        }
        if !(self.weight.is_finite() && self.weight > 0.0) {
            return Err(("weight", "must be a positive number"));
        }
        Ok(())
    }
}

/// Whether `id` is `pattern`, or starts with what stands before the `*` at its end.
pub fn matches(pattern: &str, id: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => id.starts_with(prefix),
        None => pattern == id,
    }
}
