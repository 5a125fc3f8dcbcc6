//! What every store does.

use std::sync::Arc;

use super::harness::{Harness, entry, until};
use crate::publish::{
    pack::pack,
    read::{ReadError, read_table},
    store::{BatchOutcome, Entry, RateStore, StoreError},
    testing::{ISSUED, table},
};

async fn text(store: &Arc<dyn RateStore>, key: &str) -> Option<String> {
    store.get(key).await.unwrap().map(|value| String::from_utf8(value.to_vec()).unwrap())
}

pub(super) async fn a_value_is_found_until_it_is_deleted(harness: &impl Harness) {
    let store = harness.open();
    assert_eq!(store.get("k").await, Ok(None));
    assert_eq!(store.highest_epoch().await, Ok(0));
    assert_eq!(store.put_batch(&[entry("k", "one", 1)]).await, BatchOutcome::default());
    assert_eq!(text(&store, "k").await.as_deref(), Some("one"));
    harness.pause();
    store.put_batch(&[entry("k", "two", 2)]).await;
    assert_eq!(text(&store, "k").await.as_deref(), Some("two"));
    assert_eq!(store.delete(&["k".into(), "not-there".into()], 2).await, BatchOutcome::default());
    assert_eq!(store.get("k").await, Ok(None));
    assert_eq!(store.highest_epoch().await, Ok(2), "what is deleted leaves the fence");
}

pub(super) async fn a_batch_is_written_whole(harness: &impl Harness) {
    let store = harness.open();
    let entries: Vec<Entry> = (0..store.limits().batch_pairs.min(1_000)).map(|i| entry(&format!("k{i}"), &format!("v{i}"), 3)).collect();
    assert_eq!(store.put_batch(&entries).await, BatchOutcome::default());
    for (i, entry) in entries.iter().enumerate() {
        assert_eq!(text(&store, &entry.key).await, Some(format!("v{i}")));
    }
    assert_eq!(store.put_batch(&[]).await, BatchOutcome::default());
}

pub(super) async fn an_older_epoch_changes_nothing(harness: &impl Harness) {
    let store = harness.open();
    store.put_batch(&[entry("k", "new", 5)]).await;
    let fenced = |epoch| StoreError::Fenced { epoch, highest: 5 };
    let late = store.put_batch(&[entry("k", "old", 4), entry("other", "old", 4)]).await;
    assert_eq!(late.failed, [("k".into(), fenced(4)), ("other".into(), fenced(4))]);
    assert_eq!(store.delete(&["k".into()], 3).await.failed, [("k".into(), fenced(3))]);
    assert_eq!((text(&store, "k").await.as_deref(), text(&store, "other").await), (Some("new"), None));
    harness.pause();
    assert_eq!(store.put_batch(&[entry("k", "again", 5)]).await, BatchOutcome::default(), "a repeated write is no older");
    assert_eq!(text(&store, "k").await.as_deref(), Some("again"));
    assert_eq!(store.highest_epoch().await, Ok(5));
}

pub(super) async fn only_what_is_too_large_fails(harness: &impl Harness) {
    let plain = harness.open();
    let limits = crate::publish::store::Limits { key_bytes: 10, value_bytes: 10, ..plain.limits() };
    drop(plain);
    let store = harness.open_with(limits);
    let outcome = store
        .put_batch(&[entry("a", "fits", 1), entry("b", "much too long", 1), entry("key-too-long", "fits", 1), entry("c", "fits", 1)])
        .await;
    let mut failed = outcome.failed;
    failed.sort_by(|a, b| a.0.cmp(&b.0));
    let oversized = |what, bytes| StoreError::Oversized { what, bytes, max: 10 };
    assert_eq!(failed, [("b".into(), oversized("value", 13)), ("key-too-long".into(), oversized("key", 12))]);
    assert_eq!((text(&store, "a").await.as_deref(), text(&store, "c").await.as_deref()), (Some("fits"), Some("fits")));
    assert_eq!((text(&store, "b").await, text(&store, "key-too-long").await), (None, None));
}

pub(super) async fn values_and_fence_outlive_a_restart(harness: &impl Harness) {
    let store = harness.open();
    store.put_batch(&[entry("k", "kept", 7)]).await;
    drop(store);
    harness.restart();
    let store = harness.open();
    assert_eq!(text(&store, "k").await.as_deref(), Some("kept"));
    assert_eq!(store.highest_epoch().await, Ok(7));
    assert_eq!(store.put_batch(&[entry("k", "old", 6)]).await.failed, [("k".into(), StoreError::Fenced { epoch: 6, highest: 7 })]);
    assert_eq!(text(&store, "k").await.as_deref(), Some("kept"));
}

pub(super) async fn what_has_expired_is_gone(harness: &impl Harness) {
    let store = harness.open();
    let brief = Entry { expires_at: tidegate_wire::Timestamp::from_millis(ISSUED.as_millis() + 40), ..entry("brief", "v", 1) };
    store.put_batch(&[brief, entry("long", "v", 1)]).await;
    harness.pass_ms(41.max(harness.shortest_life_ms()));
    if harness.expires() {
        until("expiry", || async { store.get("brief").await.unwrap().is_none() }).await;
    } else {
        assert!(store.get("brief").await.unwrap().is_some(), "readers go by the lease inside");
    }
    store.put_batch(&[entry("next", "v", 1)]).await;
    assert!(store.get("long").await.unwrap().is_some());
    assert_eq!(store.highest_epoch().await, Ok(1));
}

pub(super) async fn a_table_reads_back_whole_and_in_shards(harness: &impl Harness) {
    let store = harness.open();
    let small = store.limits();
    assert_eq!(read_table(&*store, "n").await.unwrap(), None);
    for (epoch, value_bytes) in [(1, small.value_bytes), (2, 2_000)] {
        let table = table("n", epoch, 50);
        let packed = pack(&table, &crate::publish::store::Limits { value_bytes, ..small.clone() }, 0).unwrap();
        assert_eq!(packed.shards.is_empty(), epoch == 1);
        harness.pause();
        store.put_batch(&[&packed.shards[..], &[packed.head]].concat()).await;
        assert_eq!(read_table(&*store, "n").await.unwrap(), Some(table));
    }
}

pub(super) async fn a_torn_table_is_not_read(harness: &impl Harness) {
    let store = harness.open();
    let limits = crate::publish::store::Limits { value_bytes: 2_000, ..store.limits() };
    let packed = pack(&table("n", 1, 50), &limits, 0).unwrap();
    store.put_batch(&[&packed.shards[..], &[packed.head]].concat()).await;
    let first = packed.shards[0].key.clone();
    let other = pack(&table("n", 2, 50), &limits, 0).unwrap().shards[0].value.clone();
    harness.pause();
    store.put_batch(&[Entry { value: other, ..packed.shards[0].clone() }]).await;
    assert!(matches!(read_table(&*store, "n").await, Err(ReadError::Torn { key }) if key == first));
    store.delete(std::slice::from_ref(&first), 1).await;
    assert!(matches!(read_table(&*store, "n").await, Err(ReadError::Torn { key }) if key == first));
}
