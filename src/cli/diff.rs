//! `faircopy diff`

use std::io::IsTerminal;

use anyhow::bail;
use faircopy::archive::catalog::CaptureRow;
use faircopy::archive::reader::{Archive, Selector};
use serde_json::json;
use similar::{ChangeTag, TextDiff};

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
    let (old_text, new_text) = if args.furniture {
        (furniture(&archive, &old)?, furniture(&archive, &new)?)
    } else {
        (story(&archive, &old)?, story(&archive, &new)?)
    };
    let diff = TextDiff::from_unicode_words(&old_text, &new_text);
    if global.json {
        let changes = diff
            .iter_all_changes()
            .map(|change| (change.tag(), change.value()));
        let runs: Vec<_> = merge(changes)
            .into_iter()
            .map(|(tag, text)| json!({"op": name(tag), "text": text}))
            .collect();
        output::json(&json!({
            "old": {"doc": old.doc, "version": old.version, "captured_at": old.captured_at},
            "new": {"doc": new.doc, "version": new.version, "captured_at": new.captured_at},
            "same": old_text == new_text, "changes": runs,
        }))?;
        return Ok(Exit::Good);
    }
    output::note(
        global,
        &format!("{}@{} -> {}@{}", old.doc, old.version, new.doc, new.version),
    );
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let changes = diff
        .iter_all_changes()
        .map(|change| (change.tag(), change.value()));
    for (tag, text) in merge(changes) {
        output::raw(mark(tag, &output::safe(&text), colour).as_bytes())?;
    }
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
            bail!("document {doc} has one version only; nothing to compare")
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

/// All that makes a version: headline, names, text and captions.
fn story(archive: &Archive, capture: &CaptureRow) -> anyhow::Result<String> {
    let article = archive.read_metadata(capture)?.article;
    let title = article.title.unwrap_or_default();
    let authors = article.authors.join(", ");
    let mut story = format!("{title}\n{authors}\n\n{}", article.text);
    for caption in &article.captions {
        let credit = caption.credit.as_deref().unwrap_or_default();
        story.push_str(&format!("\n[{}] {credit}", caption.text));
    }
    Ok(story)
}

/// All that is not the story, one field or item a line.
fn furniture(archive: &Archive, capture: &CaptureRow) -> anyhow::Result<String> {
    let article = archive.read_metadata(capture)?.article;
    let mut fields = serde_json::to_value(&article)?;
    let mut lines = String::new();
    for key in ["title", "authors", "text", "blocks", "captions"] {
        if let Some(fields) = fields.as_object_mut() {
            fields.shift_remove(key);
        }
    }
    for (key, value) in fields.as_object().into_iter().flatten() {
        match value.as_array() {
            Some(items) => items
                .iter()
                .for_each(|item| lines.push_str(&format!("{key}: {item}\n"))),
            None => lines.push_str(&format!("{key}: {value}\n")),
        }
    }
    Ok(lines)
}

/// Neighbouring changes of one kind as one run.
fn merge<'a>(changes: impl Iterator<Item = (ChangeTag, &'a str)>) -> Vec<(ChangeTag, String)> {
    let mut runs: Vec<(ChangeTag, String)> = Vec::new();
    for (tag, text) in changes {
        match runs.last_mut() {
            Some((last, run)) if *last == tag => run.push_str(text),
            _ => runs.push((tag, text.to_owned())),
        }
    }
    runs
}

fn name(tag: ChangeTag) -> &'static str {
    match tag {
        ChangeTag::Equal => "equal",
        ChangeTag::Delete => "delete",
        ChangeTag::Insert => "insert",
    }
}

fn mark(tag: ChangeTag, text: &str, colour: bool) -> String {
    match (tag, colour) {
        (ChangeTag::Equal, _) => text.to_owned(),
        (ChangeTag::Delete, true) => format!("\x1b[31m[-{text}-]\x1b[0m"),
        (ChangeTag::Insert, true) => format!("\x1b[32m{{+{text}+}}\x1b[0m"),
        (ChangeTag::Delete, false) => format!("[-{text}-]"),
        (ChangeTag::Insert, false) => format!("{{+{text}+}}"),
    }
}
