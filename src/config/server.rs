//! `[server]`: the listener, the data folder and the bounds of one request.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Keys of `[server]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Folder of everything that outlives a restart: journal, snapshot, embedded store.
    pub data_dir: PathBuf,
    /// Most bytes of a request body as it is sent.
    pub body_limit_bytes: usize,
    /// Most bytes of a compressed request body once it is unpacked.
    pub unpacked_limit_bytes: usize,
    /// Most seconds that `?wait=` holds a request.
    pub long_poll_max_s: u64,
    /// Seconds that `/readyz` says 503 before requests are turned away, so that a load balancer can notice.
    pub drain_notice_s: u64,
    /// Seconds that requests in flight, the tick and the journal get to finish in after a stop is asked for.
    pub drain_grace_s: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data_dir: "data".into(),
            body_limit_bytes: 8 << 20,
            unpacked_limit_bytes: 32 << 20,
            long_poll_max_s: 60,
            drain_notice_s: 0,
            drain_grace_s: 20,
        }
    }
}

impl Server {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.body_limit_bytes == 0 {
            return Err(ConfigError::value("server.body_limit_bytes", "must be at least 1"));
        }
        if self.unpacked_limit_bytes < self.body_limit_bytes {
            return Err(ConfigError::value("server.unpacked_limit_bytes", "must not be below server.body_limit_bytes"));
        }
        Ok(())
    }
}
