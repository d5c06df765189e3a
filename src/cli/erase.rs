//! `faircopy erase`

use anyhow::Context;
use faircopy::archive::metadata::Disposition;
use faircopy::archive::reader::Archive;
use faircopy::config::Config;
use faircopy::control::{Answer, EraseRequest, Erased, Request};
use faircopy::erasure;
use jiff::Timestamp;

use super::writing::{self, Writer};
use super::{Exit, Global, Usage, output, setup};

/// Erase a document: all its captures and whatever was archived about it
///
/// Raw bytes, texts, metadata, names, and copies in done, failed and inboxes go, as far as no other document needs them; the
/// segments and dictionaries concerned are written anew. The log keeps its leaves, which reveal nothing, and one more that says
/// that it was erased; who decided and why stand in a record that goes if the document is erased again. Everything else
/// still verifies. A held document refuses. Backups, exports and what others copied are out of reach.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  faircopy erase k3vq --reason 'request under article 17, letter of 3 May' --by 'Ada Brill'"
)]
pub(crate) struct Args {
    /// Document: id, unique prefix, address or inbox path
    doc: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who decided
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    if args.reason.trim().is_empty() {
        return Err(Usage("say with --reason why the document is erased; it is empty").into());
    }
    let config = setup::load_config(global)?;
    let doc = {
        // Closed again: a reader keeps the catalog's file from being written anew.
        let archive = Archive::open(&config.archive.dir).context("cannot open the archive")?;
        archive.find(&args.doc)?
    };
    let request = EraseRequest {
        doc,
        reason: args.reason.clone(),
        by: args.by.clone(),
    };
    let erased = erase(&config, request)?;
    if global.json {
        output::json(&erased)?;
    } else {
        let message = format!(
            "erased {}: {} leaves have no records any more, {} segments were written anew, {} copies deleted; leaf {} says so",
            erased.erased, erased.leaves, erased.segments, erased.copies, erased.leaf
        );
        output::note(global, &message);
    }
    Ok(Exit::Good)
}

/// Through the daemon if one runs.
fn erase(config: &Config, request: EraseRequest) -> anyhow::Result<Erased> {
    match writing::reach(config, "cannot erase")? {
        Writer::Daemon(mut client) => {
            match writing::ask(&mut client, &Request::Erase(Box::new(request)))? {
                Answer::Erased(erased) => Ok(erased),
                _ => Err(writing::misunderstood()),
            }
        }
        Writer::Here(mut writer) => {
            let record = Disposition {
                doc: request.doc.clone(),
                reason: Some(request.reason),
                by: request.by,
                decided_at: Timestamp::now(),
            };
            let (dir, inboxes) = (&config.archive.dir, &config.inbox);
            let done = erasure::erase(&mut writer, dir, inboxes, record)?;
            Ok(Erased::new(request.doc, &done))
        }
    }
}
