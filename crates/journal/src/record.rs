//! What a journal holds.

use prost::Message;
use tidegate_wire::{Timestamp, proto};

use crate::{JournalError, frame};

const REPORTS: u8 = 1;
const TICK: u8 = 2;
const MODEL: u8 = 3;

/// One record. Replayed in order, records make the planner what it was.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// Accepted reports: an encoded [`proto::Telemetry`]. Encoded telemetries may be joined end to end.
    Reports(Vec<u8>),
    /// A tick at `now` that made the plan of `epoch`.
    Tick {
        /// Time that the tick was given.
        now: Timestamp,
        /// Epoch of its plan.
        epoch: u64,
    },
    /// The model used from here on, as JSON; empty when the naive experts were left alone.
    Model(Vec<u8>),
}

impl Record {
    /// The reports of a [`Record::Reports`]; none for any other record or for bytes that are no telemetry.
    pub fn reports(&self) -> Vec<tidegate_wire::Report> {
        let Self::Reports(bytes) = self else { return vec![] };
        let Ok(telemetry) = proto::Telemetry::decode(bytes.as_slice()) else { return vec![] };
        telemetry.reports.into_iter().map(Into::into).collect()
    }

    /// Appends the record to `out` as a frame.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), JournalError> {
        match self {
            Self::Reports(bytes) => encode_bytes(REPORTS, bytes, out),
            Self::Model(bytes) => encode_bytes(MODEL, bytes, out),
            Self::Tick { now, epoch } => {
                let mut payload = [0; 16];
                payload[..8].copy_from_slice(&now.as_millis().to_le_bytes());
                payload[8..].copy_from_slice(&epoch.to_le_bytes());
                encode_bytes(TICK, &payload, out)
            }
        }
    }

    /// Reads the record in a frame; `None` when its kind is not known or its payload is not of that kind.
    pub(crate) fn decode(kind: u8, payload: &[u8]) -> Option<Self> {
        match kind {
            REPORTS => proto::Telemetry::decode(payload).ok().map(|_| Self::Reports(payload.to_vec())),
            MODEL => Some(Self::Model(payload.to_vec())),
            TICK => {
                let (now, epoch) = payload.split_first_chunk::<8>()?;
                let epoch = u64::from_le_bytes(epoch.try_into().ok()?);
                Some(Self::Tick { now: Timestamp::from_millis(i64::from_le_bytes(*now)), epoch })
            }
            _ => None,
        }
    }
}

fn encode_bytes(kind: u8, payload: &[u8], out: &mut Vec<u8>) -> Result<(), JournalError> {
    if payload.len() > frame::MAX_PAYLOAD {
        return Err(JournalError::TooLong { bytes: payload.len(), max: frame::MAX_PAYLOAD });
    }
    frame::encode(kind, payload, out);
    Ok(())
}
