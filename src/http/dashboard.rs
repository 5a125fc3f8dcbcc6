//! `/`: the dashboard's files, built into the program.

use axum::{
    extract::Path,
    http::{HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};

use super::refusal::Refusal;

/// Name, media type and content of each file.
const FILES: [(&str, &str, &str); 6] = [
    ("index.html", "text/html; charset=utf-8", include_str!("../../dashboard/index.html")),
    ("app.js", "text/javascript; charset=utf-8", include_str!("../../dashboard/app.js")),
    ("chart.js", "text/javascript; charset=utf-8", include_str!("../../dashboard/chart.js")),
    ("view.js", "text/javascript; charset=utf-8", include_str!("../../dashboard/view.js")),
    ("style.css", "text/css; charset=utf-8", include_str!("../../dashboard/style.css")),
    ("icon.svg", "image/svg+xml", include_str!("../../dashboard/icon.svg")),
];

pub(super) async fn index() -> Response {
    serve("index.html")
}

pub(super) async fn file(Path(name): Path<String>) -> Response {
    serve(&name)
}

pub(super) async fn nothing(uri: Uri) -> Refusal {
    Refusal::unknown("not-found", format!("{} is not here; /openapi.json lists what is", uri.path()))
}

fn serve(name: &str) -> Response {
    let Some((_, media_type, text)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return Refusal::unknown("not-found", format!("/{name} is not here; /openapi.json lists what is")).into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, *media_type),
        (header::CONTENT_SECURITY_POLICY, "default-src 'self'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers.map(|(name, value)| (name, HeaderValue::from_static(value))), *text).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(name == "README.md" || serve(&name).status() == StatusCode::OK, "{name} is not served");
        }
        assert_eq!(serve("README.md").status(), StatusCode::NOT_FOUND);
    }
}
