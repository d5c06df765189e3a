//! `faircopy link` and `faircopy split`

use anyhow::Context;
use faircopy::archive::Error as ArchiveError;
use faircopy::archive::metadata::{LinkRecord, SplitRecord};
use faircopy::archive::reader::{Archive, Selector};
use faircopy::archive::writer::ArchiveWriter;
use faircopy::config::Config;
use faircopy::control::{Answer, Request};
use jiff::Timestamp;
use serde_json::json;

use super::writing::{self, Writer};
use super::{Exit, Global, Usage, output, reference, setup};

/// Say that two documents are one
///
/// As when an article moved to another address. Nothing that is archived changes, and versions keep their names: `log` shows
/// both as one timeline, and what stood last or at a time is sought in both. The decision is logged.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  faircopy link https://example.org/old https://example.org/new --reason moved"
)]
pub(crate) struct LinkArgs {
    /// One document
    doc: String,
    /// The other
    with: String,
    /// Take it back
    #[arg(long)]
    release: bool,
    /// Why, for whoever reads the history
    #[arg(long)]
    reason: Option<String>,
}

/// Say that from a version on a document is another one
///
/// As when a site uses an address again for another article. Nothing that is archived changes, and versions keep their names:
/// `log` shows the parts, and `diff` does not compare across them by itself. The decision is logged.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  faircopy split https://example.org/today@3")]
pub(crate) struct SplitArgs {
    /// The document, and the first version of the other one
    #[arg(value_name = "DOC@V")]
    doc: String,
    /// Take it back
    #[arg(long)]
    release: bool,
    /// Why, for whoever reads the history
    #[arg(long)]
    reason: Option<String>,
}

pub(crate) fn link(global: &Global, args: &LinkArgs) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    let archive = Archive::open(&config.archive.dir).context("cannot open the archive")?;
    let (doc, with) = (archive.find(&args.doc)?, archive.find(&args.with)?);
    if doc == with {
        return Err(Usage("both names are of the same document; give two different ones").into());
    }
    let record = LinkRecord {
        doc,
        with,
        released: args.release,
        reason: args.reason.clone(),
        said_at: Timestamp::now(),
    };
    let request = Request::Link(Box::new(record.clone()));
    let leaf = archive_it(&config, &request, |writer| writer.link(record))?;
    tell(global, leaf)
}

pub(crate) fn split(global: &Global, args: &SplitArgs) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    let archive = Archive::open(&config.archive.dir).context("cannot open the archive")?;
    let (doc, version) = reference::split(&archive, &args.doc)?;
    let selector = version.map(str::parse).transpose()?;
    let Some(Selector::Version(version)) = selector else {
        return Err(Usage("name the version at which the other document begins: DOC@3").into());
    };
    let record = SplitRecord {
        doc,
        version,
        released: args.release,
        reason: args.reason.clone(),
        said_at: Timestamp::now(),
    };
    let request = Request::Split(Box::new(record.clone()));
    let leaf = archive_it(&config, &request, |writer| writer.split(record))?;
    tell(global, leaf)
}

/// Through the daemon if one runs.
fn archive_it(
    config: &Config,
    request: &Request,
    here: impl FnOnce(&mut ArchiveWriter) -> Result<Option<u64>, ArchiveError>,
) -> anyhow::Result<Option<u64>> {
    match writing::reach(config, "cannot archive it")? {
        Writer::Daemon(mut client) => match writing::ask(&mut client, request)? {
            Answer::Pinned { leaf, .. } => Ok(leaf),
            _ => Err(writing::misunderstood()),
        },
        Writer::Here(mut writer) => Ok(here(&mut writer)?),
    }
}

fn tell(global: &Global, leaf: Option<u64>) -> anyhow::Result<Exit> {
    if global.json {
        output::json(&json!({"leaf": leaf}))?;
    } else {
        let said = match leaf {
            Some(_) => "said, and logged",
            None => "nothing to do: that is so already",
        };
        output::note(global, said);
    }
    Ok(Exit::Good)
}
