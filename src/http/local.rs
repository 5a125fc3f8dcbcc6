//! Without tokens whoever reaches the port is trusted, and that is this machine alone. A page from elsewhere, open in a browser
//! on this machine, reaches it too; the two headers that it cannot forge give it away.

use axum::http::{HeaderMap, HeaderName, header};

use super::refusal::Refusal;

/// Refuses a request that a foreign page made a browser send: its `Origin` is not this service, or its `Host` is a foreign name
/// that was made to point here.
///
/// # Errors
/// 403.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(header::HOST);
    if host.is_some_and(|host| !is_loopback(host)) {
        return Err(Refusal::forbidden("without tokens this service answers to localhost and 127.0.0.1 only, not to another name"));
    }
    match text(header::ORIGIN) {
        Some(origin) if origin.strip_prefix("http://") != host => {
            Err(Refusal::forbidden("without tokens this service answers its own pages only, not those of another origin"))
        }
        _ => Ok(()),
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_let_in(host: &'static str, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        check(&headers).is_ok()
    }

    #[test]
    fn a_foreign_page_is_shut_out() {
        assert!(!is_let_in("127.0.0.1:8080", Some("https://evil.example")), "a form that posts here");
        assert!(!is_let_in("127.0.0.1:8080", Some("null")));
        assert!(!is_let_in("127.0.0.1:8080", Some("http://127.0.0.1:9090")), "another program's page");
        assert!(!is_let_in("evil.example:8080", None), "a name that was made to point here");
        assert!(!is_let_in("127.0.0.1.evil.example", None));
    }

    #[test]
    fn this_machine_is_let_in() {
        for host in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "127.8.8.8"] {
            assert!(is_let_in(host, None), "{host}");
        }
        assert!(is_let_in("localhost:8080", Some("http://localhost:8080")), "the dashboard");
        assert!(check(&HeaderMap::new()).is_ok(), "HTTP/1.0 names no host");
    }
}
