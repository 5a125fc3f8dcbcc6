//! The real program as a child process.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use crate::connection::Connection;

/// A running `tidegate serve` with windows of one second; killed when it is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts the program on the data in `dir` and waits until it listens.
    pub fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .args(["serve", "--listen", "127.0.0.1:0", "--interval", "1s", "--data-dir"])
            .arg(dir)
            .env("TIDEGATE__INGEST__GRACE_S", "0")
            .env("TIDEGATE__LOG__FORMAT", "json")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (found, address) = mpsc::channel();
        // The log is read to its end, or the program would wait for a full pipe.
        thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                address_in(&line).into_iter().for_each(|a| found.send(a).unwrap_or_default());
            }
        });
        let address = address.recv().expect("the program ended before it listened");
        Self { child, address }
    }

    /// A connection to it.
    pub fn connect(&self) -> Connection {
        Connection::open(self.address).unwrap()
    }

    /// Kills it as `kill -9` does and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    line["fields"]["address"].as_str()?.parse().ok()
}
