//! `faircopy export`

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use faircopy::archive::catalog::CaptureRow;
use faircopy::archive::reader::Archive;
use faircopy::export::{self, Exported, Selection, Target, Which, export};
use faircopy::pipeline::chain;
use faircopy::search::{Request, search};
use jiff::Timestamp;
use serde_json::json;

use super::progress::{Progress, Unit};
use super::{Exit, Global, output, reference, setup};

/// Hand archived versions out: WARC, BagIt, JSON Lines or Markdown
///
/// WARC files (gzip, with a CDXJ index) replay in pywb: export into a folder below its `collections`. A bag is judged by any
/// BagIt validator. What is damaged is named and left out; the rest is exported.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy export --warc collections/news\n  faircopy export --bagit bag k3vq https://example.org/story@1\n  faircopy export --jsonl - --since 2024-03-01 --until 2024-03-31 | jq .title\n  faircopy export --markdown notes --url https://example.org/politics/ --versions all"
)]
pub(crate) struct Args {
    /// Documents: id, unique prefix, address or inbox path; @N a version, @DATE as it stood then. None is all
    #[arg(value_name = "DOC[@V]")]
    docs: Vec<String>,
    #[command(flatten)]
    form: Form,
    /// Which captures of each document: the latest version, all versions, or all captures, unchanged ones too
    #[arg(long, value_enum, default_value_t)]
    versions: Versions,
    /// Fetched on this day or at this time, or later
    #[arg(long, value_name = "TIME", value_parser = reference::parse_since)]
    since: Option<Timestamp>,
    /// Fetched on this day or at this time, or earlier
    #[arg(long, value_name = "TIME", value_parser = reference::parse_until)]
    until: Option<Timestamp>,
    /// Versions that `faircopy search` finds by these words
    #[arg(long, value_name = "WORDS", conflicts_with = "docs")]
    query: Option<String>,
    /// Declared addresses that begin so
    #[arg(long, value_name = "PREFIX")]
    url: Option<String>,
    /// From the inbox of that name
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Form {
    /// WARC files and their index, into a new folder
    #[arg(long, value_name = "DIR")]
    warc: Option<PathBuf>,
    /// A bag with raw bytes, texts and metadata, as a new folder
    #[arg(long, value_name = "DIR")]
    bagit: Option<PathBuf>,
    /// One JSON object a line, into a new file; `-` is standard output
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,
    /// One Markdown file a version, into a new folder
    #[arg(long, value_name = "DIR")]
    markdown: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Versions {
    #[default]
    Latest,
    All,
    Captures,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let archive = setup::open_archive(global)?;
    let selection = selection(&archive, args)?;
    let progress = Progress::show(global, Unit::Things("documents"), &selection.gauge);
    let mut damaged = |row: &CaptureRow, error: &faircopy::archive::Error| {
        let (doc, capture) = (&row.doc, row.capture);
        progress.aside(|| {
            output::complain(&format!(
                "faircopy: capture {capture} of {doc} is left out: {}",
                chain(error)
            ));
        });
    };
    let mut run = |target| export(&archive, target, &selection, Timestamp::now(), &mut damaged);
    let form = &args.form;
    let (exported, to_stdout) = match (&form.warc, &form.bagit, &form.jsonl, &form.markdown) {
        (Some(dir), ..) => (run(Target::Warc(dir)), false),
        (_, Some(dir), ..) => (run(Target::Bag(dir)), false),
        (_, _, Some(file), _) if file == Path::new("-") => {
            (run(Target::Lines(&mut io::stdout().lock())), true)
        }
        (_, _, Some(file), _) => {
            let out = std::fs::File::create_new(file);
            let out = out.with_context(|| format!("cannot make {}", file.display()))?;
            (run(Target::Lines(&mut io::BufWriter::new(out))), false)
        }
        (_, _, _, Some(dir)) => (run(Target::Markdown(dir)), false),
        _ => unreachable!("clap asks for one form"),
    };
    drop(progress);
    let exported = exported.map_err(|error| closed(error, to_stdout))?;
    tell(global, exported, to_stdout)
}

fn selection(archive: &Archive, args: &Args) -> anyhow::Result<Selection> {
    let mut documents = Vec::new();
    for name in &args.docs {
        documents.push(match reference::split(archive, name)? {
            (doc, None) => (doc, None),
            (doc, Some(_)) => (doc, Some(reference::resolve(archive, name)?)),
        });
    }
    if let Some(query) = &args.query {
        let request = Request {
            query: query.clone(),
            ..Request::default()
        };
        let (hits, _) = search(archive, &request)?;
        documents.extend(
            hits.into_iter()
                .map(|hit| (hit.row.doc.clone(), Some(hit.row))),
        );
        if documents.is_empty() {
            bail!(
                "nothing is found by {query:?}; try fewer words, `faircopy search` shows what they find"
            );
        }
    }
    Ok(Selection {
        documents,
        which: match args.versions {
            Versions::Latest => Which::Latest,
            Versions::All => Which::Versions,
            Versions::Captures => Which::Captures,
        },
        since: args.since,
        until: args.until,
        url: args.url.clone(),
        source: args.source.clone(),
        gauge: Arc::default(),
    })
}

/// Who stops reading our output ends it; that is no failure.
fn closed(error: export::Error, to_stdout: bool) -> anyhow::Error {
    match error {
        export::Error::Write { source, .. }
            if to_stdout && source.kind() == io::ErrorKind::BrokenPipe =>
        {
            output::Closed.into()
        }
        error => error.into(),
    }
}

fn tell(global: &Global, exported: Exported, to_stdout: bool) -> anyhow::Result<Exit> {
    if global.json && !to_stdout {
        output::json(&json!({"exported": exported}))?;
    }
    let Exported {
        documents,
        captures,
        damaged,
    } = exported;
    let left_out = match damaged {
        0 => String::new(),
        damaged => format!("; {damaged} damaged and left out, see `faircopy check`"),
    };
    output::note(
        global,
        &format!("exported {captures} captures of {documents} documents{left_out}"),
    );
    Ok(match (damaged, captures) {
        (0, _) => Exit::Good,
        (_, 0) => Exit::Failed,
        _ => Exit::Partly,
    })
}
