//! Refusals: every status that the API answers with beside success, as `application/problem+json`.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tidegate_wire::Problem;

use crate::engine::EngineError;

/// A problem document on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    problem: Problem,
    retry_after_s: Option<u32>,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, retry_after_s: None }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        refusal.problem
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        let slug = match error {
            EngineError::Overloaded => "overloaded",
            EngineError::Journal => "not-durable",
            EngineError::Stopped => "stopped",
        };
        Self::unavailable(slug, error.to_string(), error.retry_after_s())
    }
}

impl Refusal {
    /// The kind of problem in a word, one of a fixed set: a metric's label.
    pub fn slug(&self) -> &str {
        self.problem.kind.trim_start_matches("/problems/")
    }

    fn new(status: StatusCode, slug: &str, title: &str, detail: impl Into<String>) -> Self {
        Problem::new(slug, title, status.as_u16(), detail).into()
    }

    /// 400: the body is not in its own format.
    pub fn malformed(slug: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, slug, "The request cannot be read", detail)
    }

    /// 401: no token, or none that is known.
    pub fn unauthorized() -> Self {
        let detail = "send a token that this service knows: `Authorization: Bearer TOKEN`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "A token is needed", detail)
    }

    /// 403: the token is known, but not for this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "The token is not for this", detail)
    }

    /// 404: `slug` says what kind of thing is not there.
    pub fn unknown(slug: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, slug, "There is no such thing", detail)
    }

    /// 409: it cannot be done now.
    pub fn conflict(slug: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, slug, "It cannot be done in this state", detail)
    }

    /// 413: the body is longer than `limit` bytes.
    pub fn too_large(limit: usize, unpacked: bool) -> Self {
        let form = if unpacked { "once unpacked" } else { "as it was sent" };
        let detail = format!("a body has at most {limit} bytes {form}; send fewer reports at once");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large", detail)
    }

    /// 415: not a form that is understood.
    pub fn unsupported(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body's form is not understood", detail)
    }

    /// 422: the body can be read, but says something that it must not.
    pub fn invalid(slug: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, slug, "The request is not valid", detail)
    }

    /// 500: a fault of this service; the log has its cause.
    pub fn internal() -> Self {
        let detail = "the service failed on this request; its log says why under the x-request-id of this answer";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The service failed", detail)
    }

    /// 503: not now; worth another try after `retry_after_s` seconds.
    pub fn unavailable(slug: &str, detail: impl Into<String>, retry_after_s: u32) -> Self {
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, slug, "The service cannot do this now", detail);
        Self { retry_after_s: Some(retry_after_s), ..refusal }
    }

    /// The kind that fits a bare status code, for answers that were not made here.
    pub(super) fn of_status(status: StatusCode, detail: String) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        let slug = title.to_ascii_lowercase().replace(' ', "-");
        let detail = if detail.is_empty() { format!("see /openapi.json for what this service answers: {title}") } else { detail };
        Self::new(status, &slug, title, detail)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static(Problem::CONTENT_TYPE));
        // A problem is four plain fields: writing it cannot fail.
        let body = serde_json::to_vec(&self.problem).unwrap_or_default();
        let mut response = (status, [content_type], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(s) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, s.into());
        }
        response
    }
}
