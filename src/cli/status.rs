//! `faircopy status`

use faircopy::archive::log::reader::LogReader;
use faircopy::archive::reader::Archive;
use faircopy::config::Config;
use faircopy::control::{Client, Request};
use faircopy::inbox::quarantine;
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
    let status =
        match Client::connect(&config.daemon.control).and_then(|mut c| c.ask(&Request::Status)) {
            Ok(status) => status,
            Err(_) => stopped(&config)?,
        };
    if global.json {
        output::json(&status)?;
    } else {
        print("", &status)?;
    }
    Ok(Exit::Good)
}

/// What can be told without a daemon.
fn stopped(config: &Config) -> anyhow::Result<Value> {
    let archive = Archive::open(&config.archive.dir)?;
    let mut quarantined = 0;
    for inbox in &config.inbox {
        quarantined += quarantine::list(&inbox.failed).map_or(0, |claims| claims.len());
    }
    let log = LogReader::open(&config.archive.dir.join("log"))?;
    let checkpoint = log.checkpoint();
    Ok(json!({
        "state": "stopped",
        "inbox": Value::Null,
        "quarantine": quarantined,
        "captures": archive.counts()?.captures,
        "last_check": last_check(config),
        "checkpoint": {"size": checkpoint.size, "root": checkpoint.root},
    }))
}

/// What the last `check` on this state folder left.
fn last_check(config: &Config) -> Value {
    faircopy::service::last_check(&config.archive.state)
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
