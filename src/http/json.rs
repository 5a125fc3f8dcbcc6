//! JSON bodies: read fast, and read again with paths where that fails.

use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use super::refusal::Refusal;

/// Reads `body` as a `T`.
///
/// # Errors
/// 400 where the text is not JSON, 422 with the path of the value that is not as it must be.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    // Tracking paths costs more than the parsing itself, so it is left to the bodies that need it.
    serde_json::from_slice(body).or_else(|_| explain(body))
}

/// Refuses a body that is not said to be JSON.
///
/// # Errors
/// 415.
pub fn expect(headers: &HeaderMap) -> Result<(), Refusal> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::unsupported("send the body as application/json"))
}

fn explain<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
        let path = e.path().to_string();
        let cause = e.into_inner();
        match cause.classify() {
            serde_json::error::Category::Data => Refusal::invalid("invalid-body", format!("{path}: {cause}")),
            _ => Refusal::malformed("malformed-json", format!("{path}: {cause}")),
        }
    })?;
    reader.end().map_err(|e| Refusal::malformed("malformed-json", e.to_string()))?;
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use tidegate_wire::{Problem, Telemetry};

    use super::*;

    fn problem(body: &str) -> Problem {
        parse::<Telemetry>(body.as_bytes()).unwrap_err().into()
    }

    #[test]
    fn a_wrong_value_is_named_by_its_path() {
        let body = r#"{"reports":[{"node":"a","sequence":1,"start":"2026-11-21T20:00:00Z","seconds":30,
            "buckets":[{"bucket":"b","requests":-1,"throttled":0}]}]}"#;
        let p = problem(body);
        assert_eq!((p.status, p.kind.as_str()), (422, "/problems/invalid-body"));
        assert!(p.detail.starts_with("reports[0].buckets[0].requests: invalid value: integer `-1`"), "{}", p.detail);
    }

    #[test]
    fn text_that_is_not_json_is_another_problem() {
        for body in ["", "{", "{\"reports\":[NaN]}", "{\"reports\":[]} x", "\u{0}"] {
            let p = problem(body);
            assert_eq!((p.status, p.kind.as_str()), (400, "/problems/malformed-json"), "{body:?}: {}", p.detail);
        }
    }
}
