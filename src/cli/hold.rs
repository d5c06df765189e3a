//! `faircopy hold`

use anyhow::Context;
use faircopy::archive::metadata::Disposition;
use faircopy::archive::reader::Archive;
use faircopy::config::Config;
use faircopy::control::{Answer, HoldRequest, Request};
use jiff::Timestamp;
use serde_json::json;

use super::writing::{self, Writer};
use super::{Exit, Global, output, setup};

/// Hold a document, so that it cannot be erased
///
/// The log says that it is held; who decided and why stand in the archive and go if the document is erased later.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy hold k3vq --reason 'court order 17' --by 'Ada Brill'\n  faircopy hold --release k3vq"
)]
pub(crate) struct Args {
    /// Document: id, unique prefix, address or inbox path
    doc: String,
    /// End the hold
    #[arg(long)]
    release: bool,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who decided
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    let archive = Archive::open(&config.archive.dir).context("cannot open the archive")?;
    let request = HoldRequest {
        doc: archive.find(&args.doc)?,
        is_held: !args.release,
        reason: args.reason.clone(),
        by: args.by.clone(),
    };
    let leaf = hold(&config, &request)?;
    if global.json {
        output::json(&json!({"doc": request.doc, "held": request.is_held, "leaf": leaf}))?;
    } else {
        let done = match (leaf, request.is_held) {
            (None, _) => "nothing to do: that is so already",
            (_, true) => "held; it cannot be erased",
            (_, false) => "released; it can be erased",
        };
        output::note(global, done);
    }
    Ok(Exit::Good)
}

/// Through the daemon if one runs.
fn hold(config: &Config, request: &HoldRequest) -> anyhow::Result<Option<u64>> {
    match writing::reach(config, "cannot hold")? {
        Writer::Daemon(mut client) => {
            let request = Request::Hold(Box::new(request.clone()));
            match writing::ask(&mut client, &request)? {
                Answer::Held { leaf, .. } => Ok(leaf),
                _ => Err(writing::misunderstood()),
            }
        }
        Writer::Here(mut writer) => {
            let now = Timestamp::now();
            let record = Disposition {
                doc: request.doc.clone(),
                reason: request.reason.clone(),
                by: request.by.clone(),
                decided_at: now,
            };
            Ok(writer.hold(record, request.is_held, now)?)
        }
    }
}
