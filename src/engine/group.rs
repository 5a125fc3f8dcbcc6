//! A group of batches that become durable together.

use std::collections::HashSet;

use tidegate_journal::Record;
use tidegate_planner::Planner;
use tidegate_wire::{Accepted, Problem, Rejected, Report};

use crate::{
    ingest::{
        Checked, Item,
        dedupe::{Index, Seen},
        fold::fold,
    },
    state::State,
};

/// What one group adds to the journal and the state, and what its senders are told once it is durable.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) records: Vec<Record>,
    pub(super) fresh: Vec<Report>,
    pub(super) answers: Vec<Accepted>,
}

impl Group {
    /// Sorts the reports of `batches` into fresh ones, repeats (within the group too) and refused ones.
    pub(super) fn new(batches: impl IntoIterator<Item = Checked>, state: &State) -> Self {
        let mut group = Self::default();
        let mut in_group = HashSet::new();
        for batch in batches {
            let mut answer = Accepted { rejected: batch.rejected, ..Accepted::default() };
            let mut encoded = vec![];
            for mut item in batch.items {
                match seen(&item.report, &state.dedupe, &mut in_group) {
                    Seen::Before => answer.duplicates += 1,
                    Seen::TooOld { highest } => {
                        answer.rejected.push(Rejected { index: item.index, problem: too_old(&item.report, highest) })
                    }
                    Seen::Never => {
                        bound(&mut item, &state.planner);
                        encoded.extend_from_slice(&item.encoded);
                        group.fresh.push(item.report);
                        answer.accepted += 1;
                    }
                }
            }
            if !encoded.is_empty() {
                group.records.push(Record::Reports(encoded));
            }
            answer.rejected.sort_by_key(|r| r.index);
            group.answers.push(answer);
        }
        group
    }
}

type Key = (String, Option<String>, u64);

fn seen(report: &Report, index: &Index, in_group: &mut HashSet<Key>) -> Seen {
    let known = index.seen(report);
    let repeated = known == Seen::Never && !in_group.insert((report.node.clone(), report.instance.clone(), report.sequence));
    if repeated { Seen::Before } else { known }
}

/// Folds the buckets that go beyond what the planner keeps for the node.
fn bound(item: &mut Item, planner: &Planner) {
    let node = item.report.node.as_str();
    let room = planner.settings().limits.series_per_node.saturating_sub(planner.series_of(node));
    if item.report.buckets.len() <= room {
        return;
    }
    let mut report = item.report.clone();
    let folded = fold(&mut report, room, |bucket| planner.knows(node, bucket));
    if folded > 0 {
        metrics::counter!("tidegate_buckets_folded_total").increment(folded as u64);
        item.replace(report);
    }
}

fn too_old(report: &Report, highest: u64) -> Problem {
    let detail = format!(
        "sequence {} is far below {highest}, which this instance has reached: drop the report; a process that starts anew needs a new instance id",
        report.sequence
    );
    Problem::new("sequence-too-old", "The sequence number is too far back", 409, detail)
}
