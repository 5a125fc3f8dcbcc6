//! The program as a person meets it: what it says of a configuration, and what it refuses.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

/// Runs `tidegate` and returns whether it did well, and what it said.
fn tidegate(arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    let output = command.args(arguments).envs(environment.iter().copied()).output().unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn check_explains_a_configuration_and_names_what_is_wrong_with_another() {
    let good = concat!(env!("CARGO_MANIFEST_DIR"), "/config/edge.toml");
    let (is_well, said) = tidegate(&["check", "--config", good], &[]);
    assert!(is_well && said.contains("origin virginia: 5000 requests/s"), "{said}");
    let dir = tempfile::tempdir().unwrap();
    let bad = dir.path().join("bad.toml");
    fs::write(&bad, "[server]\nlisen = \"127.0.0.1:1\"\n").unwrap();
    let (is_well, said) = tidegate(&["check", "--config", bad.to_str().unwrap()], &[]);
    assert!(!is_well && said.contains("bad.toml: key `server.lisen`: is not known; did you mean `listen`?"), "{said}");
}

#[test]
fn the_environment_goes_over_the_file_and_is_named_when_wrong() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config/tidegate.toml");
    let check = ["check", "--config", file];
    let (is_well, said) = tidegate(&check, &[("TIDEGATE__SERVER__LISTEN", "127.0.0.1:9"), ("TIDEGATE__PLANNER__INTERVAL_S", "60")]);
    assert!(is_well && said.contains("listens on 127.0.0.1:9,") && said.contains("plans every 60 s"), "{said}");
    let (is_well, said) = tidegate(&check, &[("TIDEGATE__SERVER__LISEN", "127.0.0.1:9")]);
    assert!(!is_well && said.contains("environment variable TIDEGATE__SERVER__LISEN: key `server.lisen`: is not known"), "{said}");
}

#[test]
fn serve_without_tokens_refuses_to_be_open_to_other_machines() {
    let dir = tempfile::tempdir().unwrap();
    let (is_well, said) = tidegate(&["serve", "--listen", "0.0.0.0:0", "--data-dir", dir.path().to_str().unwrap()], &[]);
    assert!(!is_well && said.contains("0.0.0.0:0 is open to other machines") && said.contains("tidegate token NODE"), "{said}");
}

#[test]
fn a_start_that_fails_says_why_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let (is_well, said) = tidegate(&["serve", "--listen", "127.0.0.1:0", "--data-dir", file.to_str().unwrap()], &[]);
    assert!(!is_well && said.contains("server.data_dir") && said.matches("os error").count() == 1, "{said}");
}

#[test]
fn a_token_opens_what_its_hash_is_put_up_for() {
    let (is_well, said) = tidegate(&["token", "cf-fra"], &[]);
    assert!(is_well, "{said}");
    let token = said.lines().map(str::trim).find(|l| l.starts_with("tg_")).unwrap();
    let line = said.lines().map(str::trim).find(|l| l.starts_with("cf-fra = ")).unwrap();
    assert!(line.contains(&tidegate::http::auth::token_hash(token)) && !line.contains(token));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("open.toml");
    fs::write(&file, format!("[server]\nlisten = \"0.0.0.0:0\"\n[auth.nodes]\n{line}\n")).unwrap();
    let (is_well, said) = tidegate(&["check", "--config", file.to_str().unwrap()], &[]);
    assert!(is_well && said.contains("knows the tokens of 1 nodes"), "{said}");
}

#[test]
fn a_sigterm_drains_and_ends_well() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    let mut child =
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(dir.path()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(log.any(|line| line.contains("serving")));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let rest: Vec<String> = log.collect();
    assert!(rest.iter().any(|l| l.contains("draining")) && rest.iter().any(|l| l.contains("stopped")), "{rest:?}");
    assert!(child.wait().unwrap().success());
    assert!(fs::read_dir(dir.path().join("snapshots")).unwrap().count() > 0);
}
