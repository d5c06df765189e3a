//! `faircopy clean`

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use faircopy::article_json;
use faircopy::clean::rules::Rules;
use faircopy::clean::shadow::differences;
use faircopy::clean::{Cleaned, clean};
use faircopy::decode::{self, decode};
use faircopy::digest::Digest;
use faircopy::document::Document;
use faircopy::submission::{Declared, path_text};
use serde_json::json;

use super::{Exit, Global, output, setup};

/// Clean files without archiving them
///
/// Prints the canonical text, or with --json one object a file. Files that cannot be cleaned are named; the others go on.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy clean page.html\n  faircopy clean --json --explain article.txt\n  find . -name '*.html' | faircopy clean --json --files-from - > articles.jsonl"
)]
pub(crate) struct Args {
    /// Files; `-` is standard input
    #[arg(required_unless_present = "files_from")]
    paths: Vec<PathBuf>,
    /// Read paths from a file, one a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,
    /// Where the input was fetched
    #[arg(long)]
    url: Option<String>,
    /// Print Markdown
    #[arg(long, conflicts_with = "explain")]
    markdown: bool,
    /// With --json, add the ledger: each span, kept or removed, with rule and reason
    #[arg(long)]
    explain: bool,
}

/// A file cleaned without an archive.
pub(crate) struct CleanedFile {
    /// The decoded input.
    pub(crate) document: Document,
    /// Article and ledger.
    pub(crate) cleaned: Cleaned,
    /// Digest of the file.
    pub(crate) raw: Digest,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let rules = setup::rules(global)?.rules;
    let mut paths = args.paths.clone();
    if let Some(list) = &args.files_from {
        paths.extend(read_list(list)?);
    }
    let mut failed = 0;
    for path in &paths {
        match clean_file(path, args.url.clone(), &rules) {
            Ok(file) => print(global, args, path, &file, &rules)?,
            Err((code, message)) => {
                failed += 1;
                let path = path_text::to_text(path);
                if global.json {
                    output::json(
                        &json!({"path": path, "error": {"code": code, "message": message}}),
                    )?;
                } else {
                    output::complain(&format!("faircopy: {path}: {message}"));
                }
            }
        }
    }
    Ok(exit_for(failed, paths.len()))
}

/// A single failed input is 1, some of several 3.
pub(crate) fn exit_for(failed: usize, inputs: usize) -> Exit {
    match (failed, inputs) {
        (0, _) => Exit::Good,
        (_, 1) => Exit::Failed,
        _ => Exit::Partly,
    }
}

fn print(
    global: &Global,
    args: &Args,
    path: &Path,
    file: &CleanedFile,
    rules: &Rules,
) -> anyhow::Result<()> {
    let Cleaned { article, ledger } = &file.cleaned;
    if global.json {
        let mut object = article_json::article(
            Some(&path_text::to_text(path)),
            article,
            &article.digests(file.raw),
            rules.id(),
        );
        if rules.shadow().is_some() {
            let shadow = differences(&file.document, rules, &file.cleaned);
            object["shadow"] = serde_json::to_value(shadow)?;
        }
        if args.explain {
            object["ledger"] = article_json::ledger(ledger, file.document.input());
            object["decoding"] = serde_json::to_value(&file.document.decoding)?;
        }
        output::json(&object)
    } else if args.markdown {
        output::text(&article.to_markdown())
    } else {
        output::text(&article.text)
    }
}

/// Reads, decodes and cleans one file; an error has a code and a message.
pub(crate) fn clean_file(
    path: &Path,
    url: Option<String>,
    rules: &Rules,
) -> Result<CleanedFile, (String, String)> {
    let unreadable = |error: anyhow::Error| ("unreadable".to_owned(), format!("{error:#}"));
    let options = decode::Options::default();
    let raw = read(path, options.bytes_max).map_err(unreadable)?;
    let declared = Declared {
        url,
        ..Declared::default()
    };
    let document = decode(path, &raw, &declared, &options)
        .map_err(|reason| (reason.code.as_str().to_owned(), reason.message))?;
    let cleaned = clean(&document, rules);
    Ok(CleanedFile {
        document,
        cleaned,
        raw: Digest::of(&raw),
    })
}

/// Not much more than can be cleaned, so that an endless input does not fill the memory.
pub(crate) fn read(path: &Path, bytes_max: usize) -> anyhow::Result<Vec<u8>> {
    let limit = bytes_max as u64 + 1;
    let mut raw = Vec::new();
    if path == Path::new("-") {
        let read = std::io::stdin().lock().take(limit).read_to_end(&mut raw);
        read.context("cannot read standard input")?;
    } else {
        let file = std::fs::File::open(path).context("cannot open it")?;
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        raw.reserve(usize::try_from(length.min(limit)).unwrap_or(0));
        let read = file.take(limit).read_to_end(&mut raw);
        read.context("cannot read it")?;
    }
    if raw.len() > bytes_max {
        bail!(
            "it has more than {bytes_max} bytes, which is the most that is cleaned; give a part of it"
        );
    }
    Ok(raw)
}

/// The paths in a list, one a line; bytes that are no UTF-8 are part of the name.
pub(crate) fn read_list(list: &Path) -> anyhow::Result<Vec<PathBuf>> {
    use std::os::unix::ffi::OsStringExt;
    let reader: Box<dyn BufRead> = if list == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(list)
            .with_context(|| format!("cannot open the list {}", list.display()))?;
        Box::new(std::io::BufReader::new(file))
    };
    let mut paths = Vec::new();
    for line in reader.split(b'\n') {
        let line = line.with_context(|| format!("cannot read the list {}", list.display()))?;
        if !line.is_empty() {
            paths.push(PathBuf::from(std::ffi::OsString::from_vec(line)));
        }
    }
    Ok(paths)
}
