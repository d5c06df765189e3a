//! `faircopy diff`

use std::io::IsTerminal;

use anyhow::bail;
use faircopy::archive::catalog::CaptureRow;
use faircopy::archive::reader::{Archive, Selector};
use faircopy::comparison::{self, Op, Run};

use super::{Exit, Global, output, reference, setup};

/// Compare two versions word by word
///
/// With one DOC, compares its version @A (default: the one before the latest) with the latest. Removed words stand in
/// [-…-], added ones in {+…+}, in colour on a terminal.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  faircopy diff k3vq\n  faircopy diff k3vq@1 @3\n  faircopy diff k3vq@1 @3 --furniture"
)]
pub(crate) struct Args {
    /// The older version
    #[arg(value_name = "DOC[@A]")]
    old: String,
    /// The newer version; `@B` alone is of the same document
    #[arg(value_name = "[DOC][@B]")]
    new: Option<String>,
    /// Compare what stood outside the story: credits, footers, metadata
    #[arg(long)]
    furniture: bool,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let archive = setup::open_archive(global)?;
    let (old, new) = captures(&archive, args)?;
    let text = match args.furniture {
        true => comparison::furniture,
        false => comparison::story,
    };
    let old_text = text(&archive.read_metadata(&old)?.article);
    let new_text = text(&archive.read_metadata(&new)?.article);
    let runs = comparison::runs(&old_text, &new_text, None);
    if global.json {
        output::json(&comparison::object(&old, &new, &runs))?;
        return Ok(Exit::Good);
    }
    output::note(
        global,
        &format!("{}@{} -> {}@{}", old.doc, old.version, new.doc, new.version),
    );
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let marked = |run: &Run| mark(run.op, &output::safe(&run.text), colour);
    let mut text: String = runs.iter().map(marked).collect();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    output::raw(text.as_bytes())?;
    Ok(Exit::Good)
}

fn captures(archive: &Archive, args: &Args) -> anyhow::Result<(CaptureRow, CaptureRow)> {
    let (doc, version) = reference::split(archive, &args.old)?;
    let new = match &args.new {
        Some(new) if new.starts_with('@') => reference::resolve(archive, &format!("{doc}{new}"))?,
        Some(new) => reference::resolve(archive, new)?,
        None => reference::resolve(archive, &doc.0)?,
    };
    let old = match version {
        Some(version) => reference::resolve(archive, &format!("{doc}@{version}"))?,
        None if args.new.is_some() => reference::resolve(archive, &doc.0)?,
        None if new.version == 1 => {
            bail!(
                "document {doc} has one version only; name one of another document to compare it with"
            )
        }
        None => {
            let bonds = archive.bonds()?;
            if bonds.is_split(&new.doc, new.version) {
                bail!(
                    "a person said that {}@{} is another document than the version before it; name both to compare them all the same",
                    new.doc,
                    new.version
                );
            }
            archive.resolve(&new.doc, &Selector::Version(new.version - 1))?
        }
    };
    Ok((old, new))
}

fn mark(op: Op, text: &str, colour: bool) -> String {
    match (op, colour) {
        (Op::Equal, _) => text.to_owned(),
        (Op::Delete, true) => format!("\x1b[31m[-{text}-]\x1b[0m"),
        (Op::Insert, true) => format!("\x1b[32m{{+{text}+}}\x1b[0m"),
        (Op::Delete, false) => format!("[-{text}-]"),
        (Op::Insert, false) => format!("{{+{text}+}}"),
    }
}
