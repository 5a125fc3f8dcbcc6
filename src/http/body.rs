//! Reading a request body within its bounds, packed or not.

use std::io::Read;

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, header},
};
use flate2::bufread::MultiGzDecoder;
use futures_util::StreamExt;

use super::refusal::Refusal;

/// A refused body is read on up to this many times the limit, so that a client that is still sending sees the answer
/// instead of a broken connection.
const LINGER: usize = 32;

/// Bounds of one body in bytes.
#[derive(Debug, Clone, Copy)]
pub struct BodyBounds {
    /// As it is sent.
    pub sent: usize,
    /// Once unpacked.
    pub unpacked: usize,
}

/// Reads `body` whole and unpacks it if `Content-Encoding` says gzip.
///
/// # Errors
/// 413 over a bound, 415 for another encoding, 400 for a broken stream.
pub async fn read(headers: &HeaderMap, body: Body, bounds: BodyBounds) -> Result<Bytes, Refusal> {
    let packed = match headers.get(header::CONTENT_ENCODING).map(|v| v.as_bytes()) {
        None | Some(b"identity") => false,
        Some(b"gzip" | b"x-gzip") => true,
        Some(_) => return Err(Refusal::unsupported("a body is sent as it is or with Content-Encoding: gzip")),
    };
    let expects_answer_first = headers.contains_key(header::EXPECT);
    let sent = read_sent(body, bounds.sent, expects_answer_first).await?;
    if packed { unpack(&sent, bounds.unpacked) } else { Ok(sent) }
}

async fn read_sent(body: Body, limit: usize, expects_answer_first: bool) -> Result<Bytes, Refusal> {
    if expects_answer_first && body.size_hint().lower() > limit as u64 {
        return Err(Refusal::too_large(limit, false));
    }
    let mut frames = body.into_data_stream();
    let mut first = Bytes::new();
    let mut rest = Vec::new();
    let mut total = 0;
    while let Some(frame) = frames.next().await {
        let frame = frame.map_err(|e| Refusal::malformed("broken-body", format!("the body ended before it was whole: {e}")))?;
        total += frame.len();
        if total > limit.saturating_mul(LINGER) {
            break;
        } else if total > limit {
            continue;
        } else if first.is_empty() {
            first = frame;
        } else {
            rest.extend_from_slice(&frame);
        }
    }
    match total {
        _ if total > limit => Err(Refusal::too_large(limit, false)),
        _ if rest.is_empty() => Ok(first),
        _ => Ok([&first[..], &rest].concat().into()),
    }
}

fn unpack(packed: &[u8], limit: usize) -> Result<Bytes, Refusal> {
    let mut unpacked = Vec::new();
    let broken = |e| Refusal::malformed("broken-gzip", format!("the body is not gzip: {e}"));
    MultiGzDecoder::new(packed).take(limit as u64 + 1).read_to_end(&mut unpacked).map_err(broken)?;
    if unpacked.len() > limit {
        return Err(Refusal::too_large(limit, true));
    }
    Ok(unpacked.into())
}
