//! One plan into one store: what is due, packed, in bulk, within the store's limits and the deadline.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tidegate_planner::Plan;
use tidegate_wire::RateTable;
use tokio::time;

use super::{
    allowance::Allowance,
    bill::Estimate,
    breaker::Breaker,
    ledger::Ledger,
    meters::Meters,
    pack::{Packed, pack},
    publisher::PublishSettings,
    store::{BatchOutcome, Entry, Limits, RateStore, StoreError},
};

/// How far one store has come.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StoreStatus {
    /// The store's name.
    pub store: String,
    /// Epoch of the newest plan that was handed to it.
    pub epoch: u64,
    /// Rate tables of that plan that were written.
    pub written: usize,
    /// Rate tables that were not, because the store's is as good.
    pub skipped: usize,
    /// Rate tables left to a later plan by the limit on writes.
    pub deferred: usize,
    /// Rate tables that were due and are not in the store.
    pub failed: usize,
    /// The highest epoch in the store, where that shows another writer ahead of this one: nothing is written until the
    /// planner's epoch is above it.
    pub fenced_by: Option<u64>,
    /// The first error of that plan.
    pub error: Option<String>,
}

/// One store and what it has.
pub(super) struct Feed {
    store: Arc<dyn RateStore>,
    settings: PublishSettings,
    limits: Limits,
    ledger: Ledger,
    allowance: Allowance,
    breaker: Breaker,
    estimate: Estimate,
    meters: Meters,
}

type Failures = BTreeMap<String, StoreError>;

impl Feed {
    pub(super) fn new(store: Arc<dyn RateStore>, settings: PublishSettings) -> Self {
        let limits = store.limits();
        let allowance = Allowance::new([limits.writes_per_s, settings.writes_per_s], settings.interval_s);
        let meters = Meters::new(store.name());
        Self {
            store,
            settings,
            limits,
            ledger: Ledger::default(),
            allowance,
            breaker: Breaker::default(),
            estimate: Estimate::default(),
            meters,
        }
    }

    /// Writes what is due of `plan`. What fails is due again at the next plan, and not before.
    pub(super) async fn publish(&mut self, plan: &Plan) -> StoreStatus {
        let mut round = Round::begin(self.store.name(), plan.epoch);
        self.allowance.accrue(plan.issued_at);
        if let Some(until) = self.breaker.rests_until(plan.issued_at) {
            round.status.deferred = self.ledger.due(plan, self.settings.dead_band).len();
            round.status.skipped = plan.tables.len() - round.status.deferred;
            round.status.error = Some(format!("left alone until {until}, as it did not answer"));
            self.meters.planned(plan.epoch, round.status.skipped, round.status.deferred, false);
            return round.status;
        }
        self.ledger.drop_vanished(plan);
        // Set aside first, so that no amount of writes keeps the keys of vanished nodes for ever, whose safe rates others have by now.
        let removals = self.allowance.set_aside(self.ledger.unneeded());
        let due = self.ledger.due(plan, self.settings.dead_band);
        round.status.skipped = plan.tables.len() - due.len();
        let mut group = vec![];
        let (mut entries, mut bytes) = (0, 0);
        for table in due {
            let Some(packed) = self.admit(table, &mut round) else { continue };
            entries += packed.entries().count();
            bytes += packed.entries().map(|entry| entry.value.len()).sum::<usize>();
            group.push((table, packed));
            // A group is what is held in memory beside the plan.
            if entries >= self.limits.batch_pairs || bytes >= self.limits.batch_bytes {
                self.write(std::mem::take(&mut group), &mut round).await;
                (entries, bytes) = (0, 0);
            }
        }
        self.write(group, &mut round).await;
        self.remove_unneeded(removals, plan.epoch, &mut round).await;
        self.judge(plan, &round);
        self.meters.planned(plan.epoch, round.status.skipped, round.status.deferred, round.status.error.is_none());
        round.status
    }

    /// Notes whether the store answered, and what it has cost by now.
    fn judge(&mut self, plan: &Plan, round: &Round) {
        match &round.silence {
            Some(silence) => self.breaker.failed(plan.issued_at, silence.rest),
            // A plan with nothing to write says nothing of the store.
            None if round.calls > 0 => self.breaker.answered(),
            None => {}
        }
        self.meters.resting(self.breaker.rests_until(plan.issued_at).is_some());
        let cost = self.estimate.update(plan.issued_at, &self.store.bill());
        cost.into_iter().for_each(|dollars| self.meters.cost(dollars));
    }

    /// Packs a table that is due; `None` when it has to wait or can never be written.
    fn admit(&mut self, table: &RateTable, round: &mut Round) -> Option<Packed> {
        match pack(table, &self.limits, self.settings.retain_s) {
            Ok(packed) if self.allowance.take(packed.entries().count()) => Some(packed),
            Ok(_) => {
                round.status.deferred += 1;
                None
            }
            Err(error) => {
                self.meters.failed(&error);
                self.ledger.failed(table, None);
                round.note_failure(&table.node, &error);
                None
            }
        }
    }

    /// Writes a group of tables, all shards before any head.
    async fn write(&mut self, group: Vec<(&Arc<RateTable>, Packed)>, round: &mut Round) {
        let shards = group.iter().flat_map(|(_, packed)| &packed.shards);
        let mut failures = self.put(shards.cloned().collect(), round).await;
        let whole = |packed: &Packed| !packed.shards.iter().any(|shard| failures.contains_key(&shard.key));
        let heads = group.iter().filter(|(_, packed)| whole(packed)).map(|(_, packed)| packed.head.clone());
        let head_failures = self.put(heads.collect(), round).await;
        failures.extend(head_failures);
        for (table, packed) in &group {
            let error = packed.entries().find_map(|entry| failures.get(&entry.key));
            match error {
                None => {
                    round.status.written += 1;
                    self.ledger.written(table, packed);
                }
                Some(error) => {
                    self.ledger.failed(table, Some(packed));
                    round.note_failure(&table.node, error);
                }
            }
        }
    }

    async fn put(&self, entries: Vec<Entry>, round: &mut Round) -> Failures {
        let mut failures = Failures::new();
        for batch in batches(&entries, &self.limits) {
            let keys = || batch.iter().map(|entry| entry.key.as_str());
            let outcome = self.call(round, keys().collect(), self.store.put_batch(batch)).await;
            failures.extend(outcome.failed);
            batch.iter().filter(|entry| !failures.contains_key(&entry.key)).for_each(|entry| self.meters.written(entry));
        }
        failures
    }

    /// Removes `set_aside` of the unneeded keys, and more where the allowance has something left; the others wait for the next plan, as do
    /// all once some could not be removed: a store that refuses that must not hold up what is to be written.
    async fn remove_unneeded(&mut self, set_aside: usize, epoch: u64, round: &mut Round) {
        let more = self.allowance.take_some(self.ledger.unneeded().saturating_sub(set_aside));
        let keys = self.ledger.take_unneeded(set_aside + more);
        let mut untried = keys.chunks(self.limits.batch_pairs.max(1));
        let mut failed = vec![];
        while failed.is_empty()
            && let Some(batch) = untried.next()
        {
            failed = self.call(round, batch.iter().map(String::as_str).collect(), self.store.delete(batch, epoch)).await.failed;
        }
        failed.iter().take(1).for_each(|(_, error)| round.note_error(error));
        self.ledger.not_removed(untried.flatten().cloned().chain(failed.into_iter().map(|(key, _)| key)));
    }

    /// One call to the store, within the deadline; none once the store has shown that it cannot answer this plan.
    async fn call(&self, round: &mut Round, keys: Vec<&str>, call: impl Future<Output = BatchOutcome>) -> BatchOutcome {
        let after = self.settings.deadline;
        if round.stop {
            return BatchOutcome::all_failed(keys, &StoreError::Unreachable("an earlier call of the same plan failed".into()));
        }
        let begun = Instant::now();
        let outcome = time::timeout(after, call).await;
        self.meters.called(begun.elapsed());
        let outcome = outcome.unwrap_or_else(|_| BatchOutcome::all_failed(keys, &StoreError::Deadline { after }));
        outcome.failed.iter().for_each(|(_, error)| self.meters.failed(error));
        round.calls += 1;
        round.note_silence(&outcome);
        round.stop = outcome.failed.iter().any(|(_, error)| error.is_of_the_store());
        outcome
    }
}

/// One plan's way into a store.
struct Round {
    status: StoreStatus,
    /// Calls that were made.
    calls: usize,
    /// That a call went without a usable answer.
    silence: Option<Silence>,
    stop: bool,
}

struct Silence {
    /// How long the store asked to be left alone, if it did.
    rest: Option<Duration>,
}

impl Round {
    fn begin(store: &str, epoch: u64) -> Self {
        Self { status: StoreStatus { store: store.into(), epoch, ..Default::default() }, calls: 0, silence: None, stop: false }
    }

    fn note_silence(&mut self, outcome: &BatchOutcome) {
        for (_, error) in &outcome.failed {
            match error {
                StoreError::Throttled { rest } => self.silence = Some(Silence { rest: Some(*rest) }),
                StoreError::Deadline { .. } | StoreError::Unreachable(_) => {
                    self.silence.get_or_insert(Silence { rest: None });
                }
                _ => {}
            }
        }
    }

    fn note_failure(&mut self, node: &str, error: &StoreError) {
        self.status.failed += 1;
        self.note_error(error);
        tracing::debug!(store = self.status.store, node, %error, "rate table not written");
    }

    fn note_error(&mut self, error: &StoreError) {
        if let StoreError::Fenced { highest, .. } = error {
            self.status.fenced_by = self.status.fenced_by.max(Some(*highest));
        }
        self.status.error.get_or_insert_with(|| error.to_string());
    }
}

/// Divides entries into calls that keep to the limits.
fn batches<'e>(entries: &'e [Entry], limits: &Limits) -> Vec<&'e [Entry]> {
    let mut batches = vec![];
    let (mut start, mut bytes) = (0, 0);
    for (i, entry) in entries.iter().enumerate() {
        let more = entry.key.len() + entry.value.len();
        if i > start && (i - start == limits.batch_pairs || bytes + more > limits.batch_bytes) {
            batches.push(&entries[start..i]);
            (start, bytes) = (i, 0);
        }
        bytes += more;
    }
    if start < entries.len() {
        batches.push(&entries[start..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tidegate_wire::Timestamp;

    use super::*;

    #[test]
    fn every_call_keeps_to_the_limits() {
        let limits = Limits { batch_pairs: 3, batch_bytes: 20, key_bytes: 9, value_bytes: 99, writes_per_s: None };
        let sizes = |values: &[usize]| -> Vec<usize> {
            let entry = |n: &usize| Entry { key: "k".into(), value: Bytes::from(vec![0; *n]), epoch: 1, expires_at: Timestamp::default() };
            let entries: Vec<_> = values.iter().map(entry).collect();
            batches(&entries, &limits).iter().map(|batch| batch.len()).collect()
        };
        assert_eq!(sizes(&[]), [] as [usize; 0]);
        assert_eq!(sizes(&[1; 7]), [3, 3, 1]);
        assert_eq!(sizes(&[9, 9, 9]), [2, 1]);
        assert_eq!(sizes(&[90, 1]), [1, 1]);
    }
}
