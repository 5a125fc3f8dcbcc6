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

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::StatusCode, middleware, routing::get};
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    async fn fails() -> StatusCode {
        panic!("the password is hunter2")
    }

    async fn answer(path: &str) -> (StatusCode, Problem) {
        let router = Router::new()
            .route("/panic", get(fails))
            .route("/text", get(|| async { (StatusCode::IM_A_TEAPOT, "short and stout") }))
            .layer(CatchPanicLayer::custom(of_panic))
            .layer(middleware::from_fn(unify));
        let response = router.oneshot(Request::builder().uri(path).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], Problem::CONTENT_TYPE);
        let status = response.status();
        (status, serde_json::from_slice(&to_bytes(response.into_body(), TEXT_MAX).await.unwrap()).unwrap())
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing_of_it() {
        let (status, problem) = answer("/panic").await;
        assert_eq!((status, problem.status, problem.kind.as_str()), (StatusCode::INTERNAL_SERVER_ERROR, 500, "/problems/internal"));
        assert!(!problem.detail.contains("hunter2"));
    }

    #[tokio::test]
    async fn an_error_in_plain_text_becomes_the_detail_of_a_problem() {
        let (status, problem) = answer("/text").await;
        assert_eq!((status, problem.detail.as_str()), (StatusCode::IM_A_TEAPOT, "short and stout"));
        assert_eq!(answer("/nowhere").await.1.kind, "/problems/not-found");
    }
}
