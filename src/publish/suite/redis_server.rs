//! A real Redis server on a loopback port, with its files in a temporary directory, ended with the test.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Mutex,
};

use tempfile::TempDir;

/// How often another port is tried when somebody else took the one that was free.
const ATTEMPTS: usize = 20;

pub(super) struct RedisServer {
    dir: TempDir,
    port: u16,
    arguments: Vec<String>,
    running: Mutex<Option<Running>>,
}

struct Running {
    child: Child,
    // Held open: the server's log has somewhere to go.
    _log: BufReader<ChildStdout>,
}

impl RedisServer {
    /// Starts a server that writes everything to disk before it answers.
    pub(super) fn start(arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        for _ in 0..ATTEMPTS {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let server = Self { dir: tempfile::tempdir().unwrap(), port, arguments: arguments.clone(), running: Mutex::new(None) };
            match server.run() {
                Ok(()) => return server,
                Err(log) if log.contains("Address already in use") => {}
                Err(log) => panic!("redis-server ended at once:\n{log}"),
            }
        }
        panic!("redis-server found no free port in {ATTEMPTS} attempts");
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Kills the server as a crash would.
    pub(super) fn kill(&self) {
        drop(self.running.lock().unwrap().take());
    }

    /// Starts it again on the same port, with what it had on disk.
    pub(super) fn run_again(&self) {
        self.run().unwrap();
    }

    /// Runs the server until it accepts connections; its log when it does not come to that.
    fn run(&self) -> Result<(), String> {
        let mut child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", "", "--appendonly", "yes", "--appendfsync", "always"])
            .args(&self.arguments)
            .arg("--dir")
            .arg(self.dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("redis-server cannot be started ({e}): install the Debian package redis-server"));
        let mut log = BufReader::new(child.stdout.take().unwrap());
        let mut seen = String::new();
        while !seen.contains("Ready to accept connections") {
            if log.read_line(&mut seen).unwrap() == 0 {
                child.wait().unwrap();
                return Err(seen);
            }
        }
        *self.running.lock().unwrap() = Some(Running { child, _log: log });
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when the server has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
