//! The command line: what is asked for, and the commands that need no service.

use std::{io::Write, path::PathBuf, time::Duration};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::{
    config::{Config, Overrides, PlannerOverrides, ServerOverrides},
    demo, healthcheck,
    http::auth::{token_hash, token_of},
};

/// How long a service that is alive may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Adaptive token buckets for APIs at the edge.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take in telemetry, plan every interval, lease rates, until SIGTERM or Ctrl-C
    Serve(Serve),
    /// Watch it work: the service, edge nodes and a workload in one process, with time sped up
    Demo(demo::Args),
    /// Read a configuration file and say what it means, or what is wrong with it
    Check(Check),
    /// Ask the service that runs with the same configuration whether it is alive; fails when it is not
    Healthcheck(Healthcheck),
    /// Make a bearer token, for a node or for an operator; it is shown once
    Token(Token),
}

/// Flags of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Configuration file; without one every key has its default
    #[arg(long, value_name = "FILE", env = "TIDEGATE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Address and port to listen on, instead of server.listen
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Folder for journal, snapshots and store, instead of server.data_dir
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Length of a window and a tick, such as 30s or 1m, instead of planner.interval_s
    #[arg(long, value_parser = seconds)]
    interval: Option<u32>,
}

impl Serve {
    /// The flags as the configuration's last layer.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            server: ServerOverrides { listen: self.listen.clone(), data_dir: self.data_dir.clone() },
            planner: PlannerOverrides { interval_s: self.interval },
        }
    }
}

/// Flags of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = "TIDEGATE_CONFIG")]
    config: PathBuf,
}

impl Check {
    /// Says what the configuration means.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn run(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let config = Config::load(Some(&self.config), &Overrides::default())?;
        write!(out, "{}", Explained { file: &self.config, config: &config }).context("standard output cannot be written")
    }
}

/// Flags of `healthcheck`.
#[derive(Debug, Args)]
pub struct Healthcheck {
    /// Configuration file that the service was started with
    #[arg(long, value_name = "FILE", env = "TIDEGATE_CONFIG")]
    config: Option<PathBuf>,
}

impl Healthcheck {
    /// Asks the service.
    ///
    /// # Errors
    /// The configuration cannot be used, or the service is not alive.
    pub fn run(&self) -> anyhow::Result<()> {
        let config = Config::load(self.config.as_deref(), &Overrides::default())?;
        Ok(healthcheck::ask(config.server.listen, PATIENCE)?)
    }
}

/// Arguments of `token`.
#[derive(Debug, Args)]
pub struct Token {
    /// Node that the token is for, or with --operator a name for the person or program
    name: String,
    /// Make an operator's token instead of a node's
    #[arg(long)]
    operator: bool,
}

impl Token {
    /// Makes a token out of the system's randomness and prints it with the line for the configuration.
    ///
    /// # Errors
    /// The name is not legal, or the system has no randomness to give.
    pub fn run(&self, out: &mut impl Write) -> anyhow::Result<()> {
        tidegate_wire::check_node(&self.name)?;
        let mut random = [0; 32];
        getrandom::fill(&mut random).context("the system gives no random numbers")?;
        let token = token_of(&random);
        let table = if self.operator { "operators" } else { "nodes" };
        writeln!(out, "Token of {}, shown only now:\n\n    {token}\n", self.name)?;
        writeln!(out, "Line for the configuration, under [auth.{table}]:\n\n    {} = \"{}\"", self.name, token_hash(&token))?;
        Ok(())
    }
}

/// A configuration in words.
struct Explained<'a> {
    file: &'a std::path::Path,
    config: &'a Config,
}

impl std::fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Config { server, planner, publish, training, auth, .. } = self.config;
        writeln!(f, "{} is a configuration that tidegate can use:\n", self.file.display())?;
        writeln!(f, "listens on {}, keeps its data in {}", server.listen, server.data_dir.display())?;
        match (auth.nodes.len(), auth.operators.len()) {
            (0, 0) => writeln!(f, "asks for no token, so it serves this machine only")?,
            (nodes, operators) => writeln!(f, "knows the tokens of {nodes} nodes and {operators} operators")?,
        }
        writeln!(f, "plans every {} s and leases rates for {} s", planner.interval_s, planner.lease.duration_s)?;
        for o in &planner.origins {
            writeln!(f, "origin {}: {} requests/s and a burst of {}, for nodes {}", o.name, o.sustained_per_s, o.burst, o.nodes)?;
        }
        for p in &planner.policies {
            let ceiling = p.ceiling_per_s.map_or("without a ceiling".into(), |c| format!("up to {c}/s a node"));
            let limit = p.limit_per_s.map_or(String::new(), |l| format!(", {l}/s in all"));
            let shadow = if p.shadow { ", refusals only counted" } else { "" };
            let slo = p.slo * 100.0;
            writeln!(f, "policy {}: buckets {}, {slo} % admitted, from {}/s {ceiling}{limit}{shadow}", p.name, p.buckets, p.floor_per_s)?;
        }
        writeln!(f, "publishes to {}", publish.stores().join(" and "))?;
        if publish.akamai.destination().is_some() && publish.akamai.price.is_none() {
            writeln!(f, "cannot say what Akamai EdgeKV costs: [publish.akamai.price] is not set")?;
        }
        let models = training.models_dir(&server.data_dir);
        let models = models.display();
        match training.every_s {
            0 => writeln!(f, "takes models from {models}, does not train by itself"),
            s => writeln!(f, "takes models from {models}, runs `{}` every {s} s", training.command.join(" ")),
        }
    }
}

/// Reads a length of time in whole seconds: `30s`, `1m`, `1h`, or a bare number of seconds.
fn seconds(text: &str) -> Result<u32, String> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("a number with s, m or h is needed, for example 30s".into()),
    };
    let number: u32 = number.parse().map_err(|_| "a number with s, m or h is needed, for example 30s".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "that is too long".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn intervals_are_read_with_their_unit() {
        assert_eq!((seconds("30s"), seconds("45"), seconds("1m"), seconds("2h")), (Ok(30), Ok(45), Ok(60), Ok(7200)));
        for bad in ["", "s", "30x", "-1s", "1.5s", "99999999h"] {
            assert!(seconds(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_token_is_printed_with_the_hash_that_knows_it() {
        let mut out = vec![];
        Token { name: "cf-fra".into(), operator: false }.run(&mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        let token = out.lines().map(str::trim).find(|l| l.starts_with("tg_")).unwrap();
        assert!(out.contains(&format!("[auth.nodes]:\n\n    cf-fra = \"{}\"", token_hash(token))), "{out}");
        assert!(Token { name: "a/b".into(), operator: false }.run(&mut vec![]).is_err());
    }

    #[test]
    fn check_explains_every_shipped_file() {
        for (file, says) in [("edge.toml", "origin frankfurt: 2000 requests/s"), ("tidegate.toml", "asks for no token")] {
            let config = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(file);
            let mut out = vec![];
            Check { config }.run(&mut out).unwrap();
            let out = String::from_utf8(out).unwrap();
            assert!(out.contains(says), "{out}");
        }
    }
}
