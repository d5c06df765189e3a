//! The timeline of a document: its captures and editions, and what each of them changed.

use std::ops::Range;

use serde_json::{Value, json};

use crate::archive::Error;
use crate::archive::catalog::{CaptureRow, Change};
use crate::archive::reader::Archive;
use crate::article::Article;
use crate::identity::DocId;

/// One entry of a timeline.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The capture, as the edition that the entry is about shows it.
    pub row: CaptureRow,
    /// The leaf that tells of it.
    pub leaf: u64,
    /// Why it is there.
    pub cause: Cause,
    /// What of the story is another.
    pub changed: Vec<&'static str>,
}

impl Entry {
    /// The entry as it stands in JSON.
    pub fn object(&self) -> Value {
        let row = &self.row;
        json!({
            "doc": row.doc, "capture": row.capture, "version": row.version, "edition": row.edition_number(),
            "captured_at": row.captured_at, "cleaned_at": row.edition.map(|edition| edition.cleaned_at),
            "change": self.cause.as_str(), "changed": self.changed, "raw": row.digests.raw, "text": row.digests.text,
            "rules": row.rules, "leaf": self.leaf,
        })
    }
}

/// Why there is an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A capture.
    Capture(Change),
    /// A capture was cleaned again by other rules.
    Rules,
}

impl Cause {
    /// The cause as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Capture(change) => change.as_str(),
            Cause::Rules => "rules",
        }
    }
}

/// The timeline of a document, in the order of archiving; that of several that are one, by the time of fetching.
pub fn timelines(archive: &Archive, group: &[DocId]) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for doc in group {
        entries.extend(timeline(archive, doc, archive.captures(doc)?)?);
    }
    if group.len() > 1 {
        let at = |entry: &Entry| entry.row.edition.map(|edition| edition.cleaned_at);
        entries.sort_by_key(|entry| (at(entry).unwrap_or(entry.row.captured_at), entry.leaf));
    }
    Ok(entries)
}

/// A stretch of a document's timeline: these captures, with all of their editions.
pub fn stretch(archive: &Archive, doc: &DocId, captures: Range<u32>) -> Result<Vec<Entry>, Error> {
    // With the capture before them, which the first of them is compared with.
    let before = captures.start.saturating_sub(1);
    let rows = archive.captures_within(doc, before..captures.end)?;
    let mut entries = timeline(archive, doc, rows)?;
    entries.retain(|entry| captures.contains(&entry.row.capture));
    Ok(entries)
}

/// Captures and editions of one document, in the order in which they were archived.
fn timeline(
    archive: &Archive,
    doc: &DocId,
    captures: Vec<CaptureRow>,
) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    let (Some(first), Some(last)) = (captures.first(), captures.last()) else {
        return Ok(entries);
    };
    for edition in archive.editions_within(doc, first.capture..last.capture + 1)? {
        let of = captures.iter().find(|row| row.capture == edition.capture);
        entries.extend(of.map(|row| Entry {
            row: row.clone().in_edition(&edition),
            leaf: edition.id.leaf,
            cause: Cause::Rules,
            changed: Vec::new(),
        }));
    }
    // What a story is compared with: the capture before, as it was cleaned when the next one came.
    for row in captures {
        let before = entries
            .iter()
            .filter(|entry: &&Entry| entry.leaf < row.leaf && entry.row.version < row.version);
        let changed = match (
            row.change,
            before.max_by_key(|entry| (entry.row.version, entry.leaf)),
        ) {
            (Change::Story, Some(before)) => changed(archive, &before.row, &row),
            _ => Vec::new(),
        };
        entries.push(Entry {
            leaf: row.leaf,
            cause: Cause::Capture(row.change),
            changed,
            row,
        });
    }
    entries.sort_by_key(|entry| entry.leaf);
    Ok(entries)
}

/// What of the story differs; nothing if that cannot be read.
fn changed(archive: &Archive, before: &CaptureRow, after: &CaptureRow) -> Vec<&'static str> {
    let (Ok(before), Ok(after)) = (archive.read_metadata(before), archive.read_metadata(after))
    else {
        return Vec::new();
    };
    let (before, after) = (&before.article, &after.article);
    type Differs = fn(&Article, &Article) -> bool;
    let parts: [(&str, Differs); 4] = [
        ("title", |a, b| a.title != b.title),
        ("byline", |a, b| a.authors != b.authors),
        ("text", |a, b| a.text != b.text),
        ("captions", |a, b| a.captions != b.captions),
    ];
    let differing = parts
        .into_iter()
        .filter(|(_, differs)| differs(before, after));
    differing.map(|(part, _)| part).collect()
}
