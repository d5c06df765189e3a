//! `reclean`: what is archived, cleaned again by the rules and the pins of today.
//!
//! Nothing that is archived changes: what becomes otherwise is a new edition of its capture, beside the old ones. The batches
//! in which it goes are each whole or not there, and a batch begins where the one before ended: whoever is killed goes on, or
//! begins again and finds done what is done.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::archive;
use crate::archive::capture::{EditionDraft, PreparedEdition, prepare_edition};
use crate::archive::catalog::CaptureRow;
use crate::archive::metadata::{CaptureMetadata, Edition, RuleSet};
use crate::archive::pins::PinBook;
use crate::archive::reader::Archive;
use crate::article::Quality;
use crate::clean::rules::Rules;
use crate::clean::shadow::compare;
use crate::clean::{Cleaned, clean_pinned};
use crate::decode::{self, decode};
use crate::document::Document;
use crate::ingest::guarded;
use crate::pin::source_names;
use crate::pipeline::chain;
use crate::submission::Reason;
use jiff::Timestamp;

/// By what is cleaned.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// The rules.
    pub rules: &'a Rules,
    /// What persons decided.
    pub pins: &'a PinBook,
}

/// A capture that cleaning makes something else of than is archived.
#[derive(Debug)]
pub struct Recleaned {
    /// The capture in its latest edition.
    pub row: CaptureRow,
    /// What is archived.
    pub before: CaptureMetadata,
    /// The decoded input.
    pub document: Document,
    /// What cleaning makes of it now.
    pub after: Cleaned,
}

/// A capture could not be cleaned again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive cannot give it.
    #[error("cannot read capture {capture} of document {doc}")]
    Archive {
        /// The document.
        doc: String,
        /// The capture.
        capture: u32,
        /// Why.
        source: Box<archive::Error>,
    },
    /// It was decoded once and cannot be now.
    #[error("cannot decode capture {capture} of document {doc} again")]
    Decode {
        /// The document.
        doc: String,
        /// The capture.
        capture: u32,
        /// Why.
        source: Box<Reason>,
    },
}

/// The archive keeps the raw bytes; the decoded input is made again.
pub fn decode_again(
    archive: &Archive,
    row: &CaptureRow,
    metadata: &CaptureMetadata,
) -> Result<Document, Error> {
    let raw = archive.read_raw(row).map_err(|e| unreadable(row, e))?;
    // As deep as then, whatever the limit is now.
    let was_flat = metadata.article.quality.contains(&Quality::TooDeep);
    let options = decode::Options {
        bytes_max: usize::MAX,
        depth_max: if was_flat { 0 } else { usize::MAX },
    };
    let observation = &metadata.observation;
    let path = &observation.source.path;
    decode(path, &raw, &observation.declared, &options).map_err(|source| Error::Decode {
        doc: row.doc.to_string(),
        capture: row.capture,
        source: source.into(),
    })
}

fn unreadable(row: &CaptureRow, source: archive::Error) -> Error {
    Error::Archive {
        doc: row.doc.to_string(),
        capture: row.capture,
        source: source.into(),
    }
}

/// Cleans a capture again, given in its latest edition; `None` if that gives what is archived.
pub fn again(archive: &Archive, row: &CaptureRow, by: By<'_>) -> Result<Option<Recleaned>, Error> {
    let before = archive.read_metadata(row).map_err(|e| unreadable(row, e))?;
    let document = decode_again(archive, row, &before)?;
    let observation = &before.observation;
    let source = observation.declared.source.as_deref();
    let names = source_names(&observation.identity, &observation.source.root, source);
    let pins = by.pins.of(&row.doc, &names);
    let what = format!("cleaning capture {} of {} again", row.capture, row.doc);
    let cleaned = guarded(&what, || clean_pinned(&document, by.rules, &pins));
    let after = cleaned.map_err(|source| Error::Decode {
        doc: row.doc.to_string(),
        capture: row.capture,
        source: source.into(),
    })?;
    let is_same = after.article == before.article
        && compare(document.input(), &before.ledger, &after.ledger).is_empty();
    Ok((!is_same).then(|| Recleaned {
        row: row.clone(),
        before,
        document,
        after,
    }))
}

impl Recleaned {
    /// Whether the story becomes another one, and not only what stands beside it.
    pub fn changes_story(&self) -> bool {
        self.after.article.story_digest() != self.row.digests.story
    }

    /// So many bytes of the text are lost: those of the lines that the new text has not.
    pub fn bytes_lost(&self) -> usize {
        let kept: std::collections::HashSet<&str> = self.after.article.text.lines().collect();
        let lines = self.before.article.text.lines();
        let lost = lines.filter(|line| !kept.contains(line));
        lost.map(str::len).sum()
    }

    /// The edition that it becomes.
    pub fn prepare(
        self,
        archive: &Archive,
        rules: &str,
        now: Timestamp,
    ) -> Result<PreparedEdition, Error> {
        let Recleaned {
            row, before, after, ..
        } = self;
        let raw_id = archive
            .raw_record_id(&row)
            .map_err(|e| unreadable(&row, e))?;
        Ok(prepare_edition(EditionDraft {
            edition: Edition {
                capture: row.capture,
                edition: row.edition_number() + 1,
                cleaned_at: now,
                digests: after.article.digests(row.digests.raw),
            },
            doc: row.doc,
            observation: before.observation,
            raw_id,
            article: after.article,
            ledger: after.ledger,
            decoding: before.decoding,
            rules: rules.to_owned(),
        }))
    }
}

/// The rules, whole, as an archive keeps them.
pub fn rule_set(rules: &Rules, now: Timestamp) -> RuleSet {
    RuleSet {
        id: rules.id().to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        packs: rules.texts().to_vec(),
        first_used_at: now,
    }
}

/// What became of a batch, and the JSON of the command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// So many captures were cleaned again.
    pub looked_at: u64,
    /// So many become another story.
    pub story: u64,
    /// So many become other only beside their story: footers, metadata, the account of what was removed.
    pub furniture: u64,
    /// What could not be cleaned again, and why.
    pub failed: Vec<String>,
    /// The leaf at which the next batch begins; `None` at the end.
    pub next: Option<u64>,
}

impl Tally {
    /// Adds what became of another batch.
    pub fn add(&mut self, batch: Tally) {
        self.looked_at += batch.looked_at;
        self.story += batch.story;
        self.furniture += batch.furniture;
        self.failed.extend(batch.failed);
        self.next = batch.next;
    }
}

/// So many captures are cleaned again in one batch: few, since intake waits for a batch's commit.
const BATCH_CAPTURES: u32 = 64;

/// Cleans the captures from leaf `from` on again, a batch of them, and hands each that becomes otherwise to `take`.
pub fn batch(
    archive: &Archive,
    by: By<'_>,
    from: u64,
    mut take: impl FnMut(Recleaned),
) -> Result<Tally, archive::Error> {
    let rows = archive.contents(from, BATCH_CAPTURES)?;
    let mut tally = Tally {
        next: rows.last().map(|row| row.leaf + 1),
        ..Tally::default()
    };
    for row in &rows {
        tally.looked_at += 1;
        match again(archive, row, by) {
            Ok(None) => {}
            Ok(Some(recleaned)) => {
                match recleaned.changes_story() {
                    true => tally.story += 1,
                    false => tally.furniture += 1,
                }
                take(recleaned);
            }
            Err(error) => tally.failed.push(chain(&error)),
        }
    }
    Ok(tally)
}

/// Cleans a batch again; what becomes otherwise is ready to be archived.
pub fn prepared_batch(
    archive: &Archive,
    by: By<'_>,
    from: u64,
    now: Timestamp,
) -> Result<(Tally, Vec<PreparedEdition>), archive::Error> {
    let mut editions = Vec::new();
    let mut failed = Vec::new();
    let mut tally = batch(archive, by, from, |recleaned| {
        match recleaned.prepare(archive, by.rules.id(), now) {
            Ok(edition) => editions.push(edition),
            Err(error) => failed.push(chain(&error)),
        }
    })?;
    tally.failed.extend(failed);
    Ok((tally, editions))
}

/// Cleans a batch again by `rules`, or by those of a name that the archive keeps, and hands what becomes otherwise to
/// `commit`. An error is for people.
pub fn batch_by<T>(
    dir: &Path,
    rules: &Rules,
    name: Option<&str>,
    from: u64,
    commit: impl FnOnce(Vec<PreparedEdition>) -> Result<T, String>,
) -> Result<Tally, String> {
    let told = |error: &dyn std::error::Error| chain(error);
    let archive = Archive::open(dir).map_err(|e| told(&e))?;
    let pins = archive.pin_book().map_err(|e| told(&e))?;
    let kept = name.map(|name| kept_rules(&archive, name)).transpose()?;
    let by = By {
        rules: kept.as_ref().unwrap_or(rules),
        pins: &pins,
    };
    let batch = prepared_batch(&archive, by, from, Timestamp::now());
    let (tally, editions) = batch.map_err(|e| told(&e))?;
    if !editions.is_empty() {
        commit(editions)?;
    }
    Ok(tally)
}

/// The rules of a name that the archive keeps. An error is for people.
pub fn kept_rules(archive: &Archive, name: &str) -> Result<Rules, String> {
    let kept = archive.rule_set(name).map_err(|error| chain(&error))?;
    let kept = kept.ok_or_else(|| {
        format!("the archive keeps no rules called {name}; `faircopy log DOC --json` names those that cleaned a document")
    })?;
    Rules::restore(&kept.id, &kept.packs).map_err(|error| {
        let (error, program) = (chain(&error), &kept.program);
        format!("{error}; version {program} of faircopy used them")
    })
}
