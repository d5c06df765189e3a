//! `Archive`: an archive for those who read it. They take no lock, and a writer may be at work meanwhile.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use crate::archive::bonds::Bonds;
use crate::archive::catalog::documents::{Listed, Place, Wanted};
use crate::archive::catalog::erasure::ErasedRow;
use crate::archive::catalog::{
    CaptureRow, Catalog, Counts, DocumentRow, EditionRow, Locations, MeasureRow, PinRow,
};
use crate::archive::log::reader::LogReader;
use crate::archive::metadata::{CaptureMetadata, Content, Event, MetadataBlock, Revision, RuleSet};
use crate::archive::pins::PinBook;
use crate::archive::recovery::{self, Finding, Recovery};
use crate::archive::segment::{self, Location};
use crate::archive::warc::{Record, RecordId};
use crate::archive::{Error, Manifest, mending, pins};
use crate::digest::Digest;
use crate::identity::{CaptureId, DocId, normalise_url};
use crate::moment;

mod leaf;

/// Between checkpoint and catalog transaction a writer needs some milliseconds; a reader waits so often for so long.
const PATIENCE: (u32, Duration) = (20, Duration::from_millis(10));

/// An archive, to be read.
#[derive(Debug)]
pub struct Archive {
    dir: PathBuf,
    manifest: Manifest,
    catalog: Catalog,
    recovery: Recovery,
}

/// The records of a capture as they stand in the archive, each proven by the digest of its block.
#[derive(Debug)]
pub struct CaptureRecords {
    /// The record with its raw bytes; another capture's, if those were archived before.
    pub raw: Vec<u8>,
    /// The record with its text; a duplicate has none of its own.
    pub text: Option<Vec<u8>>,
    /// Its metadata record.
    pub metadata: Vec<u8>,
}

/// Which version of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The one fetched last.
    Latest,
    /// The story version of this number.
    Version(u32),
    /// Of the story version of this number the edition of that number; the first is what was archived first.
    Edition(u32, u32),
    /// As it stood then, by fetch time.
    AsOf(Timestamp),
}

/// A text that selects no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "@{0} is neither a version number, `latest`, a date (2024-03-25) nor a time (2024-03-25T09:30:00Z)"
)]
pub struct BadSelector(String);

impl FromStr for Selector {
    type Err = BadSelector;

    /// What stands behind the `@` of a version.
    fn from_str(text: &str) -> Result<Selector, BadSelector> {
        if text == "latest" {
            return Ok(Selector::Latest);
        }
        if let Ok(version) = text.parse() {
            return Ok(Selector::Version(version));
        }
        // `3.1` is what was archived first of version 3, `3.2` what it was cleaned to later.
        if let Some((version, edition)) = text.split_once('.')
            && let (Ok(version), Ok(edition @ 1..)) = (version.parse(), edition.parse::<u32>())
        {
            return Ok(Selector::Edition(version, edition));
        }
        let time = moment::end(text).ok_or_else(|| BadSelector(text.to_owned()))?;
        Ok(Selector::AsOf(time))
    }
}

impl Archive {
    /// Opens the archive in `dir`. If its catalog is missing, damaged or behind the log, one is made in memory by the
    /// recovery that the writer begins with; see [`Archive::recovery`].
    pub fn open(dir: &Path) -> Result<Archive, Error> {
        let (manifest, lost) = mending::manifest(dir, Timestamp::now())?;
        let mut recovery = Recovery::default();
        let lost = lost.map(|error| Finding::ManifestLost(error.to_string()));
        recovery.findings.extend(lost);
        let catalog = open_catalog(dir, &mut recovery)?;
        Ok(Archive {
            dir: dir.to_owned(),
            manifest,
            catalog,
            recovery,
        })
    }

    /// The archive's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the archive says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What a person should know about how it was opened.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// All documents, those with the newest captures last.
    pub fn documents(&self) -> Result<Vec<DocumentRow>, Error> {
        self.catalog.documents()
    }

    /// The ids of the documents that follow `after` in the order of ids, so many at a time; none when there are no more.
    pub fn document_ids(&self, after: Option<&DocId>) -> Result<Vec<DocId>, Error> {
        self.catalog.docs_after(after.map_or("", |doc| &doc.0))
    }

    /// How many leaves the log has, as far as the catalog covers it.
    pub fn leaves(&self) -> Result<u64, Error> {
        Ok(self.catalog.high_water()?.leaves)
    }

    /// The captures among these leaves that brought a new version, in their order; so many at most.
    pub fn new_versions(&self, leaves: Range<u64>, max: u32) -> Result<Vec<CaptureRow>, Error> {
        self.catalog.new_versions(leaves, max)
    }

    /// The captures that brought a version and were cleaned again by one of these leaves.
    pub fn recleaned_versions(&self, leaves: Range<u64>) -> Result<Vec<CaptureRow>, Error> {
        self.catalog.recleaned_versions(leaves)
    }

    /// How much it holds.
    pub fn counts(&self) -> Result<Counts, Error> {
        self.catalog.counts()
    }

    /// What persons decided about spans of text and did not take back, in the order in which they did.
    pub fn pins(&self) -> Result<Vec<PinRow>, Error> {
        Ok(pins::standing(self.catalog.pins()?))
    }

    /// The pins that hold, for cleaning again what is archived.
    pub fn pin_book(&self) -> Result<PinBook, Error> {
        Ok(PinBook::new(self.catalog.pins()?))
    }

    /// How much cleaning took away from the captures archived last, the newest first.
    pub fn measures(&self, captures_max: u32) -> Result<Vec<MeasureRow>, Error> {
        self.catalog.measures(captures_max)
    }

    /// The document of that name: its id or the beginning of it, its address, or where it was found, `root/path` or `path`.
    pub fn find(&self, name: &str) -> Result<DocId, Error> {
        let is_id = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let by_prefix = || {
            if is_id {
                self.catalog.docs_by_prefix(name)
            } else {
                Ok(Vec::new())
            }
        };
        let by_url = || match normalise_url(name) {
            Some(url) => self.catalog.docs_by_name(&url),
            None => Ok(Vec::new()),
        };
        let by_name = || self.catalog.docs_by_name(name);
        let by_path = || self.catalog.docs_by_path(name);
        let ways: [&dyn Fn() -> Result<Vec<DocId>, Error>; 4] =
            [&by_url, &by_name, &by_path, &by_prefix];
        for way in ways {
            let mut candidates = way()?;
            match candidates.len() {
                0 => {}
                1 => return Ok(candidates.remove(0)),
                _ => {
                    return Err(Error::Ambiguous {
                        name: name.to_owned(),
                        candidates,
                    });
                }
            }
        }
        Err(Error::NoDocument(name.to_owned()))
    }

    /// Whether a document was erased, and when last; what was captured since is there.
    pub fn erased(&self, doc: &DocId) -> Result<Option<ErasedRow>, Error> {
        self.catalog.erased(doc)
    }

    /// The leaf that holds a document, if it is held.
    pub fn held(&self, doc: &DocId) -> Result<Option<u64>, Error> {
        self.catalog.held(doc)
    }

    /// The captures of a document in the order of archiving, as they were archived.
    pub fn captures(&self, doc: &DocId) -> Result<Vec<CaptureRow>, Error> {
        self.catalog.captures(doc)
    }

    /// Of these, by their numbers, those that are there.
    pub fn captures_within(
        &self,
        doc: &DocId,
        captures: Range<u32>,
    ) -> Result<Vec<CaptureRow>, Error> {
        self.catalog.captures_within(doc, captures)
    }

    /// The editions of these captures of a document, the latest of each capture last.
    pub fn editions_within(
        &self,
        doc: &DocId,
        captures: Range<u32>,
    ) -> Result<Vec<EditionRow>, Error> {
        self.catalog.editions_within(doc, captures)
    }

    /// How many captures and how many story versions a document has, those that are lost or erased counted.
    pub fn extent(&self, doc: &DocId) -> Result<(u32, u32), Error> {
        self.catalog.extent(doc)
    }

    /// The documents that are wanted, those fetched last first, from where a list before ended.
    pub fn list(
        &self,
        wanted: &Wanted,
        after: Option<&Place>,
        count: usize,
    ) -> Result<Listed, Error> {
        self.catalog.list_documents(wanted, after, count)
    }

    /// The capture of this leaf, if it is one's and is there.
    pub fn capture_of_leaf(&self, leaf: u64) -> Result<Option<CaptureRow>, Error> {
        self.catalog.capture_of_leaf(leaf)
    }

    /// How many documents there are.
    pub fn document_count(&self) -> Result<u64, Error> {
        self.catalog.document_count()
    }

    /// How many captures there are.
    pub fn capture_count(&self) -> Result<u64, Error> {
        self.catalog.capture_count()
    }

    /// The sources that documents are from, in the order of their names; so many at most.
    pub fn sources(&self, max: u32) -> Result<Vec<String>, Error> {
        self.catalog.sources(max)
    }

    /// The languages that documents are in, in the order of their names; so many at most.
    pub fn languages(&self, max: u32) -> Result<Vec<String>, Error> {
        self.catalog.languages(max)
    }

    /// The first leaf that tells of something at that time or later.
    pub fn leaf_at(&self, time: Timestamp) -> Result<u64, Error> {
        self.catalog.leaf_at(time)
    }

    /// The captures that brought a version, those archived last first, below this leaf; so many at most.
    pub fn newest_versions(&self, below: u64, max: u32) -> Result<Vec<CaptureRow>, Error> {
        self.catalog.newest_versions(below, max)
    }

    /// What persons said of documents being one or two.
    pub fn bonds(&self) -> Result<Bonds, Error> {
        self.catalog.bonds()
    }

    /// The editions of a document's captures, the latest of each capture last.
    pub fn editions(&self, doc: &DocId) -> Result<Vec<EditionRow>, Error> {
        self.catalog.editions(doc)
    }

    /// The story versions of a document, each as the capture of it that was fetched last, in its latest edition.
    pub fn versions(&self, doc: &DocId) -> Result<Vec<CaptureRow>, Error> {
        let newest = newest_of_each_version(self.captures(doc)?).into_iter();
        newest
            .map(|row| self.catalog.in_latest_edition(row))
            .collect()
    }

    /// Captures with content of their own whose leaf is `from` or comes later, in the order of archiving, each in its latest
    /// edition; at most `count`.
    pub fn contents(&self, from: u64, count: u32) -> Result<Vec<CaptureRow>, Error> {
        let rows = self.catalog.contents(from, count)?.into_iter();
        rows.map(|row| self.catalog.in_latest_edition(row))
            .collect()
    }

    /// A capture in its latest edition.
    pub fn latest_edition(&self, row: CaptureRow) -> Result<CaptureRow, Error> {
        self.catalog.in_latest_edition(row)
    }

    /// The rules of that name, if the archive has them.
    pub fn rule_set(&self, id: &str) -> Result<Option<RuleSet>, Error> {
        let Some((digest, at)) = self.catalog.rule_set(id)? else {
            return Ok(None);
        };
        let bytes = segment::read(&self.dir, at)?;
        let record = Record::parse(&bytes).ok();
        let block = record.filter(|record| Digest::of(record.block) == digest);
        let parsed = block.and_then(|record| MetadataBlock::<Content>::parse(record.block).ok());
        match parsed {
            Some(MetadataBlock::Event(event)) => match *event {
                Event::Rules(rules) => Ok(Some(rules)),
                _ => Ok(None),
            },
            _ => Err(Error::Record {
                doing: "read the rules",
                path: segment::path(&self.dir, at.segment),
                offset: at.offset,
                source: std::io::Error::other("the record is damaged"),
            }),
        }
    }

    /// The capture that shows the selected version, in its latest edition unless another is asked for.
    pub fn resolve(&self, doc: &DocId, selector: &Selector) -> Result<CaptureRow, Error> {
        // What stood last, or at a time, may be another document that is one with this.
        let group = match selector {
            Selector::Latest | Selector::AsOf(_) => self.bonds()?.group(doc),
            Selector::Version(_) | Selector::Edition(..) => vec![doc.clone()],
        };
        let captures = group.iter().map(|doc| self.captures(doc));
        let captures: Vec<_> = captures.collect::<Result<_, _>>()?;
        let captures = captures.into_iter().flatten();
        let editions = match selector {
            Selector::Edition(_, number) if *number > 1 => self.editions(doc)?,
            _ => Vec::new(),
        };
        let edition_of = |row: &CaptureRow, number: u32| {
            let of = row.content_of();
            let mut editions = editions.iter();
            editions.find(|e| (e.capture, e.id.number) == (of, number))
        };
        let selected = captures.filter(|c| match selector {
            Selector::Latest => true,
            Selector::Version(version) | Selector::Edition(version, 1) => c.version == *version,
            Selector::Edition(version, number) => {
                c.version == *version && edition_of(c, *number).is_some()
            }
            Selector::AsOf(time) => c.captured_at <= *time,
        });
        let latest = selected.max_by_key(|c| (c.captured_at, c.capture));
        if latest.is_none()
            && let Some(erased) = self.erased(doc)?
        {
            return Err(Error::Erased {
                doc: doc.clone(),
                leaf: erased.leaf,
                at: erased.at,
            });
        }
        let row = latest.ok_or_else(|| Error::NoVersion {
            doc: doc.clone(),
            asked: match selector {
                Selector::Latest => "at all".to_owned(),
                Selector::Version(version) => version.to_string(),
                Selector::Edition(version, number) => format!("{version}.{number}"),
                Selector::AsOf(time) => format!("as of {time}"),
            },
        })?;
        match selector {
            Selector::Edition(_, 1) => Ok(row),
            Selector::Edition(_, number) => Ok(match edition_of(&row, *number) {
                Some(edition) => row.in_edition(edition),
                None => row,
            }),
            _ => self.catalog.in_latest_edition(row),
        }
    }

    /// The raw bytes of a capture, proven by their digest.
    pub fn read_raw(&self, row: &CaptureRow) -> Result<Vec<u8>, Error> {
        let at = row.locations.raw;
        self.block(row, "the raw record", "resource", at, row.digests.raw)
    }

    /// The canonical text of a capture, proven by its digest.
    pub fn read_text(&self, row: &CaptureRow) -> Result<String, Error> {
        let what = "the text record";
        let at = row.locations.text;
        let block = self.block(row, what, "conversion", at, row.digests.text)?;
        String::from_utf8(block).map_err(|_| damaged(row, what, at, "it is not UTF-8"))
    }

    /// All that is known about a capture, proven by the digests that its leaf commits to.
    pub fn read_metadata(&self, row: &CaptureRow) -> Result<CaptureMetadata, Error> {
        let what = "the metadata record";
        let own = self.capture_block(row, row.locations.metadata, row.metadata_digest)?;
        let mut observation = own.observation;
        observation.digests = row.digests;
        let missing = |at, why: &str| damaged(row, what, at, why);
        let content = match (own.content, row.locations.content) {
            (_, Some((at, digest))) if row.edition.is_some() => {
                self.edition_content(row, at, digest)?
            }
            (Some(content), _) => content,
            (None, Some((at, digest))) => {
                let base = self.capture_block(row, at, digest)?;
                let content = base.content;
                content.ok_or_else(|| missing(Some(at), "it has no content"))?
            }
            (None, None) => {
                return Err(missing(None, "the capture that has its content is lost"));
            }
        };
        let text = self.read_text(row)?;
        content
            .restore(observation, text, self.revisions(row)?)
            .map_err(|error| damaged(row, what, Some(row.locations.metadata), &error.to_string()))
    }

    /// The block of a capture's own metadata record, JSON: the very bytes that its leaf commits to.
    pub fn read_metadata_block(&self, row: &CaptureRow) -> Result<Vec<u8>, Error> {
        let at = Some(row.locations.metadata);
        self.block(
            row,
            "the metadata record",
            "metadata",
            at,
            row.metadata_digest,
        )
    }

    /// The records of a capture.
    pub fn read_records(&self, row: &CaptureRow) -> Result<CaptureRecords, Error> {
        let Locations {
            raw,
            text,
            metadata,
            ..
        } = row.locations;
        let digests = &row.digests;
        let read = |what, kind, at, digest| self.record(row, what, kind, at, digest);
        Ok(CaptureRecords {
            raw: read("the raw record", "resource", raw, digests.raw)?,
            text: match row.same_as {
                Some(_) => None,
                None => Some(read("the text record", "conversion", text, digests.text)?),
            },
            metadata: read(
                "the metadata record",
                "metadata",
                Some(metadata),
                row.metadata_digest,
            )?,
        })
    }

    /// Of a capture in an edition other than the first, that edition's own records: its text and its metadata.
    pub fn read_edition_records(&self, row: &CaptureRow) -> Result<Vec<Vec<u8>>, Error> {
        let (Some(_), Some((at, digest))) = (row.edition, row.locations.content) else {
            return Ok(Vec::new());
        };
        let text = row.locations.text;
        let what = "the metadata record of an edition";
        Ok(vec![
            self.record(row, "the text record", "conversion", text, row.digests.text)?,
            self.record(row, what, "metadata", Some(at), digest)?,
        ])
    }

    fn capture_block(
        &self,
        row: &CaptureRow,
        at: Location,
        digest: Digest,
    ) -> Result<crate::archive::metadata::CaptureBlock<Content>, Error> {
        let what = "the metadata record";
        let block = self.block(row, what, "metadata", Some(at), digest)?;
        match MetadataBlock::<Content>::parse(&block) {
            Ok(MetadataBlock::Capture(block)) => Ok(*block),
            Ok(_) => Err(damaged(row, what, Some(at), "it is not a capture's")),
            Err(error) => Err(damaged(row, what, Some(at), &error.to_string())),
        }
    }

    fn edition_content(
        &self,
        row: &CaptureRow,
        at: Location,
        digest: Digest,
    ) -> Result<Content, Error> {
        let what = "the metadata record of an edition";
        let block = self.block(row, what, "metadata", Some(at), digest)?;
        match MetadataBlock::<Content>::parse(&block) {
            Ok(MetadataBlock::Edition(block)) => Ok(block.content),
            Ok(_) => Err(damaged(row, what, Some(at), "it is not an edition's")),
            Err(error) => Err(damaged(row, what, Some(at), &error.to_string())),
        }
    }

    /// The name of the record that holds a capture's raw bytes or says which other one does.
    pub fn raw_record_id(&self, row: &CaptureRow) -> Result<RecordId, Error> {
        let what = "the metadata record";
        let at = Some(row.locations.metadata);
        let bytes = self.record(row, what, "metadata", at, row.metadata_digest)?;
        let record = Record::parse(&bytes).ok();
        let id = record.and_then(|record| RecordId::parse(record.header("WARC-Refers-To")?));
        id.ok_or_else(|| damaged(row, what, at, "it does not say whose it is"))
    }

    fn revisions(&self, row: &CaptureRow) -> Result<Vec<Revision>, Error> {
        let id = CaptureId {
            doc: row.doc.clone(),
            capture: row.capture,
        };
        let what = "a revision of the metadata";
        let mut revisions = Vec::new();
        for (digest, at) in self.catalog.revisions(&id)? {
            let block = self.block(row, what, "metadata", Some(at), digest)?;
            let wrong = |why: &str| damaged(row, what, Some(at), why);
            let parsed = MetadataBlock::<Content>::parse(&block);
            match parsed.map_err(|error| wrong(&error.to_string()))? {
                MetadataBlock::Event(event) => match *event {
                    Event::Revision(revision) => revisions.push(revision),
                    _ => return Err(wrong("it is not a revision's")),
                },
                _ => return Err(wrong("it is not a revision's")),
            }
        }
        Ok(revisions)
    }

    /// The block of a record of `row`, which must be of this type and have this digest.
    fn block(
        &self,
        row: &CaptureRow,
        what: &'static str,
        kind: &str,
        at: Option<Location>,
        digest: Digest,
    ) -> Result<Vec<u8>, Error> {
        let mut bytes = self.record(row, what, kind, at, digest)?;
        let length = Record::parse(&bytes).map_or(0, |record| record.block.len());
        // The block is what stands before the record's four last bytes.
        bytes.truncate(bytes.len() - crate::archive::warc::END_BYTES);
        bytes.drain(..bytes.len() - length);
        Ok(bytes)
    }

    /// Where a record of `row` is by now.
    fn place_now(
        &self,
        row: &CaptureRow,
        kind: &str,
        digest: &Digest,
    ) -> Result<Option<Location>, Error> {
        let catalog = open_catalog(&self.dir, &mut Recovery::default())?;
        match kind {
            "resource" => catalog.raw(digest),
            "conversion" => catalog.text_at(row.edition.map_or(row.leaf, |edition| edition.leaf)),
            _ => catalog.place_of(&row.doc, digest),
        }
    }

    /// A record of `row`, which must be of this type and have a block of this digest.
    fn record(
        &self,
        row: &CaptureRow,
        what: &'static str,
        kind: &str,
        at: Option<Location>,
        digest: Digest,
    ) -> Result<Vec<u8>, Error> {
        let place = at.ok_or_else(|| damaged(row, what, None, "no segment has it"))?;
        let wrong = |why: &str| damaged(row, what, at, why);
        let bytes = match segment::read(&self.dir, place) {
            // Since the catalog was asked the segment may have been sealed.
            Err(error) if is_gone(&error) => match self.place_now(row, kind, &digest)? {
                Some(now) if now != place => segment::read(&self.dir, now)?,
                _ => return Err(error),
            },
            read => read?,
        };
        let record = Record::parse(&bytes).map_err(|error| wrong(&error.to_string()))?;
        if record.kind() != kind {
            return Err(wrong("another record is there"));
        }
        if Digest::of(record.block) != digest {
            return Err(wrong("its digest is not the archived one"));
        }
        Ok(bytes)
    }
}

/// Whether there is no such segment.
fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Record { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
}

/// The story versions among the captures of a document, each as the capture of it that was fetched last.
pub fn newest_of_each_version(mut captures: Vec<CaptureRow>) -> Vec<CaptureRow> {
    captures.sort_by_key(|c| (c.version, std::cmp::Reverse((c.captured_at, c.capture))));
    captures.dedup_by_key(|c| c.version);
    captures
}

fn damaged(row: &CaptureRow, what: &'static str, at: Option<Location>, why: &str) -> Error {
    Error::Damaged {
        what,
        doc: row.doc.clone(),
        capture: row.capture,
        place: at.map(|at| at.to_string()),
        why: why.to_owned(),
    }
}

/// The catalog as it is, if it is up to the log; else one in memory that is.
fn open_catalog(dir: &Path, recovery: &mut Recovery) -> Result<Catalog, Error> {
    let log_dir = dir.join("log");
    let log = LogReader::open(&log_dir);
    let on_disk = Catalog::open_to_read(dir);
    let log = match (log, on_disk.is_ok()) {
        (Ok(log), _) => log,
        // What is archived can be read without proof.
        (Err(error), true) => {
            let finding = Finding::LogUnreadable(error.to_string());
            recovery.findings.push(finding);
            return on_disk;
        }
        (Err(error), false) => return Err(error.into()),
    };
    let usable = on_disk.and_then(|catalog| catch_up(dir, catalog, &log, recovery));
    let why = match usable {
        Ok(Ok(catalog)) => return Ok(catalog),
        Ok(Err(why)) => why,
        Err(error @ Error::Catalog { .. }) => error.to_string(),
        Err(Error::Io { .. }) => "it is missing or cannot be opened".to_owned(),
        // The checkpoint can be read and the entries cannot: see above.
        Err(error @ (Error::Log(_) | Error::UnknownLeaf { .. })) => {
            let finding = Finding::LogUnreadable(error.to_string());
            recovery.findings.push(finding);
            return Catalog::open_to_read(dir);
        }
        Err(error) => return Err(error),
    };
    let catalog = Catalog::in_memory()?;
    recovery::replay(dir, &catalog, &log, recovery)?;
    // Before the first commit there is none.
    if log.checkpoint().size > 0 {
        recovery.findings.push(Finding::CatalogRebuilt {
            why,
            set_aside: None,
        });
    }
    Ok(catalog)
}

/// The catalog, once it covers what `log` had when it was opened: at once, or when the writer that is at it has finished, or
/// brought there in memory if nobody is at it. If it cannot be used, why.
fn catch_up(
    dir: &Path,
    catalog: Catalog,
    log: &LogReader,
    recovery: &mut Recovery,
) -> Result<Result<Catalog, String>, Error> {
    let (times, pause) = PATIENCE;
    let mut covered = catalog.high_water()?.leaves;
    for _ in 0..times {
        if covered >= log.checkpoint().size {
            break;
        }
        std::thread::sleep(pause);
        covered = catalog.high_water()?.leaves;
    }
    // Read again, and now: the catalog may be further than the log was at first, but never than it is.
    let now = LogReader::open(&dir.join("log"))?;
    if let Err(why) = recovery::belongs(dir, &catalog, covered, &now)? {
        return Ok(Err(why));
    }
    if covered >= log.checkpoint().size {
        return Ok(Ok(catalog));
    }
    let copy = catalog.to_memory()?;
    // Once more, for the same reason.
    let now = LogReader::open(&dir.join("log"))?;
    recovery::replay(dir, &copy, &now, recovery)?;
    Ok(Ok(copy))
}
