//! What the suite needs to know of an adapter.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tidegate_wire::Timestamp;
use tokio::time;

use crate::publish::{
    store::{Entry, Limits, RateStore},
    testing::ISSUED,
};

/// Longest wait of a test for something that must happen, and of a call that should succeed.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A store of one kind, in a temporary directory, which goes with it.
pub(super) trait Harness: Sized {
    /// A new, empty store.
    fn start() -> Self;
    /// Opens the store; drop the one that is open first.
    fn open(&self) -> Arc<dyn RateStore>;
    /// Opens the store with other limits.
    fn open_with(&self, limits: Limits) -> Arc<dyn RateStore>;
    /// Kills the server behind the store and starts it again. A provider's is not restarted by us; what is new is the client.
    fn restart(&self) {}
    /// Lets the store's time pass by as many milliseconds, or leaves it to pass by itself.
    fn pass_ms(&self, _ms: i64) {}
    /// Whether the store removes what has expired.
    fn expires(&self) -> bool {
        true
    }
    /// Milliseconds that the store keeps a value at least.
    fn shortest_life_ms(&self) -> i64 {
        0
    }
    /// Lets pass what a store may ask for between two writes of a key.
    fn pause(&self) {
        self.pass_ms(1_000);
    }
}

/// An entry that lives for 300 s.
pub(super) fn entry(key: &str, value: &str, epoch: u64) -> Entry {
    Entry { key: key.into(), value: Bytes::copy_from_slice(value.as_bytes()), epoch, expires_at: ISSUED.plus_secs(300) }
}

/// The time at which harnesses start their clocks.
pub(super) const fn start_time() -> Timestamp {
    ISSUED
}

/// Waits until `reached` says so.
pub(super) async fn until<F: Future<Output = bool>>(what: &str, mut reached: impl FnMut() -> F) {
    let poll = async {
        while !reached().await {
            time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(time::timeout(PATIENCE, poll).await.is_ok(), "{what} did not happen");
}
