//! A real Redis server on a loopback port, with its files in a temporary directory, ended with the test.

use std::{net::TcpListener, process::Command, sync::Mutex};

use tempfile::TempDir;

use super::server::{Running, Server};

/// How often another port is tried when somebody else took the one that was free.
const ATTEMPTS: usize = 20;

pub(super) struct RedisServer {
    dir: TempDir,
    port: u16,
    arguments: Vec<String>,
    running: Mutex<Option<Running>>,
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

    /// Runs the server until it accepts connections; its log when it does not come to that.
    fn run(&self) -> Result<(), String> {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string()]);
        command.args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"]).args(&self.arguments);
        command.arg("--dir").arg(self.dir.path());
        let (running, _) = Running::start(command, "Ready to accept connections", "install the Debian package redis-server")?;
        *self.running.lock().unwrap() = Some(running);
        Ok(())
    }
}

impl Server for RedisServer {
    fn kill(&self) {
        drop(self.running.lock().unwrap().take());
    }

    fn run_again(&self) {
        self.run().unwrap();
    }
}
