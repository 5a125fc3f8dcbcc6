//! What an engine is started with.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tidegate_journal::Limits;

use crate::{config::Config, ingest::dedupe};

/// How an engine keeps its data and how much it lets wait.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Folder of the journal and the snapshots.
    pub data_dir: PathBuf,
    /// Size and age of the journal.
    pub journal: Limits,
    /// Seconds after which a segment is sealed whatever its size.
    pub segment_age_s: u64,
    /// How many nodes and instances are remembered.
    pub dedupe: dedupe::Bounds,
    /// Commands that may wait; further batches are refused until there is room.
    pub queue: usize,
    /// Highest epoch that the plan store has seen; plans begin above it.
    pub fence: u64,
}

impl Options {
    /// As configured, above the epochs that the plan store has seen.
    pub fn new(config: &Config, fence: u64) -> Self {
        let journal = Limits {
            segment_bytes: config.journal.segment_bytes,
            retain_age: Duration::from_secs(config.journal.retain_s),
            retain_bytes: config.journal.retain_bytes,
        };
        Self {
            data_dir: config.server.data_dir.clone(),
            journal,
            segment_age_s: config.journal.segment_age_s,
            dedupe: dedupe::Bounds { nodes: config.ingest.nodes, instances_per_node: config.ingest.instances_per_node },
            queue: config.ingest.queue_bodies,
            fence,
        }
    }

    /// Folder of the journal's segments: what training reads.
    pub fn journal_dir(data_dir: &Path) -> PathBuf {
        data_dir.join("journal")
    }

    /// Folder of the snapshots.
    pub fn snapshot_dir(data_dir: &Path) -> PathBuf {
        data_dir.join("snapshots")
    }
}
