//! `faircopy retry`

use anyhow::bail;
use faircopy::inbox::quarantine::{self, Quarantined, Which};
use faircopy::submission::{ClaimId, path_text};
use serde_json::json;

use super::{Exit, Global, output, setup};

/// Send quarantined files back to the inbox
///
/// Without arguments, lists them with their reasons. A file goes back to where it came from, or beside it if that name is
/// taken; a running daemon notices by itself.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy retry\n  faircopy retry 01hqx3z0c9v7m2k4n5p6q7r8st\n  faircopy retry --all"
)]
pub(crate) struct Args {
    /// Claims, as listed
    claims: Vec<String>,
    /// All of them
    #[arg(long, conflicts_with = "claims")]
    all: bool,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    if !args.all && args.claims.is_empty() {
        return list(global, &config);
    }
    let mut claims = Vec::new();
    for text in &args.claims {
        match ClaimId::parse(text) {
            Some(claim) => claims.push(claim),
            None => bail!("{text:?} is no claim; `faircopy retry` without arguments lists them"),
        }
    }
    let which = if args.all {
        Which::All
    } else {
        Which::Claims(&claims)
    };
    let retried = quarantine::retry(&config.inbox, which)?;
    for one in &retried {
        if global.json {
            output::json(&json!({
                "claim": one.claim, "source": one.source.root, "path": path_text::to_text(&one.path),
            }))?;
        } else {
            output::line(&format!(
                "{} back to {}",
                one.claim,
                path_text::to_text(&one.path)
            ))?;
        }
    }
    if retried.is_empty() {
        output::note(global, "nothing is in quarantine");
    }
    Ok(Exit::Good)
}

fn list(global: &Global, config: &faircopy::config::Config) -> anyhow::Result<Exit> {
    let mut rows = Vec::new();
    for inbox in &config.inbox {
        for one in quarantine::list(&inbox.failed)? {
            // Inboxes may share a folder; each lists its own.
            if one.source.root != inbox.name {
                continue;
            }
            if global.json {
                output::json(&one)?;
            } else {
                rows.push(row(&one));
            }
        }
    }
    if rows.is_empty() {
        output::note(global, "nothing is in quarantine");
    }
    output::table(&rows)?;
    Ok(Exit::Good)
}

fn row(one: &Quarantined) -> Vec<String> {
    vec![
        one.claim.to_string(),
        one.failed_at.strftime("%Y-%m-%d %H:%M").to_string(),
        one.reason.code.as_str().to_owned(),
        one.source.to_string(),
        one.reason.message.clone(),
    ]
}
