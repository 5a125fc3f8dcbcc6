//! Configuration: a TOML file, then `TIDEGATE__SECTION__KEY` from the environment, then flags; one file here per section.
//!
//! Every key has a default, every key of the structs is in `config/tidegate.toml` with its unit (a test compares them), and
//! a key that nobody reads is an error that names the file, the key and what may have been meant.

mod akamai;
mod auth;
mod edge_stores;
mod error;
mod ingest;
mod journal;
mod log;
mod nats;
mod publish;
mod server;
mod store_keys;
mod training;

use std::path::Path;

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use tidegate_planner::Settings;

pub use akamai::{Akamai, Network};
pub use auth::{Auth, TokensFile};
pub use edge_stores::{Cloudflare, Fastly};
pub use error::ConfigError;
pub use ingest::Ingest;
pub use journal::Journal;
pub use log::{Log, LogFormat};
pub use nats::Nats;
pub use publish::Publish;
pub use server::Server;
pub use store_keys::Price;
pub use training::Training;

/// Prefix of the environment variables that set keys; `__` stands between section and key.
pub const ENV_PREFIX: &str = "TIDEGATE__";

/// Everything that a person sets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Listener, data folder, bounds of one request.
    pub server: Server,
    /// Which telemetry is taken in.
    pub ingest: Ingest,
    /// Segments of accepted telemetry.
    pub journal: Journal,
    /// Origins, policies, lease and guard.
    pub planner: Settings,
    /// KV stores.
    pub publish: Publish,
    /// Models and the trainer.
    pub training: Training,
    /// Logging.
    pub log: Log,
    /// Tokens.
    pub auth: Auth,
}

/// What flags set, over file and environment; a key that is `None` is left as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Overrides {
    /// `--listen` and `--data-dir`.
    pub server: ServerOverrides,
    /// `--interval`.
    pub planner: PlannerOverrides,
}

/// See [`Overrides`].
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ServerOverrides {
    /// Instead of `server.listen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Instead of `server.data_dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<String>,
}

/// See [`Overrides`].
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct PlannerOverrides {
    /// Instead of `planner.interval_s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<u32>,
}

impl Config {
    /// Reads `file` (none: defaults alone), then the environment, then `flags`, and checks the whole.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file or variable, the key and how to mend it.
    pub fn load(file: Option<&Path>, flags: &Overrides) -> Result<Self, ConfigError> {
        let mut layers = Figment::from(Serialized::defaults(Self::default()));
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { file: path.into(), source })?;
            toml::from_str::<toml::Table>(&text).map_err(|source| ConfigError::Syntax { file: path.into(), source: Box::new(source) })?;
            layers = layers.merge(Toml::file_exact(path));
        }
        let layers = layers.merge(Env::prefixed(ENV_PREFIX).split("__")).merge(Serialized::defaults(flags));
        let mut config: Self = layers.extract().map_err(|e| ConfigError::from_figment(&e))?;
        config.auth.read_tokens_file()?;
        config.check()?;
        Ok(config)
    }

    /// Checks values and relations that types cannot.
    fn check(&self) -> Result<(), ConfigError> {
        self.planner.check().map_err(|e| ConfigError::value(format!("planner.{}", e.key), e.reason))?;
        self.server.check()?;
        self.ingest.check(self.planner.interval_s)?;
        self.journal.check()?;
        self.publish.check()?;
        self.publish.check_pace(self.ingest.nodes, self.planner.lease.duration_s, self.planner.interval_s)?;
        self.training.check()?;
        self.log.check()?;
        self.auth.check()?;
        self.refuse_open_to_the_world()
    }

    fn refuse_open_to_the_world(&self) -> Result<(), ConfigError> {
        if self.auth.is_on() || self.server.listen.ip().is_loopback() {
            return Ok(());
        }
        Err(ConfigError::value(
            "server.listen",
            format!(
                "{} is open to other machines, but no token is set up, so anybody could write telemetry; listen on 127.0.0.1, or make \
                 tokens with `tidegate token NODE` and put their hashes under [auth.nodes]",
                self.server.listen
            ),
        ))
    }
}

#[cfg(test)]
mod tests;
