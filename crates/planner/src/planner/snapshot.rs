//! All state in bytes and back.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use tidegate_wire::RateTable;

use super::Planner;
use crate::{allocate::Supply, forecast::Calibration, state::Store};

/// Version of the snapshot's form; raised whenever a column is added or changes its meaning.
const FORMAT: u32 = 7;

/// Snapshot bytes that cannot be restored.
#[derive(Debug, thiserror::Error)]
#[error("snapshot cannot be restored: {0}")]
pub struct RestoreError(String);

#[derive(Serialize)]
struct Written<'a> {
    interval_s: u32,
    store: &'a Store,
    supplies: &'a [Supply],
    calibration: &'a Calibration,
    tables: Vec<u8>,
    epoch: u64,
}

#[derive(Deserialize)]
struct Read {
    interval_s: u32,
    store: Store,
    supplies: Vec<Supply>,
    calibration: Calibration,
    tables: Vec<u8>,
    epoch: u64,
}

impl Planner {
    /// All state in bytes, without settings and model.
    pub fn snapshot(&self) -> Vec<u8> {
        let tables: BTreeMap<&String, &RateTable> = self.tables.iter().map(|(n, t)| (n, t.as_ref())).collect();
        let written = Written {
            interval_s: self.settings.interval_s,
            store: &self.store,
            supplies: &self.supplies,
            calibration: &self.calibration,
            // The tables' types are made for JSON; the rest is vectors of numbers.
            tables: serde_json::to_vec(&tables).unwrap_or_default(),
            epoch: self.epoch,
        };
        let mut bytes = FORMAT.to_le_bytes().to_vec();
        // Neither of the two can fail: plain data, written to memory.
        bytes.extend(postcard::to_stdvec(&written).unwrap_or_default());
        bytes
    }

    /// Replaces all state by what [`Planner::snapshot`] returned.
    ///
    /// # Errors
    /// [`RestoreError`] when the bytes are not a snapshot of this version and interval; the planner is then unchanged.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let refuse = |reason: String| RestoreError(reason);
        let (format, body) = bytes.split_first_chunk::<4>().ok_or_else(|| refuse("it is empty".into()))?;
        let format = u32::from_le_bytes(*format);
        if format != FORMAT {
            return Err(refuse(format!("its form is version {format}, this program reads {FORMAT}")));
        }
        let (read, rest): (Read, &[u8]) = postcard::take_from_bytes(body).map_err(|e| refuse(e.to_string()))?;
        if !rest.is_empty() {
            return Err(refuse(format!("{} bytes follow its end", rest.len())));
        }
        if read.interval_s != self.settings.interval_s {
            return Err(refuse(format!("its interval is {} s, the configuration says {} s", read.interval_s, self.settings.interval_s)));
        }
        let tables: BTreeMap<String, RateTable> = serde_json::from_slice(&read.tables).map_err(|e| refuse(e.to_string()))?;
        self.store = read.store;
        self.store.set_limits(self.settings.limits.clone());
        self.store.as_reported = self.settings.without.censoring;
        self.supplies = read.supplies;
        self.calibration = read.calibration;
        self.tables = tables.into_iter().map(|(n, t)| (n, Arc::new(t))).collect();
        self.raise(read.epoch);
        Ok(())
    }
}
