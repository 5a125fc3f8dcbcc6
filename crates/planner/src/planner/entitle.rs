//! What buckets and nodes may claim, worked out anew with every plan.

use std::collections::{BTreeMap, BTreeSet};

use super::Planner;
use crate::{
    allocate::{Candidate, entitled::entitled},
    state::{Claims, Columns, Window},
};

/// Windows of the past that a bucket is judged by: a day.
const REMEMBERED: Window = 2880;
/// How many times its average over that day a bucket's past bears out.
const BORNE_OUT: f32 = 4.0;
/// How much more than what is expected of them is kept for all others when one bucket's entitlement is worked out.
const ROOM_FOR_OTHERS: f64 = 1.2;
/// Part of an origin that is left to claim, however many buckets without an entry there are: they are one lump here.
const LEFT: f64 = 0.25;
/// Which moving average of what a bucket asks for is kept for it, 45 s, when less is expected: what one bucket is entitled to rises by as
/// much as all others are expected to ask for less, so a quiet window of theirs would be claimed many times over.
const LATELY: usize = 0;
/// How many times what it admitted a node is believed, when the others are asked for no more than they admit: so a crowd that grows
/// is followed within few ticks.
const BELIEVED: f64 = 1.5;
/// Requests per window that any node is believed: that it had to refuse the only one that came says nothing against it.
const FEW: f64 = 1.0;
/// When a bucket is held to what it is entitled to: once its average over this, 30 minutes,
const PRESSING_FOR: usize = 2;
/// has come up to this part of its entitlement,
const PRESSING_FROM: f64 = 0.5;
/// and this share of its requests was refused lately.
const PRESSING_REFUSED: f32 = 0.6;

/// What the past of all rows bears out.
pub(super) struct Past {
    /// The last window in which a bucket must have been born to be known.
    known_since: Window,
    /// By node number, what is expected of its known buckets as far as their past bears it out, requests per window.
    borne_out: Vec<f64>,
}

impl Past {
    /// Whether `row` is of a bucket that is known.
    fn knows(&self, columns: &Columns, row: usize) -> bool {
        columns.born[row] <= self.known_since
    }
}

impl Planner {
    /// Looks at the past of all rows. A bucket is known once it is half as old as what is remembered, at most half a day: traffic that
    /// comes out of nowhere must not pass for demand that others have to make room for.
    pub(super) fn past(&self) -> Past {
        let closed = self.store.closed().unwrap_or_default();
        let known = || self.store.nodes.iter().filter(|n| n.known).map(|n| n.total as usize);
        let oldest = known().map(|total| self.store.columns.born[total]).min().unwrap_or(closed);
        let mut past = Past { known_since: closed - (closed - oldest).min(REMEMBERED) / 2, borne_out: vec![0.0; self.store.nodes.len()] };
        for row in 0..self.means.steps[0].len() {
            past.borne_out[self.store.columns.node[row] as usize] += f64::from(self.borne_out(row, self.means.steps[0][row], &past));
        }
        for total in known() {
            let node = self.store.columns.node[total] as usize;
            past.borne_out[node] -= f64::from(self.borne_out(total, self.means.steps[0][total], &past));
        }
        past
    }

    /// How much of `mean` requests per window the past of `row` bears out.
    pub(super) fn borne_out(&self, row: usize, mean: f32, past: &Past) -> f32 {
        let columns = &self.store.columns;
        if past.knows(columns, row) { mean.min(BORNE_OUT * columns.ewma[4][row]) } else { 0.0 }
    }

    /// Whether `row` is known and comes at least about once a day.
    pub(super) fn regular(&self, row: usize, past: &Past) -> bool {
        let columns = &self.store.columns;
        past.knows(columns, row) && columns.ewma[4][row] * REMEMBERED as f32 >= 1.0
    }

    /// Whether `row` has long been claiming much of what it is entitled to, and is refused most of what it asks for now.
    pub(super) fn pressing(&self, row: usize) -> bool {
        let columns = &self.store.columns;
        let refused = columns.throttle_ratio[row] >= PRESSING_REFUSED;
        refused && f64::from(columns.ewma[PRESSING_FOR][row]) >= PRESSING_FROM * self.store.entitled(row)
    }

    /// Notes at each of the nodes `numbers` of an origin with `per_s` tokens per second what it and its buckets may claim until the
    /// next plan.
    pub(super) fn entitle(&mut self, numbers: &[usize], candidates: &[Vec<Candidate>], per_s: f64, past: &Past) {
        let window = per_s * self.store.interval_s() as f64;
        let listed: f64 = candidates.iter().flatten().map(|c| c.borne_out).sum();
        let unlisted = (numbers.iter().map(|n| past.borne_out[*n]).sum::<f64>() - listed).max(0.0);
        let rivals = candidates.iter().flatten().map(|c| self.rival(c, past)).collect();
        let levels = Levels { rivals, left: window - ROOM_FOR_OTHERS * unlisted, least: LEFT * window };
        let usual = self.default_policy().priority;
        let known: BTreeMap<u8, f64> = levels.priorities(usual).into_iter().map(|p| (p, levels.of(p, None))).collect();
        let new: BTreeMap<u8, f64> = known.keys().map(|p| (*p, levels.of(*p, Some((f64::INFINITY, 1.0))))).collect();
        let own = |c: &Candidate| {
            let level = if past.knows(&self.store.columns, c.row as usize) { &known } else { &new };
            if c.limit.is_some() { f64::INFINITY } else { c.weight * level[&c.priority] }
        };
        let unusual = |c: &&Candidate| c.limit.is_some() || c.weight != 1.0 || c.priority != usual;
        let owns: Vec<BTreeMap<u32, f64>> =
            candidates.iter().map(|c| c.iter().filter(unusual).map(|c| (c.row, own(c))).collect()).collect();
        let told: Vec<(f64, f64)> = numbers.iter().map(|n| self.told(*n)).collect();
        let sum = told.iter().fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
        for ((number, (claimed, admitted)), own) in numbers.iter().zip(told).zip(owns) {
            // A node that must refuse much while all others do is credible; one that alone does is less so.
            let others = ((sum.0 - claimed) / (sum.1 - admitted).max(1.0)).max(1.0);
            self.store.nodes[*number].claims = Claims {
                known: known[&usual],
                new: new[&usual],
                known_since: past.known_since,
                own,
                believed: BELIEVED * others,
                unproven: (window / numbers.len() as f64).max(FEW),
            };
        }
    }

    /// What `candidate` is to others.
    fn rival(&self, candidate: &Candidate, past: &Past) -> Rival {
        let row = candidate.row as usize;
        let lately = self.borne_out(row, self.store.columns.ewma[LATELY][row], past);
        let need = ROOM_FOR_OTHERS * candidate.borne_out.max(lately.into());
        Rival { priority: candidate.priority, weight: candidate.weight, need }
    }

    /// Requests that node `number` said in the last window that it was asked for, as far as they are claims, and that it admitted.
    fn told(&self, number: usize) -> (f64, f64) {
        let total = self.store.nodes[number].total as usize;
        let columns = &self.store.columns;
        (self.store.demand(total, 0).into(), (columns.offered[total] - columns.throttled[total]).max(0.0).into())
    }
}

/// A bucket for which room is kept.
struct Rival {
    priority: u8,
    weight: f64,
    /// Requests per window.
    need: f64,
}

/// What the buckets of each priority are entitled to.
struct Levels {
    rivals: Vec<Rival>,
    /// What buckets without an entry leave of the origin, requests per window.
    left: f64,
    /// What is left to claim at least.
    least: f64,
}

impl Levels {
    /// The priorities that there are, and `usual`; few, however many buckets there are.
    fn priorities(&self, usual: u8) -> BTreeSet<u8> {
        self.rivals.iter().map(|r| r.priority).chain([usual]).collect()
    }

    /// What the busiest of `priority`, with one `more` if there is, is entitled to per unit of weight: higher priorities have theirs
    /// first, lower ones are no rivals.
    fn of(&self, priority: u8, more: Option<(f64, f64)>) -> f64 {
        let above: f64 = self.rivals.iter().filter(|r| r.priority > priority).map(|r| r.need).sum();
        let needs = self.rivals.iter().filter(|r| r.priority == priority).map(|r| (r.need, r.weight)).chain(more);
        entitled((self.left - above).max(self.least), needs.collect())
    }
}
