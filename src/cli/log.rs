//! `faircopy log`

use faircopy::archive::catalog::{CaptureRow, Change};
use faircopy::archive::reader::Archive;
use faircopy::article::Article;
use faircopy::identity::DocId;
use serde_json::json;

use super::{Exit, Global, output, reference, setup};

/// List the captures, versions and editions of one document
///
/// `story`: another title, byline, text or caption, which makes a version. `furniture`: other bytes, same story. `none`: the
/// same bytes. `rules`: a capture cleaned again, which makes an edition of its version.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  faircopy log https://example.org/story")]
pub(crate) struct Args {
    /// Document: id, unique prefix, address or inbox path
    doc: String,
}

/// One line of the timeline.
struct Entry {
    row: CaptureRow,
    leaf: u64,
    change: &'static str,
    /// What of the story is another.
    changed: Vec<&'static str>,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let archive = setup::open_archive(global)?;
    let (doc, _) = reference::split(&archive, &args.doc)?;
    let mut rows = Vec::new();
    let bonds = archive.bonds()?;
    let group = bonds.group(&doc);
    for entry in timelines(&archive, &group)? {
        let part = bonds.part(&entry.row.doc, entry.row.version);
        let row = &entry.row;
        let cleaned_at = row.edition.map(|edition| edition.cleaned_at);
        if global.json {
            output::json(&json!({
                "doc": row.doc, "capture": row.capture, "version": row.version, "edition": row.edition_number(),
                "captured_at": row.captured_at, "cleaned_at": cleaned_at, "change": entry.change,
                "changed": entry.changed, "raw": row.digests.raw, "text": row.digests.text, "rules": row.rules,
                "leaf": entry.leaf, "part": part,
            }))?;
            continue;
        }
        let version = match row.edition {
            Some(edition) => format!("@{}.{}", row.version, edition.number),
            None => format!("@{}", row.version),
        };
        let mut change = entry.change.to_owned();
        if !entry.changed.is_empty() {
            change.push_str(&format!(": {}", entry.changed.join(", ")));
        }
        let at = cleaned_at.unwrap_or(row.captured_at);
        let parted = bonds.is_split(&row.doc, row.version) || part > 1;
        if parted {
            change.push_str(&format!(" (document {part} of this address)"));
        }
        let mut columns = vec![
            format!("#{}", row.capture),
            version,
            at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            change,
            format!("raw {}", &row.digests.raw.to_hex()[..12]),
            format!("text {}", &row.digests.text.to_hex()[..12]),
            format!("leaf {}", entry.leaf),
        ];
        if group.len() > 1 {
            columns.insert(0, row.doc.to_string());
        }
        rows.push(columns);
    }
    if let Some(erased) = archive.erased(&doc)? {
        if global.json {
            output::json(
                &json!({"doc": doc, "change": "erased", "at": erased.at, "leaf": erased.leaf}),
            )?;
        } else {
            let at = erased
                .at
                .map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
            let text = format!(
                "erased {}, as leaf {} says",
                at.unwrap_or_default(),
                erased.leaf
            );
            output::line(&format!("what was captured before is {text}"))?;
        }
    }
    output::table(&rows)?;
    Ok(Exit::Good)
}

/// The timeline of a document, in the order of archiving; that of several that are one, by the time of fetching.
fn timelines(archive: &Archive, group: &[DocId]) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for doc in group {
        entries.extend(timeline(archive, archive.captures(doc)?)?);
    }
    if group.len() > 1 {
        let at = |entry: &Entry| entry.row.edition.map(|edition| edition.cleaned_at);
        entries.sort_by_key(|entry| (at(entry).unwrap_or(entry.row.captured_at), entry.leaf));
    }
    Ok(entries)
}

/// Captures and editions of one document, in the order in which they were archived.
fn timeline(archive: &Archive, captures: Vec<CaptureRow>) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let Some(doc) = captures.first().map(|row| row.doc.clone()) else {
        return Ok(entries);
    };
    for edition in archive.editions(&doc)? {
        let of = captures.iter().find(|row| row.capture == edition.capture);
        entries.extend(of.map(|row| Entry {
            row: row.clone().in_edition(&edition),
            leaf: edition.id.leaf,
            change: "rules",
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
            change: row.change.as_str(),
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
