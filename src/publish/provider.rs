//! How to reach the API of a provider of edge stores.

use std::time::Duration;

use super::secret::Secret;
use crate::config::Price;

/// An API that is called with a token.
#[derive(Debug, Clone)]
pub struct ProviderApi {
    /// The provider's own address, or what stands in for it.
    pub base_url: String,
    /// May write the store.
    pub token: Secret,
    /// Longest wait for an answer.
    pub deadline: Duration,
    /// What it charges.
    pub price: Price,
}
