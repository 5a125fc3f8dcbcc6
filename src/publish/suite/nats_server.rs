//! A real NATS server with JetStream on a loopback port, with its files in a temporary directory, ended with the test.

use std::{env, fs, net::TcpListener, process::Command, sync::Mutex};

use tempfile::TempDir;

use super::server::{Running, Server};

/// Names the server's program; `cargo xtask test` sets it.
const PROGRAM: &str = "TIDEGATE_NATS_SERVER";

pub(super) struct NatsServer {
    dir: TempDir,
    /// 0 until the server has found a free one.
    port: Mutex<u16>,
    running: Mutex<Option<Running>>,
}

impl NatsServer {
    /// Starts a server with more lines of configuration.
    pub(super) fn start_with(configuration: &str) -> Self {
        let server = Self { dir: tempfile::tempdir().unwrap(), port: Mutex::new(0), running: Mutex::new(None) };
        fs::write(server.dir.path().join("nats.conf"), configuration).unwrap();
        server.run();
        server
    }

    /// Starts three servers, `n0` to `n2`, that keep streams together.
    pub(super) fn start_cluster() -> [Self; 3] {
        let free = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = free.each_ref().map(|listener| listener.local_addr().unwrap().port());
        drop(free);
        let routes = ports.map(|port| format!("nats://127.0.0.1:{port}")).join(", ");
        let cluster = |listen: u16| format!("cluster {{ name: c, listen: \"127.0.0.1:{listen}\", routes: [{routes}] }}");
        [0, 1, 2].map(|i| Self::start_with(&format!("server_name: n{i}\n{}", cluster(ports[i]))))
    }

    pub(super) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port.lock().unwrap())
    }

    /// Runs the server until it accepts connections.
    fn run(&self) {
        let program = env::var(PROGRAM).unwrap_or_else(|_| "nats-server".into());
        let mut port = self.port.lock().unwrap();
        let wanted = if *port == 0 { "-1".into() } else { port.to_string() };
        let dir = self.dir.path();
        let mut command = Command::new(&program);
        command.args(["--addr", "127.0.0.1", "--port", &wanted, "--jetstream"]);
        command.arg("--config").arg(dir.join("nats.conf")).arg("--store_dir").arg(dir);
        let mend = format!("run `cargo xtask tools` and set {PROGRAM} as it says");
        let (running, log) = Running::start(command, "Server is ready", &mend).unwrap_or_else(|log| panic!("{program}:\n{log}"));
        let listens = log.lines().find_map(|line| line.split("client connections on 127.0.0.1:").nth(1));
        *port = listens.expect("the log names the port").trim().parse().unwrap();
        *self.running.lock().unwrap() = Some(running);
    }
}

impl Server for NatsServer {
    fn kill(&self) {
        drop(self.running.lock().unwrap().take());
    }

    fn run_again(&self) {
        self.run();
    }
}
