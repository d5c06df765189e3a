//! `export`: hands archived versions out in forms that other programs read. What is damaged is told and left out; the rest goes on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::archive::Error as ArchiveError;
use crate::archive::catalog::CaptureRow;
use crate::archive::reader::{Archive, newest_of_each_version};
use crate::gauge::Gauge;
use crate::identity::{DocId, normalise_url};

mod bag;
mod jsonl;
mod markdown;
mod sorted;
mod surt;
mod warc;

use bag::BagWriter;
use jsonl::LineWriter;
use markdown::MarkdownWriter;
use warc::WarcWriter;

/// The form of an export, and where it goes.
pub enum Target<'a> {
    /// WARC files with a CDXJ index, in a folder.
    Warc(&'a Path),
    /// A bag (RFC 8493), which is a folder.
    Bag(&'a Path),
    /// JSON Lines.
    Lines(&'a mut dyn io::Write),
    /// Markdown files in a folder.
    Markdown(&'a Path),
}

/// What is exported.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// These documents, or of a document this capture in this edition; empty is all of them.
    pub documents: Vec<(DocId, Option<CaptureRow>)>,
    /// Which captures of each.
    pub which: Which,
    /// Fetched then or later.
    pub since: Option<Timestamp>,
    /// Fetched then or earlier.
    pub until: Option<Timestamp>,
    /// Declared addresses that begin so.
    pub url: Option<String>,
    /// From inboxes of that name.
    pub source: Option<String>,
    /// Told how many documents were looked at, of how many.
    pub gauge: Arc<Gauge>,
}

/// Which captures of a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Which {
    /// The version fetched last.
    #[default]
    Latest,
    /// Each story version, as the capture of it that was fetched last.
    Versions,
    /// Every capture.
    Captures,
}

/// What was exported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Documents.
    pub documents: u64,
    /// Captures.
    pub captures: u64,
    /// Captures that are damaged and left out.
    pub damaged: u64,
}

/// Why an export ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive cannot be read at all.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Something is there already.
    #[error("{} is there already and not empty; name a new folder", path.display())]
    NotEmpty {
        /// The target.
        path: PathBuf,
    },
    /// The target cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    fn write(path: &Path, source: io::Error) -> Error {
        Error::Write {
            path: path.to_owned(),
            source,
        }
    }
}

/// Exports what is selected. `damaged` is told of every capture that cannot be read; it is not in the export.
pub fn export(
    archive: &Archive,
    target: Target<'_>,
    selection: &Selection,
    now: Timestamp,
    damaged: &mut dyn FnMut(&CaptureRow, &ArchiveError),
) -> Result<Exported, Error> {
    let mut writer = Writer::create(archive, target, now)?;
    let mut exported = Exported::default();
    let asked = selection.documents.iter();
    let asked: HashMap<(&DocId, u32), &CaptureRow> = asked
        .filter_map(|(doc, row)| row.as_ref().map(|row| ((doc, row.capture), row)))
        .collect();
    for_each_document(archive, selection, &mut |captures, selected| {
        let mut some = false;
        let rows = writer.begin_document(captures, selected);
        for row in &rows {
            let edition = asked.get(&(&row.doc, row.capture)).copied();
            match writer.capture(archive, row, edition)? {
                Ok(()) => {
                    exported.captures += 1;
                    some = true;
                }
                Err(error) => {
                    exported.damaged += 1;
                    damaged(row, &error);
                }
            }
        }
        exported.documents += u64::from(some);
        Ok(())
    })?;
    writer.finish(archive, now)?;
    Ok(exported)
}

/// What reading a capture gives: damage is a value, and leaves out no more than that capture.
type Read<T> = Result<T, ArchiveError>;

enum Writer<'a> {
    Warc(Box<WarcWriter>),
    Bag(BagWriter),
    Lines(LineWriter<'a>),
    Markdown(MarkdownWriter),
}

impl<'a> Writer<'a> {
    fn create(archive: &Archive, target: Target<'a>, now: Timestamp) -> Result<Writer<'a>, Error> {
        Ok(match target {
            Target::Warc(dir) => {
                Writer::Warc(Box::new(WarcWriter::create(dir, archive.manifest(), now)?))
            }
            Target::Bag(dir) => Writer::Bag(BagWriter::create(dir)?),
            Target::Lines(out) => Writer::Lines(LineWriter::new(out)),
            Target::Markdown(dir) => Writer::Markdown(MarkdownWriter::create(dir)?),
        })
    }

    /// What is to be written of a document whose `captures` these are.
    fn begin_document(
        &mut self,
        captures: Vec<CaptureRow>,
        selected: BTreeSet<u32>,
    ) -> Vec<CaptureRow> {
        let mut wanted = selected;
        if let Writer::Warc(writer) = self {
            writer.begin_document();
            let originals = captures.iter().filter(|row| wanted.contains(&row.capture));
            let originals: BTreeSet<u32> = originals.filter_map(|row| row.same_as).collect();
            wanted.extend(originals);
        }
        let mut rows = captures;
        rows.retain(|row| wanted.contains(&row.capture));
        rows
    }

    /// Reads all of a capture before a byte of it is written.
    fn capture(
        &mut self,
        archive: &Archive,
        row: &CaptureRow,
        edition: Option<&CaptureRow>,
    ) -> Result<Read<()>, Error> {
        let shown = || match edition {
            Some(edition) => Ok(edition.clone()),
            None => archive.latest_edition(row.clone()),
        };
        match self {
            Writer::Warc(writer) => writer.capture(archive, row),
            // What the leaf commits to, so that it can be proven.
            Writer::Bag(writer) => writer.capture(archive, row),
            Writer::Lines(writer) => writer.capture(archive, &shown()?),
            Writer::Markdown(writer) => writer.capture(archive, &shown()?),
        }
    }

    fn finish(self, archive: &Archive, now: Timestamp) -> Result<(), Error> {
        match self {
            Writer::Warc(writer) => writer.finish(),
            Writer::Bag(writer) => writer.finish(archive, now),
            Writer::Lines(writer) => writer.finish(),
            Writer::Markdown(_) => Ok(()),
        }
    }
}

/// Hands the captures of each document to `take`, and the numbers of those that are selected, one document at a time: an
/// archive may hold more than memory does.
fn for_each_document(
    archive: &Archive,
    selection: &Selection,
    take: &mut dyn FnMut(Vec<CaptureRow>, BTreeSet<u32>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut one = |doc: &DocId, captures: Option<&[u32]>| {
        let rows = archive.captures(doc)?;
        selection.gauge.add(1);
        let selected = select(rows.clone(), selection, captures);
        match selected.is_empty() {
            true => Ok(()),
            false => take(rows, selected.iter().map(|row| row.capture).collect()),
        }
    };
    if selection.documents.is_empty() {
        selection.gauge.expect(archive.counts()?.documents);
        let mut last = None;
        loop {
            let docs = archive.document_ids(last.as_ref())?;
            for doc in &docs {
                one(doc, None)?;
            }
            match docs.into_iter().next_back() {
                Some(doc) => last = Some(doc),
                None => return Ok(()),
            }
        }
    }
    // A document that is named twice is exported once.
    let mut named: BTreeMap<&DocId, Option<Vec<u32>>> = BTreeMap::new();
    for (doc, capture) in &selection.documents {
        let captures = named.entry(doc).or_insert_with(|| Some(Vec::new()));
        match (captures.as_mut(), capture) {
            (Some(list), Some(row)) => list.push(row.capture),
            _ => *captures = None,
        }
    }
    selection.gauge.expect(named.len() as u64);
    named
        .iter()
        .try_for_each(|(doc, captures)| one(doc, captures.as_deref()))
}

/// The selected ones among the captures of a document.
fn select(
    mut rows: Vec<CaptureRow>,
    selection: &Selection,
    captures: Option<&[u32]>,
) -> Vec<CaptureRow> {
    let url = selection.url.as_deref();
    let url = url.map(|url| normalise_url(url).unwrap_or_else(|| url.to_owned()));
    rows.retain(|row| {
        captures.is_none_or(|captures| captures.contains(&row.capture))
            && selection.since.is_none_or(|since| row.captured_at >= since)
            && selection.until.is_none_or(|until| row.captured_at <= until)
            && url.as_deref().is_none_or(|url| begins_with(row, url))
            && selection
                .source
                .as_ref()
                .is_none_or(|source| *source == row.source.root)
    });
    if captures.is_some() || selection.which == Which::Captures {
        return rows;
    }
    if selection.which == Which::Latest {
        let latest = rows.into_iter().max_by_key(|c| (c.captured_at, c.capture));
        return latest.into_iter().collect();
    }
    newest_of_each_version(rows)
}

fn begins_with(row: &CaptureRow, url: &str) -> bool {
    row.url
        .as_deref()
        .is_some_and(|address| address.starts_with(url))
}

/// Makes the folder of an export; one with something in it is refused, since nothing there may be mixed up or overwritten.
fn create_folder(dir: &Path) -> Result<(), Error> {
    let error = |source| Error::write(dir, source);
    std::fs::create_dir_all(dir).map_err(error)?;
    match std::fs::read_dir(dir).map_err(error)?.next() {
        None => Ok(()),
        Some(_) => Err(Error::NotEmpty {
            path: dir.to_owned(),
        }),
    }
}
