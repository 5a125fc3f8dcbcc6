//! Sees to it that every error leaves as a problem document, whoever made it: router, extractor, layer or a panic.

use std::any::Any;

use axum::{
    body::to_bytes,
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tidegate_wire::Problem;

use super::refusal::Refusal;

/// Most bytes kept of an error text that was not made here; they are all short.
const TEXT_MAX: usize = 4096;

/// Turns error answers of any other type into problems; headers such as `Allow` stay.
pub async fn unify(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let problem = HeaderValue::from_static(Problem::CONTENT_TYPE);
    if !is_error || response.headers().get(header::CONTENT_TYPE) == Some(&problem) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, TEXT_MAX).await.map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default();
    let unified = Refusal::of_status(parts.status, text).into_response();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, problem);
    Response::from_parts(parts, unified.into_body())
}

/// The answer to a request whose handler panicked.
pub fn of_panic(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str).or(cause.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("of no text"), "a request handler panicked");
    Refusal::internal().into_response()
}
