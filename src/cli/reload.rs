//! `faircopy reload`

use anyhow::bail;
use faircopy::control::{Client, Request};

use super::{Exit, Global, output, setup};

/// Let the daemon read its configuration again
///
/// If the new configuration is bad the daemon keeps the old one and this command fails and says why.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  faircopy config check && faircopy reload")]
pub(crate) struct Args {}

pub(crate) fn run(global: &Global, _args: &Args) -> anyhow::Result<Exit> {
    let socket = setup::control_socket(global)?;
    let mut client = Client::connect(&socket)?;
    let answer = client.ask(&Request::Reload)?;
    if let Some(message) = answer.pointer("/error/message") {
        let message = message.as_str().unwrap_or_default();
        bail!("the daemon keeps its old configuration: {message}");
    }
    if global.json {
        output::json(&answer)?;
    } else {
        output::note(global, "the daemon has read its configuration again");
        for refused in answer["refused"].as_array().into_iter().flatten() {
            output::complain(&format!(
                "faircopy: {}",
                refused.as_str().unwrap_or_default()
            ));
        }
    }
    Ok(Exit::Good)
}
