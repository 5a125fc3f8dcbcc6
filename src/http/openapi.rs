//! `GET /openapi.json`, and the JSON Schemas in `contracts/`: all generated from the code.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tidegate_wire::{RateShard, RateTable, Telemetry};
use utoipa::{
    OpenApi, PartialSchema, ToSchema,
    openapi::{
        OpenApi as Document, RefOr,
        schema::Schema,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "tidegate",
        description = "Adaptive token buckets for APIs at the edge: telemetry in, leased refill rates out. Every error is a problem document.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "edge", description = "What an edge node needs"),
        (name = "operation", description = "Why rates are as they are, and whether all is well"),
        (name = "models", description = "Which model forecasts"),
    ),
    security((), ("token" = []))
)]
struct Preamble;

/// The document before its routes are added.
pub(super) fn preamble() -> Document {
    let mut document = Preamble::openapi();
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.description = Some("A node's or an operator's token; none is needed while none is set up".into());
    document.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(bearer));
    document
}

/// The document as `contracts/openapi.json` holds it.
pub fn document() -> Value {
    let (_, document) = super::documented().split_for_parts();
    // The document is maps of strings, which JSON always holds.
    serde_json::to_value(document).unwrap_or_default()
}

/// The JSON Schemas that workers are checked against: file name in `contracts/` and content.
pub fn schemas() -> [(&'static str, Value); 3] {
    [
        ("telemetry.schema.json", schema_of::<Telemetry>()),
        ("rates.schema.json", schema_of::<RateTable>()),
        ("rates-shard.schema.json", schema_of::<RateShard>()),
    ]
}

fn schema_of<T: ToSchema + PartialSchema>() -> Value {
    let mut parts: Vec<(String, RefOr<Schema>)> = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut parts);
    let parts: serde_json::Map<String, Value> =
        parts.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default())).collect();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{}", T::name()),
        "$defs": parts,
    });
    refer_to_defs(&mut schema);
    schema
}

/// Turns references into an OpenAPI document to ones into the schema itself.
fn refer_to_defs(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix("#/components/schemas/") {
                *text = format!("#/$defs/{name}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(refer_to_defs),
        Value::Object(fields) => fields.values_mut().for_each(refer_to_defs),
        _ => {}
    }
}

/// The document, written once.
#[derive(Clone)]
pub(super) struct Served(axum::body::Bytes);

impl Served {
    pub(super) fn new(document: &Document) -> Self {
        Self(serde_json::to_vec(document).unwrap_or_default().into())
    }
}

impl IntoResponse for Served {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], self.0).into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// Compares a checked-in contract with what the code says; with `UPDATE_CONTRACTS` set it is written anew instead.
    fn check(name: &str, generated: &Value) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts").join(name);
        let generated = format!("{generated:#}\n");
        if std::env::var_os("UPDATE_CONTRACTS").is_some() {
            fs::write(&path, &generated).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == generated,
            "contracts/{name} is not what the code says: run UPDATE_CONTRACTS=1 cargo test -p tidegate contracts"
        );
    }

    #[test]
    fn contracts_hold_the_openapi_document() {
        check("openapi.json", &document());
    }

    #[test]
    fn contracts_hold_the_schemas() {
        schemas().iter().for_each(|(name, schema)| check(name, schema));
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let document = document();
        let operations = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
        let mut names: Vec<&str> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{names:?}");
    }

    #[test]
    fn every_path_of_the_design_is_documented() {
        let document = document();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        for (path, method) in [
            ("/v1/telemetry", "post"),
            ("/v1/rates/{node}", "get"),
            ("/v1/recommendations", "post"),
            ("/v1/buckets/{bucket}", "get"),
            ("/v1/overview", "get"),
            ("/v1/models", "get"),
            ("/v1/models/{id}/promote", "post"),
            ("/v1/models/rollback", "post"),
            ("/v1/retrain", "post"),
            ("/healthz", "get"),
            ("/readyz", "get"),
            ("/metrics", "get"),
        ] {
            assert!(document["paths"][path][method].is_object(), "{method} {path}");
        }
    }
}
