//! The dashboard in a real browser: against the real program, and against a server with a fixed overview where the case is
//! one that the program does not get into at will.

mod browser;
mod fixture;

use tempfile::TempDir;

use crate::server::Server;
use fixture::{Answer, serve};

#[test]
fn the_page_reads_what_the_program_says() {
    let dir = TempDir::new().unwrap();
    let server = Server::start(dir.path());
    let mut connection = server.connect();
    let mut overview = || -> serde_json::Value {
        let (status, body) = connection.send("GET", "/v1/overview", "application/json", b"").unwrap();
        assert_eq!(status, 200);
        serde_json::from_slice(&body).unwrap()
    };
    while overview()["epoch"].as_u64() < Some(2) {
        std::thread::yield_now();
    }
    let page = browser::load(&format!("http://{}/", server.address));

    assert!(!browser::text_of(&page, "status").contains("answer"), "{}", browser::text_of(&page, "status"));
    assert!(browser::text_of(&page, "plan").ends_with(", every 1 s"), "{}", browser::text_of(&page, "plan"));
    assert_eq!(browser::text_of(&page, "demand"), "0");
    assert!(page.contains("<h3>default</h3>"), "the origin has no card");
    assert_eq!(page.matches("<polyline").count(), 4, "one line each of demand, admitted, leased, forecast");
}

/// What the fixture says and what the program says have the same fields, or the tests below would prove nothing.
#[test]
fn the_fixture_has_the_fields_of_the_contract() {
    let contract: serde_json::Value = serde_json::from_str(include_str!("../../../contracts/openapi.json")).unwrap();
    let fields = |schema: &str| -> Vec<String> {
        let properties = contract["components"]["schemas"][schema]["properties"].as_object();
        properties.unwrap_or_else(|| panic!("no schema {schema}")).keys().cloned().collect()
    };
    let of = |value: &serde_json::Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let fixture = fixture::overview();
    assert_eq!(of(&fixture), fields("Overview"));
    assert_eq!(of(&fixture["model"]), fields("OverviewModel"));
    for (list, schema) in
        [("origins", "OverviewOrigin"), ("nodes", "OverviewNode"), ("buckets", "OverviewBucket"), ("history", "OverviewWindow")]
    {
        assert_eq!(of(&fixture[list][0]), fields(schema), "{list}");
    }
}

#[test]
fn the_page_shows_what_the_engine_says() {
    let site = serve(|_| Answer::ok(fixture::overview()));
    let page = browser::load(&site.url);

    assert!(page.contains(r#"data-state="live""#), "{page}");
    assert_eq!(browser::text_of(&page, "plan"), "plan 48213, every 30 s");
    assert_eq!(browser::text_of(&page, "demand"), "150");
    assert_eq!(browser::text_of(&page, "demand-note"), "per second, 161 expected next");
    assert_eq!(browser::text_of(&page, "throttled"), "4.0 %");
    assert_eq!(browser::text_of(&page, "leased"), "75.0 %");
    assert_eq!(browser::text_of(&page, "nodes-note"), "2 known, 1 silent");
    for cell in ["edge-fra", "edge-sin", "client:7f", "ceiling"] {
        assert!(page.contains(&format!(">{cell}</t")), "no cell holds {cell}");
    }
    assert!(page.contains(r#"<span class="mark late">48212</span>"#), "a lease that is not acknowledged yet is marked");
    assert_eq!(page.matches("<polyline").count(), 4, "one line each of demand, admitted, leased, forecast");
}

#[test]
fn text_of_the_engine_never_becomes_markup() {
    let name = "<img src=x onerror=\"document.title='taken over'\">";
    let site = serve(move |_| {
        let mut overview = fixture::overview();
        overview["origins"][0]["name"] = name.into();
        overview["buckets"][0]["bucket"] = name.into();
        overview["model"]["degraded"] = name.into();
        Answer::ok(overview)
    });
    let page = browser::load(&site.url);

    assert!(page.contains("&lt;img src=x"), "the name is shown as text");
    assert!(!page.contains("<img src=\"x\""), "the name became an element");
    assert!(page.contains("<title>tidegate</title>"), "the name's script ran");
    assert!(page.contains(r#"data-state="degraded""#));
}

#[test]
fn a_silent_engine_makes_the_page_stale() {
    let site = serve(|asked| if asked == 0 { Answer::ok(fixture::overview()) } else { Answer::status(503) });
    let page = browser::load(&site.url);

    assert!(page.contains(r#"data-state="stale""#), "{}", browser::text_of(&page, "status"));
    assert!(browser::text_of(&page, "status").contains("it answers 503"));
    assert_eq!(browser::text_of(&page, "demand"), "150", "what was known stays to be read");
}

#[test]
fn an_engine_that_has_stopped_planning_makes_the_page_stale() {
    let site = serve(|_| {
        let mut overview = fixture::overview();
        overview["now"] = "2026-11-21T20:02:01Z".into();
        Answer::ok(overview)
    });
    assert_eq!(browser::text_of(&browser::load(&site.url), "status"), "stale: the last plan is 120 s old");
}

#[test]
fn an_engine_that_wants_a_token_makes_the_page_ask_for_it() {
    let open = serve(|_| Answer::ok(fixture::overview()));
    assert!(browser::load(&open.url).contains(r#"<form id="login" hidden"#));
    let closed = serve(|_| Answer::status(401));
    assert!(browser::load(&closed.url).contains(r#"<form id="login">"#));
}

#[test]
fn the_page_asks_only_for_files_that_are_here() {
    let site = serve(|_| Answer::ok(fixture::overview()));
    browser::load(&site.url);
    let asked = site.asked();
    assert!(asked.contains("/app.js") && asked.contains("/style.css"), "{asked:?}");
    let unknown: Vec<_> = asked.iter().filter(|path| *path != "/v1/overview" && fixture::file(path).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
