//! The binary: what it writes, what it says, how it ends.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use tidegate_train::trial::Form;

use crate::training::workplace;

fn trainer(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate-train"));
    command.current_dir(dir).args(args).env_remove("RUST_BACKTRACE");
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

const ONCE: [&str; 6] = ["run", "--once", "--data-dir", "data", "--models", "models"];

#[test]
fn one_pass_promotes_a_winner_and_the_next_leaves_it() {
    let dir = workplace(1_500);
    let first = trainer(dir.path(), &ONCE).output().unwrap();
    assert!(first.status.success() && text(&first).contains("is the champion"), "{}", text(&first));
    let active = fs::read(dir.path().join("models/active.json")).unwrap();
    let second = trainer(dir.path(), &ONCE).output().unwrap();
    assert!(second.status.success() && text(&second).contains("is not kept"), "{}", text(&second));
    assert_eq!(fs::read(dir.path().join("models/active.json")).unwrap(), active, "the champion stays");
    let id = serde_json::from_slice::<serde_json::Value>(&active).unwrap()["champion"].as_str().unwrap().to_owned();
    for file in ["model.json", "manifest.json", "card.md"] {
        assert!(dir.path().join("models").join(&id).join(file).exists(), "{file}");
    }
    let scored = trainer(dir.path(), &["evaluate", "--model", &id, "--journal", "data/journal"]).output().unwrap();
    assert!(scored.status.success() && text(&scored).contains("EWMA 30 min") && text(&scored).contains(&id), "{}", text(&scored));
}

#[test]
fn a_trial_scores_every_form_by_pattern_and_source() {
    let dir = workplace(1_500);
    let output = trainer(dir.path(), &["trial", "--journal", "data/journal", "--repeat", "2"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let lines: Vec<_> = text(&output).lines().map(str::to_owned).collect();
    for form in Form::ALL.map(Form::name) {
        let scored = lines.iter().filter(|l| l.starts_with(&format!("| {form} |")) && !l.contains("NaN") && !l.contains("inf")).count();
        assert_eq!(scored, 2, "{form}: {}", text(&output));
    }
    assert_eq!(lines.iter().filter(|l| l.starts_with("| choice ")).count(), 2);
    assert!(lines.iter().any(|l| l.starts_with("| better / worse |")), "{}", text(&output));
    assert!(!dir.path().join("models").exists(), "a trial writes no model");
}

#[test]
fn a_fit_is_written_and_not_promoted_unasked() {
    let dir = workplace(400);
    let args = ["fit", "--journal", "data/journal", "--id", "mine", "--until-fraction", "0.5", "--created-at", "2026-11-21T00:00:00Z"];
    let output = trainer(dir.path(), &args).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(dir.path().join("models/mine/model.json").exists() && !dir.path().join("models/active.json").exists());
}

#[test]
fn a_champion_that_cannot_be_read_is_not_overwritten() {
    let dir = workplace(400);
    fs::create_dir(dir.path().join("models")).unwrap();
    fs::write(dir.path().join("models/active.json"), "{\"champion\":").unwrap();
    let output = trainer(dir.path(), &ONCE).output().unwrap();
    assert!(!output.status.success() && text(&output).contains("active.json"), "{}", text(&output));
    assert_eq!(fs::read_to_string(dir.path().join("models/active.json")).unwrap(), "{\"champion\":");
}

#[test]
fn mistakes_are_named() {
    let dir = workplace(5);
    for (args, said) in [
        (vec!["run", "--once", "--data-dir", "nowhere"], "nowhere"),
        (vec!["run", "--once", "--data-dir", "data", "--interval", "7s"], "must divide a day"),
        (vec!["run", "--every", "soon", "--data-dir", "data"], "6h"),
        (vec!["fit", "--trace", "gone.parquet"], "gone.parquet"),
        (vec!["fit", "--journal", "data/journal", "--until-fraction", "2"], "at most 1"),
        (vec!["fit", "--journal", "data/journal", "--id", "../x"], "model id"),
        (vec!["fit"], "--journal"),
        (vec!["trial", "--journal", "data/journal", "--from-fraction", "1"], "below 1"),
        (vec!["evaluate", "--model", "unheard-of", "--journal", "data/journal"], "unheard-of"),
    ] {
        let output = trainer(dir.path(), &args).output().unwrap();
        assert!(!output.status.success() && text(&output).contains(said), "{args:?}: {}", text(&output));
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_loop_after_the_pass() {
    let dir = workplace(400);
    let args = ["run", "--every", "1h", "--data-dir", "data", "--models", "models"];
    let mut child = trainer(dir.path(), &args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|l| l.unwrap().starts_with("model m-")), "the pass says what came of it");
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert!(child.wait().unwrap().success(), "told to end, it ends well");
}
