//! Options of `bench`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use clap::Args;
use tidegate_replay::{bench::Plan, contender::Kind};

use super::{ModelChoice, is_positive};

/// Options of `bench`.
#[derive(Debug, Args)]
pub struct Bench {
    /// Folders of trace files, or trace files (parquet).
    #[arg(long, num_args = 1.., required = true, value_name = "DIR")]
    pub traces: Vec<PathBuf>,
    /// Folder for bench.json and bench.md; it is made where it is missing.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Only what the targets are about: capacities 1.5 and 3, 4 nodes, delays of 0 and 30 s.
    #[arg(long)]
    pub quick: bool,
    /// Sustained capacities, as multiples of the mean demand of the scored part [default: 1.2,1.5,3,6].
    #[arg(long, value_delimiter = ',', value_name = "X")]
    pub capacity: Vec<f64>,
    /// Numbers of nodes, for traces without nodes of their own [default: 1,2,4,8,16].
    #[arg(long, value_delimiter = ',', value_name = "N")]
    pub nodes: Vec<usize>,
    /// Seconds until a published table is seen by the nodes [default: 0,30,60,120].
    #[arg(long, value_delimiter = ',', value_name = "S")]
    pub delay: Vec<u32>,
    /// Most seconds that a node sees a table later than that, at random for each table and node.
    #[arg(long, default_value_t = 0, value_name = "S")]
    pub jitter: u32,
    /// Burst of the origin, in seconds of its sustained capacity.
    #[arg(long, default_value_t = 120.0, value_name = "S")]
    pub burst_seconds: f64,
    /// Share of the windows that contenders learn from.
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    pub fit: f64,
    /// Contenders, in the order of the report.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::ALL, value_name = "A,B")]
    pub contenders: Vec<Kind>,
    /// The model.
    #[command(flatten)]
    pub model: ModelChoice,
    /// Seed of everything that is random.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
}

impl Bench {
    /// The plan, checked.
    ///
    /// # Errors
    /// The first option whose value cannot be used, by its name, and what would do.
    pub fn plan(&self) -> anyhow::Result<Plan> {
        let usual = if self.quick { Plan::quick() } else { Plan::default() };
        let plan = Plan {
            capacities: or(&self.capacity, usual.capacities),
            nodes: or(&self.nodes, usual.nodes),
            delays_s: or(&self.delay, usual.delays_s),
            jitter_s: self.jitter,
            burst_seconds: self.burst_seconds,
            fit: self.fit,
            contenders: self.contenders.clone(),
            seed: self.seed,
        };
        ensure!(
            plan.capacities.iter().all(|&c| is_positive(c)),
            "--capacity: must be positive multiples of the mean demand, for example 1.5"
        );
        ensure!(plan.nodes.iter().all(|n| (1..=10_000).contains(n)), "--nodes: must be 1 to 10000");
        ensure!(plan.delays_s.iter().chain([&plan.jitter_s]).all(|&s| s <= 86_400), "--delay, --jitter: must be at most a day");
        ensure!(is_positive(plan.burst_seconds), "--burst-seconds: must be a positive number of seconds, for example 120");
        ensure!(plan.fit > 0.0 && plan.fit < 1.0, "--fit: must be a share above 0 and below 1, for example 0.5");
        Ok(plan)
    }

    /// The trace files, those of a folder in order of their names.
    ///
    /// # Errors
    /// A folder that cannot be read, or no trace at all.
    pub fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = vec![];
        for path in &self.traces {
            if path.is_dir() {
                files.extend(parquet_in(path).with_context(|| format!("--traces: cannot read {}", path.display()))?);
            } else {
                files.push(path.clone());
            }
        }
        ensure!(!files.is_empty(), "--traces: no file that ends in .parquet in {:?}", self.traces);
        Ok(files)
    }
}

fn or<T: Clone>(asked: &[T], usual: Vec<T>) -> Vec<T> {
    if asked.is_empty() { usual } else { asked.to_vec() }
}

fn parquet_in(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
    files.sort();
    Ok(files)
}
