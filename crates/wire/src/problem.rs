//! Errors as the API says them: `application/problem+json` (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A problem document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// URI reference that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in a few words; the same for every occurrence.
    pub title: String,
    /// HTTP status code.
    pub status: u16,
    /// What is wrong this time and how to mend it.
    pub detail: String,
}

impl Problem {
    /// Media type of the document.
    pub const CONTENT_TYPE: &'static str = "application/problem+json";

    /// A problem of kind `/problems/{slug}`.
    pub fn new(slug: &str, title: &str, status: u16, detail: impl Into<String>) -> Self {
        Self { kind: format!("/problems/{slug}"), title: title.to_owned(), status, detail: detail.into() }
    }
}
