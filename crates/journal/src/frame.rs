//! A frame: magic, version, kind, length, checksum, payload.
//!
//! The magic is no valid UTF-8, so no id inside a payload can pass for the start of a frame.

const MAGIC: [u8; 2] = [0xC5, 0x7A];
const VERSION: u8 = 1;
const HEADER: usize = 12;

/// Longest payload of a frame, in bytes.
pub(crate) const MAX_PAYLOAD: usize = 64 << 20;

/// What stands at the start of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    /// A frame whose checksum is right.
    Frame {
        /// What the payload is.
        kind: u8,
        /// The record.
        payload: &'a [u8],
        /// Length of the whole frame, in bytes.
        length: usize,
    },
    /// What may be the first part of a frame.
    Incomplete,
    /// No frame of this version, or one that has been damaged.
    Corrupt,
}

/// Appends a frame to `out`. The payload is at most [`MAX_PAYLOAD`] long.
pub(crate) fn encode(kind: u8, payload: &[u8], out: &mut Vec<u8>) {
    let length = (payload.len() as u32).to_le_bytes();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[VERSION, kind]);
    out.extend_from_slice(&length);
    out.extend_from_slice(&checksum(kind, length, payload).to_le_bytes());
    out.extend_from_slice(payload);
}

/// Reads the frame at the start of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let shared = bytes.len().min(MAGIC.len());
    if bytes[..shared] != MAGIC[..shared] {
        return Parsed::Corrupt;
    }
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else { return Parsed::Incomplete };
    let [_, _, version, kind, l0, l1, l2, l3, crc @ ..] = *header;
    let length = [l0, l1, l2, l3];
    let payload_len = u32::from_le_bytes(length) as usize;
    if version != VERSION || payload_len > MAX_PAYLOAD {
        return Parsed::Corrupt;
    }
    let Some(payload) = rest.get(..payload_len) else { return Parsed::Incomplete };
    if checksum(kind, length, payload) != u32::from_le_bytes(crc) {
        return Parsed::Corrupt;
    }
    Parsed::Frame { kind, payload, length: HEADER + payload_len }
}

/// Offset of the first whole frame at or after `from`, if there is one.
pub(crate) fn find(bytes: &[u8], from: usize) -> Option<usize> {
    (from..bytes.len().saturating_sub(HEADER - 1)).find(|&at| bytes[at] == MAGIC[0] && matches!(parse(&bytes[at..]), Parsed::Frame { .. }))
}

fn checksum(kind: u8, length: [u8; 4], payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&[VERSION, kind]);
    crc.update(&length);
    crc.update(payload);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_bit_and_every_cut_is_seen() {
        let mut bytes = vec![];
        encode(1, b"counts", &mut bytes);
        assert_eq!(parse(&bytes), Parsed::Frame { kind: 1, payload: b"counts", length: bytes.len() });
        for cut in 0..bytes.len() {
            assert_eq!(parse(&bytes[..cut]), Parsed::Incomplete, "cut at {cut}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(parse(&bad), Parsed::Frame { .. }), "bit {bit}");
        }
    }

    #[test]
    fn the_next_frame_is_found_behind_damage() {
        let mut bytes = vec![0xC5, 0x7A, 1, 1, 0xC5];
        let start = bytes.len();
        encode(2, b"tick", &mut bytes);
        assert_eq!(find(&bytes, 0), Some(start));
        assert_eq!(find(&bytes, start + 1), None);
    }
}
