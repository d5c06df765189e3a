//! `Plan`: which records of the damaged archive go into the new one. Nothing is written.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::de::IgnoredAny;

use crate::archive::Error;
use crate::archive::metadata::{MetadataBlock, Observation};
use crate::archive::segment::{self, Found, Location, Position, SegmentId, SegmentReader};
use crate::archive::warc::{Record, RecordId, RecordWriter};
use crate::digest::Digest;

use super::Telling;

/// Which records are kept.
pub(super) struct Plan {
    /// The segments that there are, each with what is kept of it, in its order.
    pub(super) segments: Vec<(SegmentId, Vec<Kept>)>,
    /// Sound raw bytes and texts that belong to no capture any more.
    pub(super) orphans: Vec<(Location, Digest, &'static str)>,
}

/// A record that is kept.
pub(super) struct Kept {
    /// Where it is.
    pub(super) at: Location,
    /// What it becomes, if it does not stay as it is.
    pub(super) becomes: Option<Vec<u8>>,
}

/// A record whose metadata record has not come so far.
struct Pending {
    at: Location,
    kind: Kind,
    digest: Digest,
    id: String,
    /// The record that it refers to.
    target: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Raw,
    Revisit,
    Text,
}

/// A plan in the making.
struct Planner<'a, 'b> {
    archive: &'a Path,
    leaves: HashMap<Digest, u64>,
    is_whole: bool,
    telling: &'a mut Telling<'b>,
    /// What is kept of the segment at hand.
    kept: Vec<Kept>,
    pending: Vec<Pending>,
    orphans: Vec<Pending>,
    /// Kept records with raw bytes: where, and how they are called.
    raws: HashMap<Digest, (Location, String)>,
    revisits: Vec<Pending>,
    /// Metadata records that were found.
    found: HashSet<Digest>,
}

impl Plan {
    /// Reads all segments of `archive`. `leaves` has the digests of the metadata blocks that the log commits to; all of them if
    /// `is_whole`.
    pub(super) fn make(
        archive: &Path,
        leaves: HashMap<Digest, u64>,
        is_whole: bool,
        telling: &mut Telling,
    ) -> Result<Plan, Error> {
        let mut planner = Planner {
            archive,
            leaves,
            is_whole,
            telling,
            kept: Vec::new(),
            pending: Vec::new(),
            orphans: Vec::new(),
            raws: HashMap::new(),
            revisits: Vec::new(),
            found: HashSet::new(),
        };
        let mut segments = Vec::new();
        for segment in segment::list(archive).unwrap_or_default() {
            planner.read(segment);
            segments.push((segment, std::mem::take(&mut planner.kept)));
        }
        planner.orphans.append(&mut planner.pending);
        planner.tell_lost();
        planner.lead_revisits(&mut segments)?;
        let used = &planner.raws;
        let orphans = planner.orphans.iter().filter_map(|orphan| {
            let kind = match orphan.kind {
                Kind::Raw if !used.contains_key(&orphan.digest) => "raw",
                Kind::Text => "txt",
                _ => return None,
            };
            Some((orphan.at, orphan.digest, kind))
        });
        let orphans = orphans.collect();
        Ok(Plan { segments, orphans })
    }
}

impl Planner<'_, '_> {
    fn read(&mut self, segment: SegmentId) {
        let start = Position { segment, offset: 0 };
        let reader = match SegmentReader::open(self.archive, start) {
            Ok(reader) => reader,
            Err(error) => return self.telling.tell(segment, error.to_string()),
        };
        let mut is_first = true;
        for found in reader {
            match found {
                Ok(Found::Record { location, bytes }) => self.take(location, is_first, &bytes),
                Ok(Found::Damaged { at, length, reason }) => {
                    self.telling
                        .tell(at, format!("{length} bytes are no record: {reason}"));
                }
                Err(error) => self.telling.tell(segment, error.to_string()),
            }
            is_first = false;
        }
    }

    fn take(&mut self, at: Location, is_first: bool, bytes: &[u8]) {
        let Ok(record) = Record::parse(bytes) else {
            return;
        };
        let block = Digest::of(record.block);
        let payload = record.digest("WARC-Payload-Digest");
        let is_named = record.digest("WARC-Block-Digest") == Some(block);
        let (kind, digest) = match record.kind() {
            "warcinfo" if is_first && is_named => {
                let file = segment::file_name(at.segment.number());
                let name = record.header("WARC-Filename").filter(|name| *name != file);
                match name {
                    // It gets one that says what it is called now.
                    Some(name) => self.telling.tell(at.segment, format!("it was {name}")),
                    None => self.kept.push(Kept { at, becomes: None }),
                }
                return;
            }
            "metadata" if is_named => return self.take_metadata(at, &record, block),
            "resource" if is_named && payload == Some(block) => (Kind::Raw, block),
            "revisit" if is_named && payload.is_some() => (Kind::Revisit, payload.unwrap_or(block)),
            "conversion" if is_named => (Kind::Text, block),
            kind => {
                let message = format!(
                    "a {kind:?} record whose digest is wrong, or that does not belong here"
                );
                return self.telling.tell(at, message);
            }
        };
        let header = |name| record.header(name).map(str::to_owned);
        self.pending.push(Pending {
            at,
            kind,
            digest,
            id: header("WARC-Record-ID").unwrap_or_default(),
            target: header("WARC-Refers-To"),
        });
    }

    /// Keeps a metadata record that a leaf commits to, and those records before it that are its own.
    fn take_metadata(&mut self, at: Location, record: &Record<'_>, block: Digest) {
        let is_known = self.leaves.contains_key(&block);
        if !is_known && self.is_whole || !self.found.insert(block) {
            let message =
                "no leaf of the log commits to this metadata record, or there was one like it";
            return self.telling.tell(at, message);
        }
        let group = std::mem::take(&mut self.pending);
        let (mut raw, mut text) = (None, None);
        let last = |is_it: &dyn Fn(&Pending) -> bool| group.iter().rposition(is_it);
        let text_of = |digest| last(&|p| p.kind == Kind::Text && p.digest == digest);
        match MetadataBlock::<IgnoredAny>::parse(record.block) {
            Ok(MetadataBlock::Capture(block)) => {
                let Observation { digests, .. } = block.observation;
                raw = last(&|p| p.kind != Kind::Text && p.digest == digests.raw);
                if block.same_as.is_none() {
                    text = text_of(digests.text);
                }
            }
            Ok(MetadataBlock::Edition(block)) => text = text_of(block.edition.digests.text),
            _ => {}
        }
        for (number, pending) in group.into_iter().enumerate() {
            if raw != Some(number) && text != Some(number) {
                self.orphans.push(pending);
                continue;
            }
            let at = pending.at;
            self.kept.push(Kept { at, becomes: None });
            match pending.kind {
                Kind::Raw => drop(self.raws.insert(pending.digest, (at, pending.id))),
                Kind::Revisit => self.revisits.push(pending),
                Kind::Text => {}
            }
        }
        self.kept.push(Kept { at, becomes: None });
    }

    fn tell_lost(&mut self) {
        let lost = self
            .leaves
            .iter()
            .filter(|(block, _)| !self.found.contains(block));
        let mut lost: Vec<u64> = lost.map(|(_, index)| *index).collect();
        lost.sort_unstable();
        for index in lost {
            let message = "the metadata record that it commits to is lost";
            self.telling.tell(format!("log, leaf {index}"), message);
        }
    }

    /// Leads revisits whose target is not kept to where the bytes are now. If they are only in a record that belongs to no capture
    /// any more, the first revisit gets them.
    fn lead_revisits(&mut self, segments: &mut [(SegmentId, Vec<Kept>)]) -> Result<(), Error> {
        let mut becomes: HashMap<Location, Vec<u8>> = HashMap::new();
        for revisit in &self.revisits {
            let known = self.raws.get(&revisit.digest);
            if known.is_some_and(|(_, id)| revisit.target.as_ref() == Some(id)) {
                continue;
            }
            let bytes = segment::read(self.archive, revisit.at)?;
            let Ok(record) = Record::parse(&bytes) else {
                continue;
            };
            let other = match known {
                Some((at, id)) => {
                    let target = match becomes.get(at) {
                        Some(bytes) => bytes.clone(),
                        None => segment::read(self.archive, *at)?,
                    };
                    refer_to(&record, id, &target)
                }
                None => {
                    let is_it = |o: &&Pending| o.kind == Kind::Raw && o.digest == revisit.digest;
                    let Some(orphan) = self.orphans.iter().find(is_it) else {
                        self.telling
                            .tell(revisit.at, "the raw bytes that it refers to are lost");
                        continue;
                    };
                    let raw = segment::read(self.archive, orphan.at)?;
                    let place = (revisit.at, revisit.id.clone());
                    self.raws.insert(revisit.digest, place);
                    let message = "it becomes the record of its raw bytes: the one that it refers to belongs to a capture that is lost";
                    self.telling.tell(revisit.at, message);
                    with_raw(&record, &raw)
                }
            };
            becomes.extend(other.map(|other| (revisit.at, other)));
        }
        for (_, kept) in segments {
            for one in kept {
                one.becomes = becomes.remove(&one.at);
            }
        }
        Ok(())
    }
}

/// A revisit that refers to the record `target`, called `id`.
fn refer_to(record: &Record<'_>, id: &str, target: &[u8]) -> Option<Vec<u8>> {
    let target = Record::parse(target).ok()?;
    let writer = begin(record, "revisit")?
        .field("WARC-Profile", record.header("WARC-Profile")?)
        .field("WARC-Refers-To", id)
        .field(
            "WARC-Refers-To-Target-URI",
            target.header("WARC-Target-URI")?,
        )
        .field("WARC-Refers-To-Date", target.header("WARC-Date")?);
    finish(record, writer, record.block)
}

/// A revisit as a record of the raw bytes themselves.
fn with_raw(record: &Record<'_>, raw: &[u8]) -> Option<Vec<u8>> {
    let raw = Record::parse(raw).ok()?;
    finish(record, begin(record, "resource")?, raw.block)
}

/// What stays of a record: its name, its date, its address.
fn begin(record: &Record<'_>, kind: &str) -> Option<RecordWriter> {
    let id = RecordId::parse(record.header("WARC-Record-ID")?)?;
    let date = record.header("WARC-Date")?.parse().ok()?;
    let writer = RecordWriter::new(kind, &id, date);
    Some(writer.field("WARC-Target-URI", record.header("WARC-Target-URI")?))
}

fn finish(record: &Record<'_>, writer: RecordWriter, block: &[u8]) -> Option<Vec<u8>> {
    let payload = record.digest("WARC-Payload-Digest")?;
    let writer = writer
        .digest("WARC-Block-Digest", &Digest::of(block))
        .digest("WARC-Payload-Digest", &payload);
    let record = writer.finish(record.header("Content-Type"), block);
    Some(record.parts().concat())
}
