//! The records: every frame unpacked, every digest computed anew, every leaf's metadata block found, its raw bytes and text
//! with it, and every record accounted for.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::archive::catalog::Catalog;
use crate::archive::segment::{self, Found, Location, Position, SegmentId, SegmentReader};
use crate::archive::warc::{END_BYTES, Record, RecordError};
use crate::check::log::LogView;
use crate::check::problem::{Code, Findings, chain};
use crate::check::records::ahead::{Buffers, Read, ReadAhead};
use crate::digest::Digest;
use crate::gauge::Gauge;
use crate::identity::DocId;

mod ahead;
mod judge;

/// Which records are read.
#[derive(Debug, Clone)]
pub(super) struct Region {
    /// The leaves whose records lie there, the last of them last.
    pub(super) leaves: Vec<usize>,
    /// Where they start.
    pub(super) from: Position,
    /// Where they end; `None`: wherever the segments end.
    pub(super) to: Option<Position>,
}

impl Region {
    /// All of the segments.
    pub(super) fn whole(view: &LogView) -> Region {
        Region {
            leaves: (0..view.leaves.all.len()).collect(),
            from: START,
            to: None,
        }
    }
}

/// Before all records.
pub(super) const START: Position = Position {
    segment: SegmentId::Sealed(0),
    offset: 0,
};

/// What reading the records has shown.
pub(super) struct Records<'a> {
    archive: &'a Path,
    view: &'a LogView,
    catalog: Option<&'a Catalog>,
    /// Whether all records there are will be read.
    whole: bool,
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// Where the metadata record of each leaf was found.
    pub(super) metadata: Vec<Option<Location>>,
    /// Where the text of each leaf's capture was found, if it has one of its own.
    pub(super) texts: Vec<Option<Location>>,
    /// Sound raw bytes, where they were found last.
    pub(super) raws: HashMap<Digest, Location>,
    sound_texts: HashSet<Digest>,
    /// Names of records that others may refer to, hashed to save space.
    names: HashSet<u64>,
    /// What was read since the last metadata record that a leaf commits to.
    since: Group,
    /// What was missed and may still come.
    missed: Vec<Missed>,
    /// Numbers of segments that sealed ones replace; what is there all the same, a crash left there.
    replaced: BTreeSet<u32>,
    buffers: Arc<Buffers>,
    /// Told how many bytes were read.
    pub(super) gauge: Arc<Gauge>,
}

/// What is a problem unless it is found later: after sealing, records come in another order.
struct Missed {
    what: Target,
    code: Code,
    place: String,
    doc: Option<DocId>,
    message: String,
}

/// What was missed.
enum Target {
    Raw(Digest),
    Text(Digest),
    /// A record of this name, hashed.
    Record(u64),
}

/// Records and damage since the last metadata record that a leaf commits to: they are the next one's, or the unfinished tail.
#[derive(Default)]
struct Group {
    records: Vec<Pending>,
    damage: Vec<Damage>,
    /// Metadata records that no leaf commits to.
    unknown: Vec<Location>,
    /// What is wrong with these records, each by itself.
    faults: Vec<Fault>,
}

struct Fault {
    code: Code,
    at: Location,
    message: String,
}

/// A record of raw bytes or text that no metadata record has claimed yet.
struct Pending {
    at: Location,
    kind: Kind,
    digest: Digest,
    bytes: Vec<u8>,
    /// Where the block stands in the bytes; it is empty for a revisit.
    block: Range<usize>,
}

/// What a record holds that may be claimed.
struct Content {
    kind: Kind,
    digest: Digest,
    block: Range<usize>,
}

impl Pending {
    fn block(&self) -> &[u8] {
        &self.bytes[self.block.clone()]
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Raw,
    Revisit,
    Text,
}

struct Damage {
    at: Position,
    length: u64,
    reason: String,
}

impl<'a> Records<'a> {
    pub(super) fn new(
        archive: &'a Path,
        view: &'a LogView,
        catalog: Option<&'a Catalog>,
        whole: bool,
        replaced: BTreeSet<u32>,
    ) -> Records<'a> {
        Records {
            archive,
            view,
            catalog,
            whole,
            records: 0,
            bytes: 0,
            metadata: vec![None; view.leaves.all.len()],
            texts: vec![None; view.leaves.all.len()],
            raws: HashMap::new(),
            sound_texts: HashSet::new(),
            names: HashSet::new(),
            since: Group::default(),
            missed: Vec::new(),
            replaced,
            buffers: Arc::default(),
            gauge: Arc::default(),
        }
    }

    /// Reads a region of the segments, and judges what its leaves lack.
    pub(super) fn read(
        &mut self,
        region: &Region,
        segments: &[SegmentId],
        findings: &mut Findings,
    ) {
        for segment in segments.iter().copied() {
            let is_behind = region.to.is_some_and(|to| segment > to.segment);
            if segment < region.from.segment || is_behind {
                continue;
            }
            let offset = match segment == region.from.segment {
                true => region.from.offset,
                false => 0,
            };
            let end = region.to.filter(|to| to.segment == segment);
            let from = Position { segment, offset };
            self.read_segment(from, end.map(|end| end.offset), findings);
        }
        self.finish(region, findings);
    }

    fn read_segment(&mut self, from: Position, end: Option<u64>, findings: &mut Findings) {
        let reader = match SegmentReader::open(self.archive, from) {
            Ok(reader) => reader,
            Err(error) => {
                let message = chain(&error);
                return findings.problem(Code::SegmentMissing, from.to_string(), message);
            }
        };
        let buffers = Arc::clone(&self.buffers);
        std::thread::scope(|scope| {
            let ahead = ReadAhead::start(scope, reader, buffers);
            self.take_all(from, end, ahead, findings);
        });
    }

    /// Takes what was read, up to the end.
    fn take_all(
        &mut self,
        from: Position,
        end: Option<u64>,
        mut ahead: ReadAhead,
        findings: &mut Findings,
    ) {
        let mut next = from.offset;
        let mut is_first = from.offset == 0;
        while end.is_none_or(|end| next < end) {
            match ahead.next() {
                Some(Ok(Read {
                    found: Found::Record { location, bytes },
                    fault,
                })) => {
                    next = location.offset + location.length;
                    if let Some(fault) = fault {
                        self.fault(Code::FrameBad, location, fault);
                    }
                    self.records += 1;
                    self.bytes += location.length;
                    self.gauge.reach(self.bytes);
                    self.take(location, is_first, bytes, findings);
                }
                Some(Ok(Read {
                    found: Found::Damaged { at, length, reason },
                    ..
                })) => {
                    next = at.offset + length;
                    self.bytes += length;
                    self.since.damage.push(Damage { at, length, reason });
                }
                None => break,
                Some(Err(error)) => {
                    let at = Position {
                        segment: from.segment,
                        offset: next,
                    };
                    findings.problem(Code::SegmentMissing, at.to_string(), chain(&error));
                    break;
                }
            }
            is_first = false;
        }
    }

    fn take(&mut self, at: Location, is_first: bool, bytes: Vec<u8>, findings: &mut Findings) {
        match self.take_record(at, is_first, &bytes, findings) {
            None => self.buffers.put(bytes),
            Some(Content {
                kind,
                digest,
                block,
            }) => self.since.records.push(Pending {
                at,
                kind,
                digest,
                bytes,
                block,
            }),
        }
    }

    /// Takes what a record says; what it holds, if a metadata record is to claim it.
    fn take_record(
        &mut self,
        at: Location,
        is_first: bool,
        bytes: &[u8],
        findings: &mut Findings,
    ) -> Option<Content> {
        let record = match Record::parse(bytes) {
            Ok(record) => record,
            Err(error) => {
                self.damaged(at, &error);
                return None;
            }
        };
        let block = Digest::of(record.block);
        let name = record.header("WARC-Record-ID").unwrap_or_default();
        if !self.names.insert(short(name)) {
            if self.replaced.contains(&at.segment.number()) {
                return None;
            }
            let message = format!("a record before it has its name, {name}");
            self.fault(Code::RecordUnknown, at, message);
        }
        let named = record.digest("WARC-Block-Digest");
        let kind = match record.kind() {
            "warcinfo" if is_first => {
                if named.is_some_and(|named| named != block) {
                    self.fault(Code::DigestWrong, at, wrong(named, block));
                }
                let file = segment::file_name(at.segment.number());
                if let Some(name) = record.header("WARC-Filename").filter(|name| *name != file) {
                    let message = format!("its first record says that it is {name}");
                    findings.problem(Code::SegmentMisnamed, at.segment.to_string(), message);
                }
                return None;
            }
            "resource" => Kind::Raw,
            "revisit" => Kind::Revisit,
            "conversion" => Kind::Text,
            "metadata" => {
                if named != Some(block) {
                    self.fault(Code::DigestWrong, at, wrong(named, block));
                }
                self.take_metadata(at, &record, block, findings);
                return None;
            }
            other => {
                let message =
                    format!("a record of the type {other:?}, which is written nowhere here");
                self.fault(Code::RecordUnknown, at, message);
                return None;
            }
        };
        let digest = self.take_content(at, &record, kind, block);
        // Behind the block stands nothing but the record's end.
        let end = bytes.len() - END_BYTES;
        Some(Content {
            kind,
            digest,
            block: end - record.block.len()..end,
        })
    }

    /// Something is wrong with the record at `at`. It is told when it is known whether the record was ever committed.
    fn fault(&mut self, code: Code, at: Location, message: impl Into<String>) {
        self.since.faults.push(Fault {
            code,
            at,
            message: message.into(),
        });
    }

    /// A well-formed frame that holds no record.
    fn damaged(&mut self, at: Location, error: &RecordError) {
        self.since.damage.push(Damage {
            at: Position {
                segment: at.segment,
                offset: at.offset,
            },
            length: at.length,
            reason: error.to_string(),
        });
    }

    /// Takes what a record of raw bytes or text says by itself; the digest of what it stands for.
    fn take_content(
        &mut self,
        at: Location,
        record: &Record<'_>,
        kind: Kind,
        block: Digest,
    ) -> Digest {
        let named = record.digest("WARC-Block-Digest");
        let mut sound = named == Some(block);
        if !sound {
            self.fault(Code::DigestWrong, at, wrong(named, block));
        }
        let payload = record.digest("WARC-Payload-Digest");
        // Block and payload of a resource are the same bytes; a revisit's payload is its target's.
        if kind == Kind::Raw && payload != Some(block) {
            self.fault(Code::DigestWrong, at, wrong(payload, block));
            sound = false;
        }
        let digest = match kind {
            Kind::Revisit => payload.unwrap_or(block),
            _ => block,
        };
        match kind {
            Kind::Raw if sound => drop(self.raws.entry(digest).or_insert(at)),
            Kind::Text if sound => drop(self.sound_texts.insert(digest)),
            _ => {}
        }
        if self.whole {
            self.check_target(at, record);
        }
        digest
    }

    /// What a record refers to must be there.
    fn check_target(&mut self, at: Location, record: &Record<'_>) {
        // Behind damage the target may be what was damaged; that is told already.
        let Some(target) = record.header("WARC-Refers-To") else {
            return;
        };
        if !self.names.contains(&short(target)) && self.since.damage.is_empty() {
            self.missed.push(Missed {
                what: Target::Record(short(target)),
                code: Code::TargetMissing,
                place: at.to_string(),
                doc: None,
                message: format!("it refers to {target}, which is not there"),
            });
        }
    }

    /// Tells what was missed and did not come later.
    pub(super) fn tell_missed(&mut self, findings: &mut Findings) {
        for missed in std::mem::take(&mut self.missed) {
            let is_there = match missed.what {
                Target::Raw(digest) => self.has_raw(&digest),
                Target::Text(digest) => self.sound_texts.contains(&digest),
                Target::Record(name) => self.names.contains(&name),
            };
            if !is_there {
                findings.problem_of(missed.code, missed.place, missed.doc, missed.message);
            }
        }
    }
}

fn wrong(named: Option<Digest>, found: Digest) -> String {
    match named {
        Some(named) => format!("its digest is {found}, its header says {named}"),
        None => format!("its digest is {found}, its header says none"),
    }
}

/// Eight bytes of a name's digest: two records of a billion meet by chance once in forty archives, and then nothing is missed
/// but a reference into nothing.
fn short(name: &str) -> u64 {
    let digest = Digest::of(name.as_bytes());
    let (first, _) = digest.as_bytes().split_first_chunk().expect("32 bytes");
    u64::from_be_bytes(*first)
}
