//! What publishing shows of itself, per store.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::store::{Entry, StoreError};

/// Tells the recorder what each metric of publishing means.
pub fn describe() {
    describe_histogram!("tidegate_publish_seconds", Unit::Seconds, "Time of one call to a store");
    describe_counter!("tidegate_publish_writes_total", "Entries written to a store");
    describe_counter!("tidegate_publish_bytes_total", Unit::Bytes, "Bytes of values written to a store");
    describe_counter!("tidegate_publish_errors_total", "Entries that a store did not take, by kind");
    describe_counter!("tidegate_publish_skipped_total", "Rate tables not written because the store's is as good");
    describe_counter!("tidegate_publish_deferred_total", "Rate tables left to a later plan by the limit on writes");
    describe_gauge!("tidegate_publish_resting", "1 while a store that failed again and again is left alone, else 0");
    describe_gauge!(
        "tidegate_publish_cost_dollars_per_month",
        "What a store costs in a month at the pace of the last hour, by the price list"
    );
    describe_gauge!("tidegate_publish_epoch", "Epoch of the newest plan that was written without an error");
}

/// The metrics of one store.
#[derive(Debug, Clone)]
pub(super) struct Meters {
    store: String,
}

impl Meters {
    pub(super) fn new(store: &str) -> Self {
        Self { store: store.to_owned() }
    }

    pub(super) fn called(&self, took: Duration) {
        histogram!("tidegate_publish_seconds", "store" => self.store.clone()).record(took.as_secs_f64());
    }

    pub(super) fn written(&self, entry: &Entry) {
        counter!("tidegate_publish_writes_total", "store" => self.store.clone()).increment(1);
        counter!("tidegate_publish_bytes_total", "store" => self.store.clone()).increment(entry.value.len() as u64);
    }

    pub(super) fn failed(&self, error: &StoreError) {
        counter!("tidegate_publish_errors_total", "store" => self.store.clone(), "kind" => error.kind()).increment(1);
    }

    pub(super) fn resting(&self, rests: bool) {
        gauge!("tidegate_publish_resting", "store" => self.store.clone()).set(f64::from(u8::from(rests)));
    }

    pub(super) fn cost(&self, dollars_per_month: f64) {
        gauge!("tidegate_publish_cost_dollars_per_month", "store" => self.store.clone()).set(dollars_per_month);
    }

    pub(super) fn planned(&self, epoch: u64, skipped: usize, deferred: usize, clean: bool) {
        counter!("tidegate_publish_skipped_total", "store" => self.store.clone()).increment(skipped as u64);
        counter!("tidegate_publish_deferred_total", "store" => self.store.clone()).increment(deferred as u64);
        if clean {
            gauge!("tidegate_publish_epoch", "store" => self.store.clone()).set(epoch as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tidegate_wire::Timestamp;

    use super::*;

    #[test]
    fn each_metric_carries_its_store() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let page = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            let meters = Meters::new("embedded");
            meters.called(Duration::from_millis(3));
            meters.written(&Entry { key: "k".into(), value: Bytes::from_static(b"12345"), epoch: 1, expires_at: Timestamp::default() });
            meters.failed(&StoreError::Fenced { epoch: 1, highest: 2 });
            meters.resting(true);
            meters.cost(2.5);
            meters.planned(9, 4, 2, true);
            meters.planned(10, 1, 0, false);
        });
        let page = page.render();
        for line in [
            "tidegate_publish_seconds_count{store=\"embedded\"} 1",
            "tidegate_publish_writes_total{store=\"embedded\"} 1",
            "tidegate_publish_bytes_total{store=\"embedded\"} 5",
            "tidegate_publish_errors_total{store=\"embedded\",kind=\"fenced\"} 1",
            "tidegate_publish_skipped_total{store=\"embedded\"} 5",
            "tidegate_publish_deferred_total{store=\"embedded\"} 2",
            "tidegate_publish_resting{store=\"embedded\"} 1",
            "tidegate_publish_cost_dollars_per_month{store=\"embedded\"} 2.5",
            "tidegate_publish_epoch{store=\"embedded\"} 9",
        ] {
            assert!(page.contains(line), "{line} is missing from\n{page}");
        }
    }
}
