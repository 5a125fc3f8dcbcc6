//! Which policy a bucket obeys.

use std::sync::LazyLock;

use super::Planner;
use crate::settings::{Policy, matches};

static DEFAULT: LazyLock<Policy> = LazyLock::new(Policy::default);

impl Planner {
    /// The policy of a bucket: the first whose pattern matches.
    pub(super) fn policy(&self, bucket: &str) -> &Policy {
        self.settings.policies.iter().find(|p| matches(&p.buckets, bucket)).unwrap_or(&DEFAULT)
    }

    /// The policy of every bucket that no other policy names.
    pub(super) fn default_policy(&self) -> &Policy {
        self.settings.policies.iter().find(|p| p.buckets == "*").unwrap_or(&DEFAULT)
    }

    /// Whether a table must list the buckets of `policy` even where little is expected of them.
    pub(super) fn lists(&self, policy: &Policy) -> bool {
        let d = self.default_policy();
        policy.floor_per_s > 0.0
            || policy.priority != d.priority
            || policy.weight != d.weight
            || policy.limit_per_s.is_some()
            || policy.ceiling_per_s != d.ceiling_per_s
    }
}
