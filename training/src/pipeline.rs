//! The stages in order: past telemetry to rows, rows to a backtest and a fit, these to an artefact.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use tidegate_planner::Model;

use crate::{
    dataset::{Source, read_journal, read_trace},
    evaluate::{Backtest, backtest},
    matrix::{Options, Samples, build},
    progress::Progress,
    promote::{Artefact, Origin},
};

/// Where past telemetry is.
#[derive(Debug, Clone, PartialEq)]
pub enum Past {
    /// Trace files, and over how many nodes the requests of those with one node are spread.
    Traces(Vec<PathBuf>, usize),
    /// Folder of a journal, and the length of a window in seconds.
    Journal(PathBuf, u32),
}

/// The trace files of a folder, by name.
///
/// # Errors
/// When the folder cannot be listed or holds none.
pub fn traces_in(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let list = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let mut files: Vec<PathBuf> =
        list.filter_map(|f| Some(f.ok()?.path())).filter(|p| p.extension().is_some_and(|e| e == "parquet")).collect();
    if files.is_empty() {
        bail!("{} holds no .parquet file; give a folder of traces", dir.display());
    }
    files.sort();
    Ok(files)
}

/// Reads `past` up to the share `until` of each source and builds rows from it.
///
/// # Errors
/// When a file or the journal cannot be read.
pub fn gather(past: &Past, until: f64, options: Options, progress: &Progress) -> anyhow::Result<Samples> {
    let mut samples = Samples::default();
    let mut add = |mut source: Source| {
        source.cut(until);
        let bar = progress.bar(&format!("{}: windows", source.name), u64::from(source.windows));
        build(&source, options, &mut samples, &|| bar.inc(1));
        bar.finish_and_clear();
    };
    match past {
        Past::Traces(files, nodes) => {
            for file in files {
                let bar = progress.spinner(&format!("reading {}", file.display()));
                let source = read_trace(file, *nodes)?;
                bar.finish_and_clear();
                add(source);
            }
        }
        Past::Journal(dir, step_s) => {
            let bar = progress.spinner("journal: records");
            let source = read_journal(dir, *step_s, &|| bar.inc(1))?;
            bar.finish_and_clear();
            add(source);
        }
    }
    if samples.is_empty() {
        bail!("there are too few windows to learn from; at least {} are needed", tidegate_planner::forecast::STEPS + 2);
    }
    Ok(samples)
}

/// Backtests every kind of fit on `samples` and fits the best on all of them.
///
/// # Errors
/// When a fit has nothing to learn from.
pub fn train(samples: &Samples, champion: Option<&Model>, origin: &Origin, progress: &Progress) -> anyhow::Result<(Artefact, Backtest)> {
    let bar = progress.bar("backtest: cuts", 3);
    let outcome = backtest(samples, champion, &|| bar.inc(1)).context("the backtest failed")?;
    bar.finish_and_clear();
    let bar = progress.spinner("fitting all rows");
    let all: Vec<u32> = (0..samples.len() as u32).collect();
    let fits = outcome.best.fit(samples, &all).context("the fit failed")?;
    bar.finish_and_clear();
    let artefact = Artefact::new(origin, &fits, samples, &outcome)?;
    artefact.model.check().context("the fit is not usable")?;
    Ok((artefact, outcome))
}
