//! Signatures of EdgeGrid, by which Akamai's APIs know who calls.
//!
//! The scheme: <https://techdocs.akamai.com/developer/docs/authenticate-with-edgegrid>. No header is signed, and a body only of a POST,
//! which EdgeKV has none of: TLS alone protects what is written.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tidegate_wire::Timestamp;

use super::secret::Secret;

/// Who calls: a section of an `.edgerc` file, the form in which Akamai hands out credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct EdgeGrid {
    /// Host of the API, each client's own.
    pub host: String,
    client_token: String,
    client_secret: String,
    access_token: String,
}

/// An `.edgerc` file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("publish.akamai.edgerc_file: section [{section}] {reason}")]
pub struct EdgeGridError {
    section: String,
    reason: String,
}

/// What is signed of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    /// Such as `PUT`.
    pub method: &'a str,
    /// `https`, but for tests.
    pub scheme: &'a str,
    /// Host, and port where the address names one.
    pub host: &'a str,
    /// Path and query.
    pub path: &'a str,
}

impl EdgeGrid {
    /// Reads one section of the text of an `.edgerc` file.
    ///
    /// # Errors
    /// [`EdgeGridError`] naming the section and what it lacks, but no secret.
    pub fn parse(edgerc: &Secret, section: &str) -> Result<Self, EdgeGridError> {
        let wrong = |reason: String| EdgeGridError { section: section.into(), reason };
        let header = format!("[{section}]");
        let lines = || edgerc.reveal().lines().map(str::trim);
        if !lines().any(|line| line == header) {
            return Err(wrong("is not in it".into()));
        }
        let value = |key: &str| {
            let of_section = lines().skip_while(|line| *line != header).skip(1).take_while(|line| !line.starts_with('['));
            let mut pairs = of_section.filter_map(|line| line.split_once('='));
            let found = pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().to_owned());
            found.filter(|value| !value.is_empty()).ok_or_else(|| wrong(format!("has no {key}")))
        };
        let host = value("host")?;
        let host = host.strip_prefix("https://").unwrap_or(&host).trim_end_matches('/').to_owned();
        if !host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')) {
            return Err(wrong("has a host that is none".into()));
        }
        Ok(Self {
            host,
            client_token: value("client_token")?,
            client_secret: value("client_secret")?,
            access_token: value("access_token")?,
        })
    }

    /// The value of the `Authorization` header of `request`, made at `now`. `nonce` must be new each time.
    pub(super) fn authorization(&self, request: Signed<'_>, now: Timestamp, nonce: &str) -> String {
        let Self { client_token, access_token, .. } = self;
        let time = basic_time(now);
        let fields = format!("EG1-HMAC-SHA256 client_token={client_token};access_token={access_token};timestamp={time};nonce={nonce};");
        let Signed { method, scheme, host, path } = request;
        // The two empty fields are the signed headers and the hash of the body.
        let message = [method, scheme, host, path, "", "", &fields].join("\t");
        let key = hmac(self.client_secret.as_bytes(), &time);
        format!("{fields}signature={}", hmac(key.as_bytes(), &message))
    }
}

impl fmt::Debug for EdgeGrid {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("EdgeGrid").field("host", &self.host).finish_non_exhaustive()
    }
}

/// ISO 8601 without hyphens in the date, to the second.
fn basic_time(at: Timestamp) -> String {
    let second = Timestamp::from_secs(at.as_millis().div_euclid(1_000)).to_string();
    format!("{}+0000", second.trim_end_matches('Z').replace('-', ""))
}

/// HMAC-SHA256 in Base64.
fn hmac(key: &[u8], message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length: a longer one is hashed");
    mac.update(message.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::testing::secret;

    const EDGERC: &str = "\
; made by hand
[other]
host = other.example.net
client_token = o

[default]
host = https://akaa-baseurl-xxxxxxxxxxx-xxxxxxxxxxxxx.luna.akamaiapis.net/
client_token = akab-client-token-xxx-xxxxxxxxxxxxxxxx
client_secret = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=
access_token = akab-access-token-xxx-xxxxxxxxxxxxxxxx
";

    /// The vectors that Akamai publishes with its own clients, at 2014-03-21T19:34:21Z.
    #[test]
    fn requests_are_signed_as_akamai_documents() {
        let who = EdgeGrid::parse(&secret(EDGERC), "default").unwrap();
        for (method, path, signature) in [
            ("GET", "/", "tL+y4hxyHxgWVD30X3pWnGKHcPzmrIF+LThiAOhMxYU="),
            ("GET", "/testapi/v1/t1?p1=1&p2=2", "hKDH1UlnQySSHjvIcZpDMbQHihTQ0XyVAKZaApabdeA="),
            ("PUT", "/testapi/v1/t6", "GNBWEYSEWOLtu+7dD52da2C39aX/Jchpon3K/AmBqBU="),
        ] {
            let request = Signed { method, scheme: "https", host: &who.host, path };
            let header = who.authorization(request, Timestamp::from_millis(1_395_430_461_999), "nonce-xx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
            let expected = format!(
                "EG1-HMAC-SHA256 client_token=akab-client-token-xxx-xxxxxxxxxxxxxxxx;access_token=akab-access-token-xxx-xxxxxxxxxxxxxxxx;\
                 timestamp=20140321T19:34:21+0000;nonce=nonce-xx-xxxx-xxxx-xxxx-xxxxxxxxxxxx;signature={signature}"
            );
            assert_eq!(header, expected, "{method} {path}");
        }
    }

    #[test]
    fn what_an_edgerc_lacks_is_named_and_no_secret_shown() {
        let lacks = |text: &str, section: &str| EdgeGrid::parse(&secret(text), section).unwrap_err().to_string();
        assert!(lacks(EDGERC, "absent").contains("[absent] is not in it"));
        assert!(lacks(EDGERC, "other").contains("[other] has no client_secret"));
        assert!(lacks(&EDGERC.replace("host = https://akaa", "host = http://akaa"), "default").contains("host"));
        let whole = EdgeGrid::parse(&secret(EDGERC), "default").unwrap();
        assert_eq!(format!("{whole:?}"), "EdgeGrid { host: \"akaa-baseurl-xxxxxxxxxxx-xxxxxxxxxxxxx.luna.akamaiapis.net\", .. }");
    }
}
