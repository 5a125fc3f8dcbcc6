//! Leasing an origin's capacity to its nodes.

use std::cmp::Ordering;

use tidegate_wire::Timestamp;

use super::{Planner, entitle::Past};
use crate::{
    allocate::{Candidate, Claim, Share, burst, doubt, ledger, nodes},
    forecast::quantile::logit,
    plan::OriginSummary,
    settings::{Origin, matches},
    state::Window,
};

/// A node's safe rate as a part of what it needed over the last hours, and of what it is expected to need soon: the larger counts.
/// More would serve longer without the engine, but a safe rate is capacity that no other node can be given meanwhile.
const SAFE_OF_MEAN: f64 = 0.3;
const SAFE_OF_FORECAST: f64 = 0.5;

/// How many times the average of what it was asked for so far a node may need for some windows, as long as little is known of it.
const DOUBTED_OF_MEAN: f64 = 3.0;

/// Part of what a node is leased beyond its safe rate that it keeps for one more step while the next table is overdue. All of it
/// would serve longer, but what is promised for longer can be given to no other node meanwhile.
const OVERDUE: f64 = 0.5;

/// What one node is leased.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeLease {
    pub number: usize,
    /// Refill by step, tokens per second; the last is the safe rate.
    pub schedule: Vec<f64>,
    /// The rate of the step in which the table is expected to be read.
    pub rate: f64,
    /// Pool capacity and guaranteed bursts together, tokens.
    pub burst: f64,
}

/// The nodes of an origin, by number.
pub(super) struct Group {
    origin: Origin,
    /// Those that report.
    pub live: Vec<usize>,
    vanished: Vec<usize>,
}

impl Planner {
    /// Leases the capacity of every origin, writes the tables of its nodes and returns its totals.
    pub(super) fn lease(&mut self, past: &Past, now: Timestamp) -> Vec<OriginSummary> {
        let groups: Vec<Group> = (0..self.settings.origins.len()).map(|index| self.group(index, now)).collect();
        let mut candidates: Vec<Vec<Vec<Candidate>>> = groups.iter().map(|group| self.candidates(&group.live, past)).collect();
        for (group, candidates) in groups.iter().zip(&candidates) {
            self.entitle(&group.live, candidates, group.origin.sustained_per_s, past);
        }
        self.split_limits(&groups, &mut candidates);
        groups.into_iter().zip(candidates).map(|(group, candidates)| self.lease_one(group, &candidates, now)).collect()
    }

    fn lease_one(&mut self, group: Group, candidates: &[Vec<Candidate>], now: Timestamp) -> OriginSummary {
        let share = self.share_rates(&group, candidates, now);
        let rates = &share.rates;
        let safe = self.share_safe(&group, rates);
        let bursts = self.share_burst(&group);
        let schedules = self.schedules(&group, &share, &safe, now);
        for (i, number) in group.live.iter().enumerate() {
            let schedule = schedules[i].clone();
            let rate = rates[i].min(schedule.iter().copied().fold(0.0, f64::max));
            let lease = NodeLease { number: *number, rate, schedule, burst: bursts[i] };
            self.write_table(&group.origin, lease, &candidates[i], now);
        }
        self.origin_summary(&group, share.price, now)
    }

    /// Whether a node that last reported window `last` is taken to be gone.
    pub(super) fn vanished(&self, last: Window, now: Timestamp) -> bool {
        now.as_secs() - (last + 1) * self.store.interval_s() > i64::from(self.settings.lease.duration_s)
    }

    fn group(&self, index: usize, now: Timestamp) -> Group {
        let of = |name: &str| self.settings.origins.iter().position(|o| matches(&o.nodes, name));
        let members = (0..self.store.nodes.len()).filter(|n| {
            let node = &self.store.nodes[*n];
            node.known && of(&node.name) == Some(index)
        });
        let (vanished, live) = members.partition(|n| self.vanished(self.store.nodes[*n].last, now));
        Group { origin: self.settings.origins[index].clone(), live, vanished }
    }

    fn share_rates(&mut self, group: &Group, candidates: &[Vec<Candidate>], now: Timestamp) -> Share {
        let seconds = self.store.interval_s() as f64;
        let free = self.free_per_s(group, now);
        let even = free / group.live.len().max(1) as f64;
        let claims: Vec<Claim> = group.live.iter().zip(candidates).map(|(n, c)| self.claim(*n, c, even, now)).collect();
        let slo = self.default_policy().slo;
        let mut share = nodes::share(self.gamma, free, seconds, slo, &claims);
        for (number, claim) in group.live.iter().zip(&claims) {
            let bound = claim.bound(self.gamma, logit(1.0 - slo));
            let windows = self.late(*number) + 1;
            self.supplies[*number].bound(windows, bound);
        }
        for rates in [&mut share.rates, &mut share.lasting] {
            rates.iter_mut().zip(&group.live).for_each(|(rate, n)| *rate = self.held_back(*n, *rate));
        }
        share
    }

    /// What node `number` may claim, where `even` tokens per second would be its part if nothing were known of any node.
    fn claim(&self, number: usize, candidates: &[Candidate], even: f64, now: Timestamp) -> Claim {
        let supply = &self.supplies[number];
        let total = self.store.nodes[number].total as usize;
        let interval = self.store.interval_s();
        let late = self.late(number);
        let mean: f64 = (0..=late).map(|s| f64::from(self.means.steps[s.min(3)][total])).sum();
        let refilled: f64 = (0..late as i64)
            .map(|step| {
                let read = now.plus_secs((step - late as i64) * interval);
                supply.ledger.issued_before(read).map_or(0.0, |l| l.rate(now.plus_secs(step * interval))) * interval as f64
            })
            .sum();
        // Before its first lease a node could be given up to an origin's whole burst; an infinite room would make rates NaN.
        let most = self.settings.origins.iter().map(|o| o.burst).fold(0.0, f64::max);
        let capacity = supply.ledger.newest().map_or(most, |l| l.burst - supply.reserve);
        Claim {
            mean,
            variance: supply.variance(late + 1, mean),
            stretch: if self.settings.without.calibration { 1.0 } else { supply.stretch },
            tokens: (supply.tokens - supply.reserve).max(0.0) + refilled,
            capacity: capacity.max(0.0),
            floor: candidates.iter().map(|c| c.floor).sum::<f64>().max(self.doubted_per_s(number, even)),
            even: doubt(supply.windows) * even,
            committed: supply.ledger.committed_per_s(now.plus_secs(late as i64 * interval)),
        }
    }

    /// Rate that a node keeps, however scarce capacity is, until its past has shown how far it may stray: what it would have if all
    /// had the same, as far as it was ever asked for anything like it. An idle node takes nothing from the others.
    fn doubted_per_s(&self, number: usize, even: f64) -> f64 {
        let total = self.store.nodes[number].total as usize;
        let asked_per_s = f64::from(self.store.columns.ewma[4][total]) / self.store.interval_s() as f64;
        doubt(self.supplies[number].windows) * even.min(DOUBTED_OF_MEAN * asked_per_s)
    }

    /// Steps ahead for which a node's rate is planned: until a table issued now is surely read.
    pub(super) fn late(&self, number: usize) -> usize {
        if self.settings.without.horizon { 0 } else { self.read_by(number) }
    }

    /// Steps until a table issued now is surely read by a node, as far as a schedule reaches.
    fn read_by(&self, number: usize) -> usize {
        self.supplies[number].staleness().min(self.settings.lease.steps as usize - 2)
    }

    /// A node that is exhausted gets no raise.
    fn held_back(&self, number: usize, rate: f64) -> f64 {
        let node = &self.store.nodes[number];
        if f64::from(node.cpu.max(node.memory)) < self.settings.guard.exhausted {
            return rate;
        }
        let previous = self.supplies[number].ledger.newest().and_then(|l| l.refill_per_s.first()).copied();
        previous.map_or(rate, |p| rate.min(p))
    }

    fn share_safe(&self, group: &Group, rates: &[f64]) -> Vec<f64> {
        let seconds = self.store.interval_s() as f64;
        let total = group.origin.sustained_per_s * self.settings.lease.safe_share;
        let gone: f64 = group.vanished.iter().map(|n| self.supplies[*n].ledger.committed_safe_per_s()).sum();
        let needs: Vec<f64> = group
            .live
            .iter()
            .zip(rates)
            .map(|(n, rate)| {
                let total = self.store.nodes[*n].total as usize;
                let slow = SAFE_OF_MEAN * f64::from(self.store.columns.ewma[3][total]) / seconds;
                let soon = SAFE_OF_FORECAST * (f64::from(self.means.steps[3][total]) / seconds).min(*rate);
                slow.max(soon) + 1e-6
            })
            .collect();
        let part = (total / needs.iter().sum::<f64>()).min(1.0);
        let targets: Vec<f64> = needs.iter().map(|s| s * part).collect();
        let committed: Vec<f64> = group.live.iter().map(|n| self.supplies[*n].ledger.committed_safe_per_s()).collect();
        ledger::within((total - gone).max(0.0), &committed, &targets)
    }

    fn share_burst(&self, group: &Group) -> Vec<f64> {
        let gone: f64 = group.vanished.iter().map(|n| self.supplies[*n].ledger.committed_burst()).sum();
        let of = |n: &usize| &self.supplies[*n];
        let swing: Vec<f64> = group.live.iter().map(|n| self.swing(*n)).collect();
        let windows: Vec<u32> = group.live.iter().map(|n| of(n).windows).collect();
        let swing = burst::believed(&swing, &windows);
        let committed: Vec<f64> = group.live.iter().map(|n| of(n).ledger.committed_burst()).collect();
        let current: Vec<Option<f64>> = group.live.iter().map(|n| of(n).ledger.newest().map(|l| l.burst)).collect();
        burst::share((group.origin.burst - gone).max(0.0), &swing, &committed, &current)
    }

    /// How far a node's demand may stray: its standard deviation, to the power 0.75, so that one restless node does not get all.
    fn swing(&self, number: usize) -> f64 {
        let total = self.store.nodes[number].total as usize;
        let columns = &self.store.columns;
        let variance = columns.variance[total] + columns.surprise[total] * columns.forecast[total];
        f64::from(variance).powf(0.375)
    }

    /// Each node's refill by step, in every step within what is free. Its new rate is that of the step by whose start the table has
    /// surely been read; until then it keeps what it was promised, or more where more is free. So nodes read their tables at any
    /// moment and change at the start of a step, and a rate that falls makes room at once for one that rises.
    fn schedules(&self, group: &Group, share: &Share, safe: &[f64], now: Timestamp) -> Vec<Vec<f64>> {
        let steps = self.settings.lease.steps as usize;
        let mut schedules = vec![Vec::with_capacity(steps); group.live.len()];
        for step in 0..steps {
            let t = now.plus_secs(step as i64 * self.store.interval_s());
            let target = |(i, number): (usize, &usize)| match step.cmp(&self.read_by(*number)) {
                _ if step + 1 == steps => safe[i],
                Ordering::Less => self.promised(*number, t).max(share.rates[i]),
                Ordering::Equal => share.rates[i],
                // The next table may be later than any was.
                Ordering::Greater if step == self.read_by(*number) + 1 => safe[i] + OVERDUE * (share.lasting[i] - safe[i]).max(0.0),
                Ordering::Greater => safe[i],
            };
            let targets: Vec<f64> = group.live.iter().enumerate().map(target).collect();
            let allowed = self.allowed(group, &targets, t, step + 1 == steps);
            schedules.iter_mut().zip(allowed).for_each(|(s, rate)| s.push(rate));
        }
        schedules
    }

    /// What the newest table of node `number` gives it at `t`, tokens per second.
    fn promised(&self, number: usize, t: Timestamp) -> f64 {
        self.supplies[number].ledger.newest().map_or(0.0, |lease| lease.rate(t))
    }

    /// The refills nearest to `targets` that fit beside what is committed in the step that starts at `t`; the last step holds for as
    /// long as the lease is out.
    fn allowed(&self, group: &Group, targets: &[f64], t: Timestamp, is_last: bool) -> Vec<f64> {
        let held_by = |n: &usize| {
            let ledger = &self.supplies[*n].ledger;
            if is_last { ledger.committed_from(t) } else { ledger.committed_per_s(t) }
        };
        let committed: Vec<f64> = group.live.iter().map(held_by).collect();
        let gone: f64 = group.vanished.iter().map(held_by).sum();
        let free = (group.origin.sustained_per_s - gone).max(0.0);
        if committed.iter().sum::<f64>() <= free {
            return ledger::within(free, &committed, targets);
        }
        // The step overlaps two of an older lease. One node's may be falling and another's rising at that moment: what fits is what
        // each of them holds throughout.
        let surely = group.live.iter().map(|n| self.supplies[*n].ledger.surely_committed(t, is_last));
        targets.iter().zip(surely).map(|(target, surely)| target.min(surely)).collect()
    }

    /// Capacity that no vanished node holds in the step that starts at `t`.
    fn free_per_s(&self, group: &Group, t: Timestamp) -> f64 {
        let gone: f64 = group.vanished.iter().map(|n| self.supplies[*n].ledger.committed_per_s(t)).sum();
        (group.origin.sustained_per_s - gone).max(0.0)
    }

    fn origin_summary(&self, group: &Group, price: f64, now: Timestamp) -> OriginSummary {
        let all = || group.live.iter().chain(&group.vanished).map(|n| &self.supplies[*n].ledger);
        let steps = i64::from(self.settings.lease.steps);
        let leased = |step: i64| all().map(|l| l.committed_per_s(now.plus_secs(step * self.store.interval_s()))).sum::<f64>();
        OriginSummary {
            name: group.origin.name.clone(),
            sustained_per_s: group.origin.sustained_per_s,
            burst: group.origin.burst,
            leased_per_s: (0..steps).map(leased).fold(0.0, f64::max),
            leased_burst: all().map(|l| l.committed_burst()).sum(),
            price,
        }
    }
}
