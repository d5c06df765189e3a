//! `faircopy status`

use faircopy::status;
use serde_json::Value;

use super::{Exit, Global, output, setup};

/// Show daemon, inbox, quarantine, last check and last checkpoint
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy status\n  faircopy status --json | jq .inbox.pending"
)]
pub(crate) struct Args {}

pub(crate) fn run(global: &Global, _args: &Args) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    let running = status::of_daemon(&config.daemon.control)?;
    let status = match running {
        Some(status) => status,
        None => status::stopped(&config)?,
    };
    if global.json {
        output::json(&status)?;
    } else {
        print("", &status)?;
    }
    Ok(Exit::Good)
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
