//! `faircopy status`

use anyhow::{Context, bail};
use faircopy::archive::log::reader::LogReader;
use faircopy::archive::reader::Archive;
use faircopy::config::Config;
use faircopy::control::{self, Client, Request};
use faircopy::drift::{CAPTURES_MAX, drifts};
use faircopy::inbox::quarantine;
use faircopy::rulebook::Rulebook;
use serde_json::{Value, json};

use super::{Exit, Global, output, setup};

/// Show daemon, inbox, quarantine, last check and last checkpoint
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy status\n  faircopy status --json | jq .inbox.pending"
)]
pub(crate) struct Args {}

pub(crate) fn run(global: &Global, _args: &Args) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    let status = match Client::connect(&config.daemon.control) {
        Ok(mut client) => ask(&mut client)?,
        Err(error) if is_nobody_there(&error) => stopped(&config)?,
        Err(error) => return Err(error).context("cannot ask the daemon"),
    };
    if global.json {
        output::json(&status)?;
    } else {
        print("", &status)?;
    }
    Ok(Exit::Good)
}

fn ask(client: &mut Client) -> anyhow::Result<Value> {
    let status: Value = client.ask(&Request::Status)?;
    if let Some(message) = status.pointer("/error/message") {
        bail!("{}", message.as_str().unwrap_or_default());
    }
    Ok(status)
}

/// No socket, a dead one, or none that could be: no daemon runs. All else (no permission) says nothing about that.
fn is_nobody_there(error: &control::Error) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    match error {
        control::Error::TooLong { .. } => true,
        control::Error::Unreachable { source, .. } => {
            matches!(source.kind(), NotFound | ConnectionRefused)
        }
        _ => false,
    }
}

/// What can be told without a daemon.
fn stopped(config: &Config) -> anyhow::Result<Value> {
    let archive = Archive::open(&config.archive.dir)?;
    let mut quarantined = 0;
    for inbox in &config.inbox {
        // Inboxes may share a folder; each counts its own.
        let all = quarantine::list(&inbox.failed)?;
        quarantined += all.iter().filter(|q| q.source.root == inbox.name).count();
    }
    let log = LogReader::open(&config.archive.dir.join("log"))?;
    let checkpoint = log.checkpoint();
    Ok(json!({
        "state": "stopped",
        "inbox": Value::Null,
        "quarantine": quarantined,
        "captures": archive.counts()?.captures,
        "last_check": faircopy::service::last_check(&config.archive.state),
        "checkpoint": {"size": checkpoint.size, "root": checkpoint.root},
        "rules": Rulebook::read(&config.rules).summary(),
        "drift": drifts(&archive.measures(CAPTURES_MAX)?),
    }))
}

fn print(indent: &str, value: &Value) -> anyhow::Result<()> {
    for (key, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Object(_) => {
                output::line(&format!("{indent}{key}:"))?;
                print(&format!("{indent}  "), value)?;
            }
            Value::Null => output::line(&format!("{indent}{key}: -"))?,
            Value::String(text) => output::line(&format!("{indent}{key}: {text}"))?,
            Value::Array(items) if items.is_empty() => {}
            Value::Array(items) => {
                output::line(&format!("{indent}{key}:"))?;
                for item in items {
                    match item {
                        Value::Object(_) => {
                            output::line(&format!("{indent}  -"))?;
                            print(&format!("{indent}    "), item)?;
                        }
                        Value::String(text) => output::line(&format!("{indent}  - {text}"))?,
                        other => output::line(&format!("{indent}  - {other}"))?,
                    }
                }
            }
            other => output::line(&format!("{indent}{key}: {other}"))?,
        }
    }
    Ok(())
}
