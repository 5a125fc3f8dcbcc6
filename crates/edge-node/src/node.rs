//! The node itself.

use tidegate_token_bucket::{Member, MemberRates, NodeBucket, Refusal};
use tidegate_wire::{BucketRates, Mode, RateTable, Report, Timestamp, check_bucket};

use crate::{
    adopt::{self, Adoption},
    counts::Counts,
    ladder::{Ladder, Stage},
    slot::{BucketHandle, Slot, Slots, ceiling_burst},
};

/// The bucket that serves all requests whose own bucket cannot be kept: its id is not legal, or there are too many.
pub const OTHER: &str = "_other";

/// How a node behaves beyond what its table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether the node's bucket is empty when its first table arrives; full otherwise.
    pub start_empty: bool,
    /// Most buckets that are kept; requests of further ones share [`OTHER`].
    pub most_buckets: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { start_empty: false, most_buckets: 100_000 }
    }
}

/// What became of the requests of one take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Requests that may pass; all of them in shadow mode.
    pub admitted: u64,
    /// Requests refused; in shadow mode, that would have been.
    pub throttled: u64,
    /// Of the admitted, those on tokens of the bucket's own.
    pub guaranteed: u64,
    /// Of the admitted, those on tokens that other buckets left.
    pub borrowed: u64,
    /// What the throttled requests ran into.
    pub refusal: Option<Refusal>,
}

/// One instance of an edge node.
///
/// Without a table it refuses everything; give it one with epoch 0 if it shall serve before the first lease.
#[derive(Debug)]
pub struct EdgeNode {
    id: String,
    instance: Option<String>,
    options: Options,
    bucket: NodeBucket,
    slots: Slots,
    lease: Option<Lease>,
    /// When the rates in force end; spares a look at the ladder at every take.
    next_change: Timestamp,
}

#[derive(Debug)]
struct Lease {
    table: RateTable,
    ladder: Ladder,
    stage: Stage,
    /// How old the table was when it took the place of one that was leased; `None` for the first lease.
    staleness_ms: Option<u64>,
}

/// No rung ends then.
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

impl EdgeNode {
    /// A node without a table. `instance` names this process among those of the node, if there are several.
    pub fn new(id: impl Into<String>, instance: Option<String>, options: Options) -> Self {
        Self {
            id: id.into(),
            instance,
            options,
            bucket: NodeBucket::new(0.0, 0.0, 0.0, false, 0),
            slots: Slots::default(),
            lease: None,
            next_change: NEVER,
        }
    }

    /// The node's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Epoch of the table in force; `None` before the first.
    pub fn epoch(&self) -> Option<u64> {
        self.lease.as_ref().map(|l| l.table.epoch)
    }

    /// Puts the rates of `table` in force, unless it cannot be trusted. Buckets keep the tokens they have.
    ///
    /// A bucket's guarantee starts empty; the node's own bucket starts full with the first table (see
    /// [`Options::start_empty`]) and later tables add nothing to it.
    pub fn adopt(&mut self, table: &RateTable, now: Timestamp) -> Adoption {
        match adopt::check(table, &self.id, self.epoch()) {
            Ok(true) => {}
            Ok(false) => return Adoption::Current,
            Err(reason) => return Adoption::Refused(reason),
        }
        self.advance(now);
        let ladder = Ladder::new(table);
        let first = self.lease.is_none();
        let was_leased = self.epoch().is_some_and(|epoch| epoch > 0);
        // A clock behind the engine's makes it negative.
        let staleness_ms = was_leased.then(|| u64::try_from(now.as_millis() - table.issued_at.as_millis()).unwrap_or(0));
        self.lease = Some(Lease { table: table.clone(), ladder, stage: ladder.stage(now), staleness_ms });
        self.next_change = ladder.next_change(now).unwrap_or(NEVER);
        self.list_buckets(now);
        if first {
            let (refill, lendable, reserve) = self.node_rates();
            self.bucket = NodeBucket::new(refill, lendable, reserve, !self.options.start_empty, nanos(now));
        }
        self.set_rates(now, |_| true);
        Adoption::Adopted
    }

    /// A handle for `bucket`, which is kept from now on however idle it is.
    pub fn resolve(&mut self, bucket: &str, now: Timestamp) -> BucketHandle {
        let handle = self.find_or_insert(bucket, now);
        if let Some(slot) = self.slots.get_mut(handle) {
            slot.pinned = true;
        }
        handle
    }

    /// Decides `n` requests of `bucket` as if they came one by one at `now`.
    pub fn take(&mut self, bucket: &str, n: u64, now: Timestamp) -> Taken {
        let handle = self.find_or_insert(bucket, now);
        self.take_handle(handle, n, now)
    }

    /// [`EdgeNode::take`] for a bucket that was resolved before. A handle of another node is refused.
    pub fn take_handle(&mut self, handle: BucketHandle, n: u64, now: Timestamp) -> Taken {
        if now >= self.next_change {
            self.advance(now);
        }
        let Some(slot) = self.slots.get_mut(handle) else {
            return Taken { throttled: n, refusal: Some(Refusal::Pool), ..Taken::default() };
        };
        let split = self.bucket.take_up_to(&slot.member, n, nanos(now));
        let throttled = n - split.admitted();
        slot.counts.offered(n, throttled, now);
        let admitted = match self.lease.as_ref().map(|l| l.table.mode) {
            Some(Mode::Shadow) => n,
            _ => split.admitted(),
        };
        Taken { admitted, throttled, guaranteed: split.guaranteed, borrowed: split.borrowed, refusal: split.refusal }
    }

    /// Adds to the open window of a bucket what became known of its requests after they were decided: how many were
    /// marked as retries, failed at the origin, and how many bytes they carried.
    pub fn record(&mut self, handle: BucketHandle, retries: u64, errors: u64, bytes: u64) {
        if let Some(slot) = self.slots.get_mut(handle) {
            slot.counts.outcome(retries, errors, bytes);
        }
    }

    /// The counts since the last report, as the window of `seconds` that began at `start`. Buckets that are idle and
    /// indistinguishable from new ones are forgotten.
    pub fn report(&mut self, start: Timestamp, seconds: u32, sequence: u64) -> Report {
        let end_ns = nanos(start.plus_secs(i64::from(seconds)));
        let counted = self.slots.iter_mut().filter(|s| !s.counts.is_empty());
        let buckets = counted.map(|s| s.counts.drain(&s.id)).collect();
        self.slots.retain(|s| s.pinned || s.listed.is_some() || !s.member.is_rested(end_ns));
        Report {
            node: self.id.clone(),
            instance: self.instance.clone(),
            sequence,
            epoch: self.epoch().filter(|&epoch| epoch > 0),
            staleness_ms: self.lease.as_ref().and_then(|l| l.staleness_ms),
            start,
            seconds,
            cpu: None,
            memory: None,
            buckets,
        }
    }

    /// Tokens in the node's own bucket, the reserve for guaranteed bursts included.
    pub fn tokens(&mut self, now: Timestamp) -> f64 {
        self.advance(now);
        self.bucket.tokens(nanos(now))
    }

    /// Tokens per second that this instance's bucket refills at.
    pub fn refill_per_s(&mut self, now: Timestamp) -> f64 {
        self.advance(now);
        self.node_rates().0
    }

    /// Guaranteed tokens that `bucket` holds; 0 when it is not kept.
    pub fn bucket_tokens(&mut self, bucket: &str, now: Timestamp) -> f64 {
        self.advance(now);
        let slot = self.slots.find(bucket).and_then(|handle| self.slots.get(handle));
        slot.map_or(0.0, |s| s.member.tokens(nanos(now)))
    }

    /// Buckets that are kept.
    pub fn buckets(&self) -> usize {
        self.slots.len()
    }

    /// Walks down the ladder to `now`, each rung settled at its own rates.
    fn advance(&mut self, now: Timestamp) {
        while now >= self.next_change {
            let at = self.next_change;
            let Some(lease) = &mut self.lease else { return };
            lease.stage = lease.ladder.stage(at);
            self.next_change = lease.ladder.next_change(at).unwrap_or(NEVER);
            // Ceilings and what must be left are the same on all rungs, and unlisted buckets have nothing else.
            self.set_rates(at, |slot| slot.listed.is_some());
        }
    }

    /// Sets the node's bucket, and the buckets that are `affected`, to the rates of the rung in force.
    fn set_rates(&mut self, now: Timestamp, affected: impl Fn(&Slot) -> bool) {
        let (refill, lendable, reserve) = self.node_rates();
        let Some(lease) = &self.lease else { return };
        for slot in self.slots.iter_mut().filter(|s| affected(s)) {
            slot.member.set(member_rates(slot.listed.as_ref(), lease), nanos(now));
        }
        self.bucket.set(refill, lendable, reserve, nanos(now));
    }

    /// This instance's share of the node's refill, of what it may lend and of the guaranteed bursts.
    fn node_rates(&self) -> (f64, f64, f64) {
        let Some(Lease { table, stage, .. }) = &self.lease else { return (0.0, 0.0, 0.0) };
        let safe_of_buckets: f64 = table.buckets.values().map(|b| b.safe_per_s).sum();
        // A table without the pool's own safe rate still leaves every listed bucket its safe rate.
        let safe_per_s = table.pool.safe_per_s.max(safe_of_buckets);
        let instances = f64::from(table.instances);
        let reserve: f64 = table.buckets.values().map(|b| b.capacity).sum();
        (stage.rate(&table.pool.refill_per_s, safe_per_s) / instances, table.pool.capacity / instances, reserve / instances)
    }

    /// Marks which buckets the new table lists, and makes those that are not kept yet: their guarantee accrues from now on.
    fn list_buckets(&mut self, now: Timestamp) {
        let Some(lease) = &self.lease else { return };
        for slot in self.slots.iter_mut() {
            slot.listed = lease.table.buckets.get(&slot.id).cloned();
        }
        for (id, rates) in &lease.table.buckets {
            if self.slots.find(id).is_none() {
                self.slots.insert(new_slot(id, Some(rates.clone()), lease, now));
            }
        }
    }

    fn find_or_insert(&mut self, bucket: &str, now: Timestamp) -> BucketHandle {
        if let Some(handle) = self.slots.find(bucket) {
            return handle;
        }
        if bucket != OTHER && (self.slots.len() >= self.options.most_buckets || check_bucket(bucket).is_err()) {
            return self.find_or_insert(OTHER, now);
        }
        self.advance(now);
        let slot = match &self.lease {
            Some(lease) => new_slot(bucket, None, lease, now),
            None => Slot::new(bucket, Member::new(MemberRates::default(), nanos(now))),
        };
        self.slots.insert(slot)
    }
}

impl Slot {
    fn new(id: &str, member: Member) -> Self {
        Self { id: id.to_owned(), member, listed: None, pinned: false, counts: Counts::default() }
    }
}

fn new_slot(id: &str, listed: Option<BucketRates>, lease: &Lease, now: Timestamp) -> Slot {
    let member = Member::new(member_rates(listed.as_ref(), lease), nanos(now));
    Slot { listed, ..Slot::new(id, member) }
}

/// This instance's share of a bucket's guarantee and ceiling, and of what it must leave.
fn member_rates(listed: Option<&BucketRates>, lease: &Lease) -> MemberRates {
    let Lease { table, stage, .. } = lease;
    let rates = listed.unwrap_or(&table.default);
    let instances = f64::from(table.instances);
    let borrowing = MemberRates {
        ceiling_per_s: rates.ceiling_per_s / instances,
        ceiling_burst: ceiling_burst(rates, table.step_s, instances),
        must_leave: rates.must_leave / instances,
        ..Default::default()
    };
    if listed.is_none() {
        // Unlisted buckets are too many to promise each of them something: they only borrow.
        return borrowing;
    }
    let refill_per_s = stage.rate(&rates.refill_per_s, rates.safe_per_s) / instances;
    MemberRates { refill_per_s, capacity: rates.capacity / instances, ..borrowing }
}

fn nanos(t: Timestamp) -> u64 {
    u64::try_from(t.as_millis()).unwrap_or(0).saturating_mul(1_000_000)
}
