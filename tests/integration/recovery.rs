//! Crashes at any point: the next plan is the one there would have been without them.

use std::{fs, path::Path};

use proptest::prelude::*;
use tempfile::TempDir;
use tidegate::engine::{Options, Running};
use tidegate_wire::{Report, Timestamp};

use crate::reports::{START, WINDOW_S, body, options, report, start};

/// What happens to the service.
#[derive(Debug, Clone)]
enum Step {
    /// Nodes report the window that is open, with these requests of their buckets.
    Report(Vec<(usize, usize, u64)>),
    /// The window closes.
    Tick,
    /// A snapshot is begun.
    Snapshot,
    /// The process dies and starts again.
    Crash(Damage),
}

/// What a crash leaves behind besides what was durable.
#[derive(Debug, Clone)]
enum Damage {
    None,
    TornTail(Vec<u8>),
    NewestSnapshot,
    AllSnapshots,
}

/// How much of the journal stays behind the snapshots.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Retention {
    /// All of it.
    Everything,
    /// Only what the two snapshots need.
    Needed,
}

impl Retention {
    fn options(self, dir: &Path) -> Options {
        let mut options = options(dir);
        if self == Self::Needed {
            (options.journal.segment_bytes, options.journal.retain_bytes) = (200, 1);
        }
        options
    }
}

const NODES: [&str; 3] = ["fra", "iad", "nrt"];
const BUCKETS: [&str; 4] = ["a", "b", "c", "d"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let counts = proptest::collection::vec((0..NODES.len(), 0..BUCKETS.len(), 0u64..500), 1..4);
    let damage = prop_oneof![
        Just(Damage::None),
        proptest::collection::vec(any::<u8>(), 1..40).prop_map(Damage::TornTail),
        Just(Damage::NewestSnapshot),
        Just(Damage::AllSnapshots),
    ];
    let step = prop_oneof![
        5 => counts.prop_map(Step::Report),
        4 => Just(Step::Tick),
        2 => Just(Step::Snapshot),
        2 => damage.prop_map(Step::Crash),
    ];
    proptest::collection::vec(step, 1..40)
}

/// A service on a simulated timeline.
struct Life {
    dir: TempDir,
    retention: Retention,
    running: Running,
    now: Timestamp,
    sequence: u64,
    acknowledged: Vec<Report>,
    epoch: u64,
}

impl Life {
    fn new(retention: Retention) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let running = start(&retention.options(dir.path()));
        Self { dir, retention, running, now: START, sequence: 0, acknowledged: vec![], epoch: 0 }
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Report(counts) => {
                let reports: Vec<Report> = counts
                    .iter()
                    .map(|&(node, bucket, requests)| {
                        self.sequence += 1;
                        report(NODES[node], self.sequence, self.now, &[(BUCKETS[bucket], requests)])
                    })
                    .collect();
                let answer = self.running.engine.ingest(body(reports.clone())).await.unwrap();
                assert_eq!(answer.accepted, reports.len());
                self.acknowledged.extend(reports);
            }
            Step::Tick => {
                self.tick().await;
            }
            Step::Snapshot => self.running.engine.snapshot().await.unwrap(),
            Step::Crash(damage) => self.crash(damage).await,
        }
    }

    async fn tick(&mut self) -> String {
        self.now = self.now.plus_secs(WINDOW_S);
        let plan = self.running.engine.tick(self.now).await.unwrap();
        assert!(plan.epoch > self.epoch, "epochs rise");
        self.epoch = plan.epoch;
        serde_json::to_string(&*plan).unwrap()
    }

    /// Goes on from a copy of the files as they are at this moment, which is what a killed process leaves.
    async fn crash(&mut self, damage: &Damage) {
        let dir = tempfile::tempdir().unwrap();
        copy(self.dir.path(), dir.path());
        damage.apply(dir.path(), self.retention);
        self.running.engine.stop().await.unwrap();
        let before = self.running.plan.take();
        self.running = start(&self.retention.options(dir.path()));
        self.dir = dir;
        if let Some(plan) = &self.running.plan {
            assert_eq!(plan.epoch, self.epoch, "the current plan comes back");
        } else {
            assert!(before.is_none() && self.epoch == 0);
        }
    }

    async fn resend_everything(&self) {
        for report in &self.acknowledged {
            let answer = self.running.engine.ingest(body(vec![report.clone()])).await.unwrap();
            assert_eq!((answer.accepted, answer.duplicates), (0, 1), "{report:?}");
        }
    }
}

impl Damage {
    fn apply(&self, dir: &Path, retention: Retention) {
        let snapshots = files(&Options::snapshot_dir(dir));
        let spoilable = match retention {
            Retention::Everything => snapshots.as_slice(),
            // Without the journal's beginning there is no way back from the last snapshot.
            Retention::Needed => &snapshots[snapshots.len().min(1)..],
        };
        match self {
            Self::None => {}
            Self::TornTail(bytes) => {
                let last = files(&Options::journal_dir(dir)).pop().unwrap();
                let mut torn = fs::read(&last).unwrap();
                torn.extend(bytes);
                fs::write(last, torn).unwrap();
            }
            Self::NewestSnapshot => spoilable.last().into_iter().for_each(|s| spoil(s)),
            Self::AllSnapshots => spoilable.iter().for_each(|s| spoil(s)),
        }
    }
}

fn spoil(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xFF;
    fs::write(file, bytes).unwrap();
}

/// Segments or snapshots in `dir`, oldest first; none when there is no such folder.
fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return vec![] };
    let paths = entries.map(|e| e.unwrap().path());
    let mut files: Vec<_> = paths.filter(|p| p.extension().is_some_and(|e| e == "seg" || e == "bin")).collect();
    files.sort();
    files
}

/// Copies the data as a killed process would leave it.
pub fn copy(from: &Path, to: &Path) {
    for dir in [Options::journal_dir(from), Options::snapshot_dir(from)] {
        let copied = to.join(dir.file_name().unwrap());
        fs::create_dir_all(&copied).unwrap();
        for file in files(&dir) {
            // The snapshot writer may have replaced an old snapshot since the folder was listed.
            let _ = fs::copy(&file, copied.join(file.file_name().unwrap()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn crashes_change_no_plan_and_lose_no_report(steps in steps(), retention in prop_oneof![Just(Retention::Everything), Just(Retention::Needed)]) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut calm, mut crashing) = (Life::new(Retention::Everything), Life::new(retention));
            for step in &steps {
                crashing.step(step).await;
                if !matches!(step, Step::Crash(_) | Step::Snapshot) {
                    calm.step(step).await;
                }
            }
            for _ in 0..2 {
                assert_eq!(crashing.tick().await, calm.tick().await, "{steps:?} with {retention:?}");
            }
            crashing.resend_everything().await;
        });
    }
}
