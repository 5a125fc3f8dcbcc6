//! The suite over the embedded store, and what is its own.

use std::{path::PathBuf, sync::Arc};

use super::harness::{Harness, start_time};
use crate::{
    clock::ManualClock,
    publish::{
        embedded::EmbeddedStore,
        store::{Limits, RateStore},
    },
};

struct Embedded {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl Embedded {
    fn path(&self) -> PathBuf {
        self.dir.path().join("rates.redb")
    }

    fn store(&self) -> EmbeddedStore {
        EmbeddedStore::open(&self.path(), Arc::clone(&self.clock) as _).unwrap()
    }
}

impl Harness for Embedded {
    fn start() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), clock: Arc::new(ManualClock::new(start_time())) }
    }

    fn open(&self) -> Arc<dyn RateStore> {
        Arc::new(self.store())
    }

    fn open_with(&self, limits: Limits) -> Arc<dyn RateStore> {
        Arc::new(self.store().with_limits(limits))
    }

    fn pass_ms(&self, ms: i64) {
        use crate::clock::Clock;
        self.clock.set(tidegate_wire::Timestamp::from_millis(self.clock.now().as_millis() + ms));
    }
}

super::suite!(Embedded);
super::behaviours!(Embedded: publishing::ten_thousand_nodes_go_in_one_plan);

#[tokio::test]
async fn a_file_in_use_or_not_a_store_is_named() {
    let harness = Embedded::start();
    let _open = harness.store();
    let refused = |path: PathBuf| EmbeddedStore::open(&path, Arc::clone(&harness.clock) as _).err().unwrap().to_string();
    assert!(refused(harness.path()).contains("rates.redb"));
    let text = harness.dir.path().join("text.redb");
    std::fs::write(&text, "not a database").unwrap();
    assert!(refused(text).contains("text.redb"));
    assert!(refused(harness.dir.path().join("missing/rates.redb")).contains("missing"));
}
