//! A real NATS server with JetStream on a loopback port, with its files in a temporary directory, ended with the test.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    process::{Child, ChildStderr, Command, Stdio},
    sync::Mutex,
};

use tempfile::TempDir;

/// Names the server's program; `cargo xtask test` sets it.
const PROGRAM: &str = "TIDEGATE_NATS_SERVER";

pub(super) struct NatsServer {
    dir: TempDir,
    /// 0 until the server has found a free one.
    port: Mutex<u16>,
    running: Mutex<Option<Running>>,
}

struct Running {
    child: Child,
    // Held open: the server's log has somewhere to go.
    _log: BufReader<ChildStderr>,
}

impl NatsServer {
    /// Starts a server with more lines of configuration.
    pub(super) fn start_with(configuration: &str) -> Self {
        let server = Self { dir: tempfile::tempdir().unwrap(), port: Mutex::new(0), running: Mutex::new(None) };
        fs::write(server.dir.path().join("nats.conf"), configuration).unwrap();
        server.run();
        server
    }

    pub(super) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port.lock().unwrap())
    }

    /// Kills the server as a crash would.
    pub(super) fn kill(&self) {
        drop(self.running.lock().unwrap().take());
    }

    /// Starts it again on the same port, with what it had on disk.
    pub(super) fn run_again(&self) {
        self.run();
    }

    /// Runs the server until it accepts connections.
    fn run(&self) {
        let program = env::var(PROGRAM).unwrap_or_else(|_| "nats-server".into());
        let mut port = self.port.lock().unwrap();
        let wanted = if *port == 0 { "-1".into() } else { port.to_string() };
        let dir = self.dir.path();
        let mut child = Command::new(&program)
            .args(["--addr", "127.0.0.1", "--port", &wanted, "--jetstream"])
            .arg("--config")
            .arg(dir.join("nats.conf"))
            .arg("--store_dir")
            .arg(dir)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{program} cannot be started ({e}): run `cargo xtask tools` and set {PROGRAM} as it says"));
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        while !seen.contains("Server is ready") {
            assert!(log.read_line(&mut seen).unwrap() > 0, "{program} ended at once:\n{seen}");
        }
        let listens = seen.lines().find_map(|line| line.split("client connections on 127.0.0.1:").nth(1));
        *port = listens.expect("the log names the port").trim().parse().unwrap();
        *self.running.lock().unwrap() = Some(Running { child, _log: log });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when the server has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
