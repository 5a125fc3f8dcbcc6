//! `tidegate healthcheck`, as a container runs it.

use std::{net::SocketAddr, process::Command};

use tempfile::TempDir;

use crate::server::Server;

fn is_well(address: SocketAddr) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.arg("healthcheck").env("TIDEGATE__SERVER__LISTEN", address.to_string());
    command.status().unwrap().success()
}

#[test]
fn a_service_is_well_until_it_is_gone() {
    let dir = TempDir::new().unwrap();
    let mut server = Server::start(dir.path());
    assert!(is_well(server.address));
    server.kill();
    assert!(!is_well(server.address));
}
