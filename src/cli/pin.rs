//! `faircopy pin`

use anyhow::{Context, anyhow};
use faircopy::archive::catalog::PinRow;
use faircopy::archive::reader::{Archive, Selector};
use faircopy::config::Config;
use faircopy::control::{Answer, PinRequest, Request};
use faircopy::identity::DocId;
use faircopy::pin::{Pin, PinScope, PinVerdict};
use jiff::Timestamp;
use serde_json::json;

use super::writing::{self, Writer};
use super::{Exit, Global, Usage, output, setup};

/// Decide that a text stays or goes, whatever the rules say
///
/// Counts for all later captures of the document or source, and for recleaning; logged in the archive. A text of several
/// lines means each of them. A part of a line is cut out, or kept while the rest of the line remains what it was.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy pin --keep 'Advertisement' k3vq --reason 'it is what the poster says'\n  faircopy pin --remove 'Tide tables for all' --source example.org\n  faircopy pin --release 'Advertisement' k3vq\n  faircopy pin --list"
)]
pub(crate) struct Args {
    #[command(flatten)]
    decision: Decision,
    /// Document: id, unique prefix, address or inbox path
    #[arg(value_name = "DOC", conflicts_with = "source")]
    doc: Option<String>,
    /// All documents of a source instead: an inbox, a producer's name of a source, or a site such as example.org
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Why; stands in the ledger
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Decision {
    /// This text stays
    #[arg(long, value_name = "TEXT")]
    keep: Option<String>,
    /// This text goes
    #[arg(long, value_name = "TEXT")]
    remove: Option<String>,
    /// Take back what was decided about this text
    #[arg(long, value_name = "TEXT")]
    release: Option<String>,
    /// List the decisions that hold
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let config = setup::load_config(global)?;
    let archive = Archive::open(&config.archive.dir).context("cannot open the archive")?;
    let of = match (&args.doc, &args.source) {
        (Some(doc), _) => Some(PinScope::Doc(archive.find(doc)?)),
        (None, Some(name)) => Some(PinScope::source(name)),
        (None, None) => None,
    };
    let Decision {
        keep,
        remove,
        release,
        list: _,
    } = &args.decision;
    let decided = [
        (PinVerdict::Keep, keep),
        (PinVerdict::Remove, remove),
        (PinVerdict::Release, release),
    ];
    let decided = decided
        .into_iter()
        .find_map(|(v, text)| Some((v, text.as_ref()?)));
    let Some((verdict, text)) = decided else {
        return list(global, &archive, of.as_ref());
    };
    let of = of.ok_or(Usage("name a document, or a source with --source"))?;
    if text.trim().is_empty() {
        return Err(Usage("give the text that is to be kept or removed; it is empty").into());
    }
    if let (PinScope::Doc(doc), PinVerdict::Keep | PinVerdict::Remove) = (&of, verdict) {
        must_have(&archive, doc, text)?;
    }
    let pin = Pin {
        verdict,
        text: text.clone(),
        reason: args.reason.clone(),
    };
    let leaf = archive_pin(&config, of, pin)?;
    if global.json {
        output::json(&json!({"verdict": verdict, "text": text, "leaf": leaf}))?;
    } else {
        output::note(
            global,
            match leaf {
                Some(_) => "decided; counts from the next capture on",
                None => "nothing to do: that is so already",
            },
        );
    }
    Ok(Exit::Good)
}

/// A text that is nowhere in the document was mistyped.
fn must_have(archive: &Archive, doc: &DocId, text: &str) -> anyhow::Result<()> {
    let capture = archive.resolve(doc, &Selector::Latest)?;
    let metadata = archive.read_metadata(&capture)?;
    let document = faircopy::reclean::decode_again(archive, &capture, &metadata)?;
    let missing = faircopy::clean::pins::missing(&document, &metadata.article.text, text);
    match missing {
        None => Ok(()),
        Some(line) => Err(anyhow!(
            "the latest version of {doc} has no text {line:?}; `faircopy explain {doc}` shows all that it has"
        )),
    }
}

/// Through the daemon if one runs.
fn archive_pin(config: &Config, of: PinScope, pin: Pin) -> anyhow::Result<Option<u64>> {
    match writing::reach(config, "cannot pin")? {
        Writer::Daemon(mut client) => {
            let request = Request::Pin(Box::new(PinRequest { of, pin }));
            match writing::ask(&mut client, &request)? {
                Answer::Pinned { leaf, .. } => Ok(leaf),
                _ => Err(writing::misunderstood()),
            }
        }
        Writer::Here(mut writer) => Ok(writer.pin(of, pin, Timestamp::now())?),
    }
}

fn list(global: &Global, archive: &Archive, of: Option<&PinScope>) -> anyhow::Result<Exit> {
    let pins = archive.pins()?.into_iter();
    let pins = pins.filter(|row| of.is_none_or(|of| row.record.of == *of));
    let mut rows = Vec::new();
    for PinRow { leaf, record } in pins {
        let (doc, source) = match &record.of {
            PinScope::Doc(doc) => (Some(doc.0.as_str()), None),
            PinScope::Source(name) => (None, Some(name.as_str())),
        };
        let pin = &record.pin;
        if global.json {
            output::json(&json!({
                "doc": doc, "source": source, "verdict": pin.verdict, "text": pin.text, "reason": pin.reason,
                "pinned_at": record.pinned_at, "leaf": leaf,
            }))?;
        } else {
            rows.push(vec![
                doc.map_or_else(
                    || format!("source {}", source.unwrap_or_default()),
                    str::to_owned,
                ),
                pin.verdict.as_str().to_owned(),
                record.pinned_at.strftime("%Y-%m-%d %H:%M").to_string(),
                output::shorten(&pin.text, 60),
                pin.reason.clone().unwrap_or_default(),
            ]);
        }
    }
    if rows.is_empty() && !global.json {
        output::note(global, "nothing is pinned");
    }
    output::table(&rows)?;
    Ok(Exit::Good)
}
