//! Recovery: brings the catalog up to the log. At start it does so from the catalog's high-water mark, after the catalog's
//! loss from zero, for a reader in memory; it is one path.
//!
//! The log says which captures there are; the segments are read forward, and each metadata record whose block a leaf
//! commits to gives that leaf its places. What stands behind the record of the last leaf was never committed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::archive::catalog::{Announced, Catalog, ContentRow, HighWater, NewCapture};
use crate::archive::leaf::{Leaf, LeafKind};
use crate::archive::log::note::Checkpoint;
use crate::archive::log::reader::LogReader;
use crate::archive::metadata::{MetadataBlock, Summary};
use crate::archive::segment::{
    self, Found, Location, Position, SegmentId, SegmentReader, SegmentWriter,
};
use crate::archive::warc::Record;
use crate::archive::{Error, Paths, rotation};
use crate::digest::Digest;
use crate::durable;
use crate::identity::DocId;

/// What was done, and found, when an archive was opened.
#[derive(Debug, Default)]
pub struct Recovery {
    /// So many leaves were new to the catalog.
    pub leaves_replayed: u64,
    /// What a person should know of.
    pub findings: Vec<Finding>,
}

/// Something that a person should know of. Nothing of it stops the archive.
#[derive(Debug, thiserror::Error)]
pub enum Finding {
    /// The catalog was made anew.
    #[error(
        "the catalog was made anew from log and segments, because {why}{}",
        set_aside_text(set_aside)
    )]
    CatalogRebuilt {
        /// What was wrong with it.
        why: String,
        /// Where the old one is.
        set_aside: Option<PathBuf>,
    },
    /// Bytes of an interrupted commit were cut off.
    #[error("{bytes} bytes that an interrupted commit left at offset {offset} of segment {} were cut off", path.display())]
    TailCut {
        /// The segment.
        path: PathBuf,
        /// Where they began.
        offset: u64,
        /// How many they were.
        bytes: u64,
    },
    /// There was no last checkpoint to compare the log with.
    #[error("{} is missing, so that a restored older copy of the archive would not be known as one; it was written anew", path.display())]
    NoLastCheckpoint {
        /// Where it should be.
        path: PathBuf,
    },
    /// Bytes among the records are none.
    #[error("{bytes} bytes at offset {offset} of segment {} are no record: {reason}; `faircopy check --read-data` tells what is lost by that", path.display())]
    Unreadable {
        /// The segment.
        path: PathBuf,
        /// Where they begin.
        offset: u64,
        /// How many they are.
        bytes: u64,
        /// What is wrong with them.
        reason: String,
    },
    /// A segment ends before its records do.
    #[error("segment {} is missing or ends before offset {end}, where its last committed record ends; writing goes on in a new segment; restore this one from a backup", path.display())]
    SegmentShort {
        /// The segment.
        path: PathBuf,
        /// Where it should end at the earliest.
        end: u64,
    },
    /// A leaf's metadata record was not found.
    #[error(
        "{} document {doc} (leaf {leaf}) is lost: no segment has its metadata record; restore the segment that had it from a backup",
        lost_text(*kind, *capture)
    )]
    Lost {
        /// The leaf's index.
        leaf: u64,
        /// The document.
        doc: DocId,
        /// What the leaf tells of.
        kind: LeafKind,
        /// The capture, if the leaf is about one.
        capture: Option<u32>,
    },
    /// The manifest is lost.
    #[error("archive.json cannot be used ({0}); what it said follows from the log")]
    ManifestLost(String),
    /// The checkpoint or entries were made again.
    #[error("{} was damaged and was made again; what it was is proven by the copy of the checkpoint and the tree's hashes", path.display())]
    LogMended {
        /// The file.
        path: PathBuf,
    },
    /// Files of the log were made anew from its entries.
    #[error("{} of the log was missing or damaged and was made anew from the entries", path.display())]
    TileRepaired {
        /// The file.
        path: PathBuf,
    },
    /// The log cannot be read; reading goes on by the catalog alone.
    #[error(
        "the log cannot be read, so that nothing can be proven: {0}; `faircopy check` tells what to restore"
    )]
    LogUnreadable(String),
}

fn set_aside_text(path: &Option<PathBuf>) -> String {
    path.as_ref()
        .map(|path| format!("; the old one is {}", path.display()))
        .unwrap_or_default()
}

fn lost_text(kind: LeafKind, capture: Option<u32>) -> String {
    match (kind, capture) {
        (LeafKind::Capture, Some(capture)) => format!("capture {capture} of"),
        (_, Some(capture)) => format!("a {kind} of capture {capture} of"),
        (_, None) => format!("a {kind} of"),
    }
}

/// The note in a file outside of the archive; `None` if there is none.
pub(crate) fn read_note(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(note) => Ok(Some(note)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::io("read the checkpoint", path, source)),
    }
}

/// Remembers a checkpoint outside of the archive.
pub(super) fn write_last_checkpoint(paths: &Paths, checkpoint: &Checkpoint) -> Result<(), Error> {
    let path = paths.last_checkpoint();
    let doing = "write the last checkpoint";
    durable::replace(&path, checkpoint.note.as_bytes(), super::MODE)
        .map_err(|source| Error::io(doing, &path, source))
}

/// Refuses a log that is shorter or other than this machine has seen it. Says whether there was anything to compare with.
pub(super) fn check_history(paths: &Paths, log: &LogReader) -> Result<bool, Error> {
    let path = paths.last_checkpoint();
    check_continues(&paths.dir, log, read_note(&path)?, &path)
}

/// Refuses a log, of the archive in `dir`, that is no continuation of the checkpoint that was found at `witness`. Says whether
/// there was one.
pub(crate) fn check_continues(
    dir: &Path,
    log: &LogReader,
    note: Option<String>,
    witness: &Path,
) -> Result<bool, Error> {
    let Some(note) = note else {
        return Ok(false);
    };
    let now = log.checkpoint();
    if note == now.note {
        return Ok(true);
    }
    let (dir, witness) = (dir.to_owned(), witness.to_owned());
    let keys = rotation::keys_until(&dir.join("log"), log.verifier());
    let Ok(last) = Checkpoint::verify_by_any(&note, &keys) else {
        return Err(Error::StateInUse { path: witness });
    };
    if last.size > now.size {
        return Err(Error::LogShrunk {
            dir,
            size: now.size,
            seen: last.size,
            witness,
        });
    }
    if log.prove_consistency(last.size)?.0 != last.root {
        return Err(Error::LogForked {
            dir,
            seen: last.size,
            witness,
        });
    }
    Ok(true)
}

/// Whether a catalog that covers so many leaves covers a beginning of this very log, and so can be brought further. A log
/// that is written meanwhile must have been opened after the catalog was asked.
pub(super) fn belongs(
    archive: &Path,
    catalog: &Catalog,
    covered: u64,
    log: &LogReader,
) -> Result<Result<(), String>, Error> {
    let size = log.checkpoint().size;
    if covered > size {
        let why = format!("it covers {covered} leaves and the log has {size}");
        return Ok(Err(why));
    }
    // Writing goes on at that end, and what lies behind it is cut off.
    if !catalog.is_end_known()? {
        let why = "where it says that the records end, no record ends";
        return Ok(Err(why.to_owned()));
    }
    if covered == 0 {
        return Ok(Ok(()));
    }
    if let Some(why) = was_left_behind(archive, catalog)? {
        return Ok(Err(why));
    }
    let last = parse_leaf(log, covered - 1, &log.entry(covered - 1)?)?;
    Ok(
        if catalog.metadata_of_leaf(covered - 1)? == Some(last.metadata) {
            Ok(())
        } else {
            Err("it is the catalog of another log".to_owned())
        },
    )
}

/// Whether records were moved after the catalog was written, as if it came out of a backup: segments that it knows are gone,
/// and a sealed one that it does not know is there.
fn was_left_behind(archive: &Path, catalog: &Catalog) -> Result<Option<String>, Error> {
    // In this order: a writer tells the catalog before it deletes.
    let there = segment::list(archive)?;
    let known = catalog.segments()?;
    let is_unknown = |one: &&SegmentId| matches!(one, SegmentId::Sealed(_)) && !known.contains(one);
    let unknown = there.iter().find(is_unknown);
    let gone = known.iter().find(|one| !there.contains(one));
    Ok(match (gone, unknown) {
        (Some(gone), Some(unknown)) => Some(format!(
            "it knows {gone}, which is gone, and does not know {unknown}"
        )),
        _ => None,
    })
}

fn parse_leaf(log: &LogReader, index: u64, entry: &[u8]) -> Result<Leaf, Error> {
    Leaf::parse(entry).ok_or_else(|| Error::UnknownLeaf {
        origin: log.checkpoint().origin.clone(),
        index,
    })
}

/// Makes the catalog of the archive in `dir`, which has none and which nobody writes to.
pub(crate) fn make_catalog(dir: &Path) -> Result<Recovery, Error> {
    let mut recovery = Recovery::default();
    let log = LogReader::open(&dir.join("log"))?;
    replay(dir, &Catalog::open(dir, false)?, &log, &mut recovery)?;
    Ok(recovery)
}

/// Brings `catalog` from wherever it stands up to the checkpoint of `log`. Reads only.
pub(super) fn replay(
    archive: &Path,
    catalog: &Catalog,
    log: &LogReader,
    recovery: &mut Recovery,
) -> Result<(), Error> {
    let from = catalog.high_water()?;
    let size = log.checkpoint().size;
    let segments = segment::list(archive)?;
    if segments.is_empty() && size > 0 {
        return Err(Error::NoSegments {
            dir: archive.to_owned(),
            leaves: size,
        });
    }
    let is_short = short_of(archive, from.end, recovery)?;
    if from.leaves == size && !is_short {
        return Ok(());
    }
    catalog.begin()?;
    for (index, entry) in (from.leaves..size).zip(log.entries(from.leaves..size)) {
        catalog.announce(index, &parse_leaf(log, index, &entry?)?)?;
    }
    let mut scan = Scan {
        archive,
        catalog,
        wanted: size - from.leaves,
        last: None,
        raw: None,
        text: None,
    };
    let known = catalog.segments()?;
    for &segment in &segments {
        let offset = match segment == from.end.segment {
            true => from.end.offset,
            false => 0,
        };
        let is_new = match segment {
            SegmentId::Hot(_) => segment >= from.end.segment,
            SegmentId::Sealed(_) => !known.contains(&segment),
        };
        if is_new {
            scan.segment(Position { segment, offset }, recovery)?;
        }
    }
    recovery.leaves_replayed += size - from.leaves;
    let lost = catalog.lost(from.leaves)?.into_iter();
    recovery.findings.extend(lost.map(|lost| Finding::Lost {
        leaf: lost.leaf,
        doc: lost.doc,
        kind: lost.kind,
        capture: lost.capture,
    }));
    let end = match scan.last {
        Some((leaf, end)) if leaf + 1 == size => match end.segment {
            SegmentId::Hot(_) => end,
            // Whatever hot segment was begun after that has a higher number, and nothing in it was committed.
            SegmentId::Sealed(_) => after(
                segments
                    .iter()
                    .filter(|s| matches!(s, SegmentId::Sealed(_))),
            ),
        },
        // Where the records of the last leaf end is not known: nothing is cut, and writing goes on in a new segment.
        _ => after(&segments),
    };
    catalog.set_high_water(HighWater { leaves: size, end })?;
    catalog.commit()
}

/// The start of the hot segment that comes after all of these.
fn after<'a>(segments: impl IntoIterator<Item = &'a SegmentId>) -> Position {
    let segments: Vec<SegmentId> = segments.into_iter().copied().collect();
    Position {
        segment: SegmentId::Hot(segment::next_number(&segments)),
        offset: 0,
    }
}

/// Whether the segment in which the committed records end is shorter than they are.
fn short_of(archive: &Path, end: Position, recovery: &mut Recovery) -> Result<bool, Error> {
    let path = segment::path(archive, end.segment);
    let length = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(source) => return Err(Error::io("examine segment", &path, source)),
    };
    if length >= end.offset {
        return Ok(false);
    }
    let end = end.offset;
    recovery.findings.push(Finding::SegmentShort { path, end });
    Ok(true)
}

/// Segments being read forward; what was seen of the capture whose metadata record is still to come.
struct Scan<'a> {
    archive: &'a Path,
    catalog: &'a Catalog,
    /// So many announced leaves are not found yet.
    wanted: u64,
    /// The last leaf of those that were found, and where its record ends.
    last: Option<(u64, Position)>,
    raw: Option<(Digest, Location)>,
    text: Option<Location>,
}

impl Scan<'_> {
    fn segment(&mut self, from: Position, recovery: &mut Recovery) -> Result<(), Error> {
        if self.wanted == 0 {
            return Ok(());
        }
        for found in SegmentReader::open(self.archive, from)? {
            match found? {
                Found::Record { location, bytes } => self.record(location, &bytes, recovery)?,
                Found::Damaged { at, length, reason } => {
                    recovery.findings.push(Finding::Unreadable {
                        path: segment::path(self.archive, at.segment),
                        offset: at.offset,
                        bytes: length,
                        reason,
                    });
                }
            }
            if self.wanted == 0 {
                break;
            }
        }
        Ok(())
    }

    fn record(
        &mut self,
        location: Location,
        bytes: &[u8],
        recovery: &mut Recovery,
    ) -> Result<(), Error> {
        let Ok(record) = Record::parse(bytes) else {
            return Ok(());
        };
        match record.kind() {
            "resource" => {
                let digest = record.digest("WARC-Payload-Digest");
                self.raw = digest.map(|digest| (digest, location));
                self.text = None;
            }
            "revisit" => (self.raw, self.text) = (None, None),
            "conversion" => self.text = Some(location),
            "metadata" => {
                let announced = self.catalog.announced(&Digest::of(record.block))?;
                let (raw, text) = (self.raw.take(), self.text.take());
                if let Some(leaf) = announced {
                    self.leaf(&leaf, record.block, location, raw, text, recovery)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn leaf(
        &mut self,
        leaf: &Announced,
        block: &[u8],
        metadata: Location,
        raw: Option<(Digest, Location)>,
        text: Option<Location>,
        recovery: &mut Recovery,
    ) -> Result<(), Error> {
        self.wanted -= 1;
        if self.last.is_none_or(|(last, _)| last < leaf.leaf) {
            self.last = Some((leaf.leaf, metadata.end()));
        }
        self.catalog.add_segment(metadata.segment)?;
        let digest = Digest::of(block);
        match MetadataBlock::<Summary>::parse(block) {
            Ok(MetadataBlock::Capture(block)) => {
                let content = block.content.as_ref();
                let flags = content.and_then(|content| content.article.flags());
                let new = NewCapture {
                    observation: &block.observation,
                    content: content.map(|c| ContentRow {
                        title: c.article.title.as_deref(),
                        language: c.article.language.as_deref(),
                        flags: flags.as_deref(),
                        rules: &c.rules,
                        measure: c.measure(),
                    }),
                    same_as: block.same_as,
                    text,
                    metadata,
                };
                self.catalog.fill_capture(leaf.leaf, &new)?;
                // A duplicate may have come before what it has its content from.
                self.catalog.list_again(&leaf.doc)?;
                self.catalog.add_names(&leaf.doc, &block.observation)?;
                match raw {
                    Some((digest, at)) => self.catalog.put_raw(&digest, at),
                    None => Ok(()),
                }
            }
            Ok(MetadataBlock::Edition(block)) => {
                let flags = block.content.article.flags();
                let content = ContentRow {
                    title: block.content.article.title.as_deref(),
                    language: block.content.article.language.as_deref(),
                    flags: flags.as_deref(),
                    rules: &block.content.rules,
                    measure: None,
                };
                let (edition, metadata) = (&block.edition, (metadata, digest));
                self.catalog
                    .fill_edition(leaf.leaf, &leaf.doc, edition, &content, text, metadata)
            }
            Ok(MetadataBlock::Event(event)) => self
                .catalog
                .fill_event(leaf.leaf, &leaf.doc, &event, metadata),
            // The digest is right: a newer program wrote it. The capture counts as lost to this one.
            Err(error) => {
                recovery.findings.push(Finding::Unreadable {
                    path: segment::path(self.archive, metadata.segment),
                    offset: metadata.offset,
                    bytes: metadata.length,
                    reason: error.to_string(),
                });
                Ok(())
            }
        }
    }
}

/// Cuts off what an interrupted commit left behind the committed end. Without a checkpoint that vouches for the log
/// (`witnessed`) the bytes are first copied into the state folder: should the log be an older copy, they are committed records.
pub(super) fn cut_tails(
    paths: &Paths,
    end: Position,
    witnessed: bool,
    recovery: &mut Recovery,
) -> Result<(), Error> {
    let segments = segment::list(&paths.dir)?.into_iter();
    for number in segments.filter(|n| *n >= end.segment) {
        let is_last = number == end.segment;
        let end = Position {
            segment: number,
            offset: if is_last { end.offset } else { 0 },
        };
        cut(paths, end, witnessed, recovery)?;
        if !is_last {
            let path = segment::path(&paths.dir, number);
            fs::remove_file(&path)
                .and_then(|()| durable::sync_folder(durable::folder_of(&path)))
                .map_err(|source| Error::io("remove the uncommitted segment", &path, source))?;
        }
    }
    Ok(())
}

fn cut(
    paths: &Paths,
    end: Position,
    witnessed: bool,
    recovery: &mut Recovery,
) -> Result<(), Error> {
    let writer = SegmentWriter::open(&paths.dir, end)?;
    if writer.tail_bytes()? > 0 && !witnessed {
        let file = segment::file_name(end.segment.number());
        let name = format!("cut-{file}-{}", end.offset);
        segment::copy_tail(&paths.dir, end, &paths.state.join(name))?;
    }
    let bytes = writer.cut()?;
    if bytes > 0 {
        recovery.findings.push(Finding::TailCut {
            path: writer.path().to_owned(),
            offset: end.offset,
            bytes,
        });
    }
    Ok(())
}
