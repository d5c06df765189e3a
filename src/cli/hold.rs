//! `faircopy hold`

use anyhow::{Context, bail};
use faircopy::archive::Error as ArchiveError;
use faircopy::archive::metadata::Disposition;
use faircopy::archive::reader::Archive;
use faircopy::archive::writer::ArchiveWriter;
use faircopy::config::Config;
use faircopy::control::{Answer, Client, HoldRequest, Request};
use jiff::Timestamp;
use serde_json::json;

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
    match Client::connect(&config.daemon.control) {
        Ok(mut client) => {
            let answer = client.ask(&Request::Hold(Box::new(request.clone())))?;
            match serde_json::from_value(answer)? {
                Answer::Held { leaf, .. } => Ok(leaf),
                Answer::Failed { error } => bail!("{}", error.message),
                _ => bail!("the daemon answered something else than was asked"),
            }
        }
        Err(unreachable) => {
            match ArchiveWriter::open(config.archive_paths(), config.writer_options()) {
                Ok((mut writer, _)) => {
                    let now = Timestamp::now();
                    let record = Disposition {
                        doc: request.doc.clone(),
                        reason: request.reason.clone(),
                        by: request.by.clone(),
                        decided_at: now,
                    };
                    Ok(writer.hold(record, request.is_held, now)?)
                }
                Err(error @ ArchiveError::Locked { .. }) => Err(anyhow::Error::from(error)
                    .context(faircopy::pipeline::chain(&unreachable))
                    .context("cannot hold")),
                Err(error) => Err(error).context("cannot open the archive"),
            }
        }
    }
}
