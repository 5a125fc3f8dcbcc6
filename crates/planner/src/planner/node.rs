//! From a node's lease to its rate table: which buckets are listed and what each is guaranteed.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use tidegate_wire::{BucketRates, Mode, PoolRates, RateTable, TABLE_VERSION, Timestamp};

use super::{Planner, entitle::Past, guarantee::Lent, leave::Leave, origin::NodeLease};
use crate::{
    allocate::{Candidate, Lease},
    forecast::STEPS,
    guard::Rule,
    settings::{Origin, WhenStale},
    state::TOTAL,
};

/// Requests per window from which a bucket is worth an entry of its own.
const LISTED_FROM: f32 = 0.5;

impl Planner {
    /// By node of `numbers`, the buckets that may get an entry, busiest first.
    pub(super) fn candidates(&self, numbers: &[usize], past: &Past) -> Vec<Vec<Candidate>> {
        let mut place = vec![usize::MAX; self.store.nodes.len()];
        numbers.iter().enumerate().for_each(|(i, n)| place[*n] = i);
        let means: Vec<&[f32]> = numbers.iter().map(|n| self.means.steps[self.late(*n).min(STEPS - 1)].as_slice()).collect();
        let mut ranks: Vec<Vec<Rank>> = numbers.iter().map(|_| vec![]).collect();
        let surge: Vec<bool> = numbers.iter().map(|n| self.surge(*n) > 0.0).collect();
        let any_surge = surge.contains(&true);
        let special = self.settings.policies.iter().any(|p| self.lists(p));
        for (row, (next, node)) in self.means.steps[0].iter().zip(&self.store.columns.node).enumerate() {
            let busy = *next >= LISTED_FROM;
            if !(busy || special || any_surge) {
                continue;
            }
            let Some(i) = place.get(*node as usize).copied().filter(|i| *i != usize::MAX) else { continue };
            // Who has no entry in a surge passes for one of those who came with it.
            let told_apart = surge[i] && self.regular(row, past);
            if !(busy || special || told_apart) {
                continue;
            }
            let Some(name) = self.store.index.name(row).filter(|n| *n != TOTAL) else { continue };
            let policy = self.policy(name);
            let mean = means[i][row];
            let borne_out = self.borne_out(row, mean, past);
            if borne_out >= LISTED_FROM || told_apart || self.lists(policy) || self.pressing(row) {
                ranks[i].push(Rank { floor: policy.floor_per_s, borne_out, mean, row: row as u32 });
            }
        }
        let listed = self.settings.limits.listed_per_node;
        ranks.into_iter().map(|ranks| first(ranks, listed).iter().map(|rank| self.candidate(rank)).collect()).collect()
    }

    fn candidate(&self, rank: &Rank) -> Candidate {
        let (row, mean, borne_out) = (rank.row as usize, f64::from(rank.mean), f64::from(rank.borne_out));
        let policy = self.policy(self.store.index.name(row).unwrap_or_default());
        let most = policy.most_per_s().unwrap_or(f64::INFINITY);
        let pressing = self.pressing(row);
        let held_to = if pressing { self.store.entitled(row) / self.store.interval_s() as f64 } else { most };
        Candidate {
            row: rank.row,
            mean,
            borne_out,
            variance: f64::from(self.store.columns.overdispersion[row]) * borne_out,
            weight: policy.weight,
            priority: policy.priority,
            floor: policy.floor_per_s,
            ceiling: held_to.max(policy.floor_per_s).min(most),
            limit: policy.limit_per_s,
            listed: pressing || self.lists(policy),
        }
    }

    /// Issues `lease` and writes the node's table, unless what it has is as good.
    pub(super) fn write_table(&mut self, origin: &Origin, lease: NodeLease, candidates: &[Candidate], now: Timestamp) {
        let (guaranteed, others) = self.surely_come(&lease, candidates);
        let lent = self.guarantees(&lease, &guaranteed);
        let reserve: f64 = lent.iter().map(|lent| lent.capacity).sum();
        let unlimited = origin.sustained_per_s + origin.burst / self.store.interval_s() as f64;
        let leave = self.leave(lease.number, (lease.burst - reserve).max(0.0), candidates);
        let borrowing = others.into_iter().filter(|c| c.listed || leave.listed(c) != leave.unlisted).map(|c| (c, Lent::nothing(&lease)));
        let named = guaranteed.into_iter().zip(lent).chain(borrowing).filter_map(|(candidate, lent)| {
            let name = self.store.index.name(candidate.row as usize)?;
            Some((name.to_owned(), self.entry(&lease, &leave, candidate, lent, unlimited)))
        });
        let buckets = named.collect();
        let ceilings = candidates.iter().filter(|c| c.limit.is_some()).map(|c| (c.row, c.ceiling)).collect();
        let unlisted = self.unlisted(&leave, unlimited);
        let table = self.table(&lease, reserve, unlisted, buckets, now);
        self.issue(lease, reserve, ceilings, table, now);
    }

    fn entry(&self, lease: &NodeLease, leave: &Leave, candidate: &Candidate, lent: Lent, unlimited: f64) -> BucketRates {
        let policy = self.policy(self.store.index.name(candidate.row as usize).unwrap_or_default());
        let Lent { per_s, mut refill_per_s, capacity } = lent;
        if let (WhenStale::Floor, Some(last)) = (policy.when_stale, refill_per_s.last_mut()) {
            *last = last.min(policy.floor_per_s);
        }
        let safe_per_s = refill_per_s.last().copied().unwrap_or(0.0);
        let ceiling_per_s = candidate.ceiling.min(unlimited).max(per_s);
        let ceiling_burst = self.saved_of_limit(lease.number, policy, ceiling_per_s, capacity);
        BucketRates { refill_per_s, capacity, ceiling_per_s, ceiling_burst, safe_per_s, must_leave: leave.listed(candidate) }
    }

    /// What serves every bucket without an entry: it borrows.
    fn unlisted(&self, leave: &Leave, unlimited: f64) -> BucketRates {
        let ceiling_per_s = self.default_policy().most_per_s().unwrap_or(unlimited);
        BucketRates { refill_per_s: vec![0.0], ceiling_per_s, must_leave: leave.unlisted, ..BucketRates::default() }
    }

    fn table(
        &self,
        lease: &NodeLease,
        reserve: f64,
        default: BucketRates,
        buckets: BTreeMap<String, BucketRates>,
        now: Timestamp,
    ) -> RateTable {
        let node = &self.store.nodes[lease.number];
        RateTable {
            version: TABLE_VERSION,
            node: node.name.clone(),
            epoch: self.epoch,
            issued_at: now,
            step_s: self.settings.interval_s,
            expires_at: now.plus_secs(i64::from(self.settings.lease.duration_s)),
            mode: if self.default_policy().shadow { Mode::Shadow } else { Mode::Enforce },
            instances: node.instances.len().max(1) as u32,
            pool: PoolRates {
                refill_per_s: lease.schedule.clone(),
                capacity: (lease.burst - reserve).max(0.0),
                safe_per_s: lease.schedule.last().copied().unwrap_or(0.0),
            },
            default,
            buckets,
            shards: vec![],
        }
    }

    fn issue(&mut self, lease: NodeLease, reserve: f64, ceilings: Vec<(u32, f64)>, table: RateTable, now: Timestamp) {
        if self.tables.get(&table.node).is_some_and(|old| self.as_good(old, &table, now)) {
            return;
        }
        let supply = &mut self.supplies[lease.number];
        if supply.ledger.newest().is_none() {
            supply.tokens = lease.burst;
        }
        supply.reserve = reserve;
        supply.ledger.issue(Lease {
            epoch: self.epoch,
            issued_ms: now.as_millis(),
            step_ms: self.store.interval_s() * 1000,
            expires_ms: table.expires_at.as_millis(),
            refill_per_s: lease.schedule,
            burst: lease.burst,
            ceilings,
        });
        self.tables.insert(table.node.clone(), Arc::new(table));
    }

    /// Whether `old` still gives, within the dead-band, what `new` would, for the first half of its lease.
    fn as_good(&self, old: &RateTable, new: &RateTable, now: Timestamp) -> bool {
        let band = self.settings.guard.dead_band;
        let near = |a: f64, b: f64| (a - b).abs() <= band * a.abs().max(b.abs());
        let age = old.step_at(now);
        let schedule = |a: &[f64], b: &[f64]| {
            (0..b.len()).all(|k| near(tidegate_wire::rates::rate_at(a, age + k), tidegate_wire::rates::rate_at(b, k)))
        };
        let left_s = old.expires_at.secs_since(now);
        left_s > f64::from(self.settings.lease.duration_s) / 2.0
            && old.instances == new.instances
            && old.mode == new.mode
            && schedule(&old.pool.refill_per_s, &new.pool.refill_per_s)
            && near(old.pool.capacity, new.pool.capacity)
            && near(old.default.must_leave, new.default.must_leave)
            && old.buckets.len() == new.buckets.len()
            && old.buckets.iter().zip(&new.buckets).all(|((a, x), (b, y))| {
                a == b
                    && schedule(&x.refill_per_s, &y.refill_per_s)
                    && near(x.capacity, y.capacity)
                    && near(x.ceiling_per_s, y.ceiling_per_s)
                    && near(x.must_leave, y.must_leave)
            })
    }

    /// The rule that bound the rate of `row`.
    pub(super) fn rule(&self, row: usize) -> &'static str {
        Rule::name_of(self.store.columns.rule[row])
    }
}

/// What decides which buckets of a node get an entry: a node has many more than its table has room for, so this is all that is
/// made of most of them.
struct Rank {
    floor: f64,
    borne_out: f32,
    mean: f32,
    row: u32,
}

impl Rank {
    fn order(&self, other: &Self) -> Ordering {
        other
            .floor
            .total_cmp(&self.floor)
            .then(other.borne_out.total_cmp(&self.borne_out))
            .then(other.mean.total_cmp(&self.mean))
            .then(self.row.cmp(&other.row))
    }
}

/// The first `most` of `ranks`, in order.
fn first(mut ranks: Vec<Rank>, most: usize) -> Vec<Rank> {
    if most < ranks.len() {
        ranks.select_nth_unstable_by(most, Rank::order);
        ranks.truncate(most);
    }
    ranks.sort_unstable_by(Rank::order);
    ranks
}
