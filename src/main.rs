//! `tidegate`: parses, wires, waits, drains.

use std::{
    future::Future,
    io::{IsTerminal, stdout},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use clap::Parser;
use tidegate::{
    app::App,
    cli::{Cli, Command, Serve},
    clock::SystemClock,
    config::Config,
    demo, log,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(flags) => serve(&flags),
        Command::Demo(flags) => demonstrate(&flags),
        Command::Check(check) => check.run(&mut stdout()),
        Command::Healthcheck(check) => check.run(),
        Command::Token(token) => token.run(&mut stdout()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tidegate: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes; a cause that the text before it tells already is not said again.
fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[tokio::main]
async fn serve(flags: &Serve) -> anyhow::Result<()> {
    let config = Config::load(flags.config.as_deref(), &flags.overrides())?;
    log::start(&config.log).context("configuration key `log.filter`")?;
    let stop = stop_signal()?;
    let listen = config.server.listen;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen} (server.listen)"))?;
    let auth_is_on = config.auth.is_on();
    let app = App::start(config, Arc::new(SystemClock::new()), listener).await?;
    tracing::info!(address = %app.address(), "serving");
    if !auth_is_on {
        tracing::warn!("no token is set up, so only this machine is served; `tidegate token NODE` makes one");
    }
    app.run(stop).await?;
    tracing::info!("stopped");
    Ok(())
}

#[tokio::main]
async fn demonstrate(flags: &demo::Args) -> anyhow::Result<()> {
    let is_terminal = stdout().is_terminal();
    demo::run(flags, stdout(), is_terminal, stop_signal()?).await?;
    Ok(())
}

/// Completes on SIGTERM and on Ctrl-C.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            // Without Ctrl-C to listen for, SIGTERM is left.
            Ok(()) = tokio::signal::ctrl_c() => {}
        }
    })
}
