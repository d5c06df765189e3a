//! The records: every frame unpacked, every digest computed anew, every leaf's metadata block found, its raw bytes and text
//! with it, and every record accounted for.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::archive::catalog::Catalog;
use crate::archive::metadata::{Content, MetadataBlock};
use crate::archive::segment::{self, Found, Location, Position, SegmentReader};
use crate::archive::warc::{Record, RecordError};
use crate::check::content;
use crate::check::log::LogView;
use crate::check::problem::{Code, Findings, chain};
use crate::digest::Digest;
use crate::identity::DocId;

/// Where a frame's descriptor stands, and two of its bits (RFC 8878, 3.1.1.1.1).
const FRAME_DESCRIPTOR: usize = 4;
const CONTENT_CHECKSUM: u8 = 1 << 2;
const UNUSED: u8 = 1 << 4;

/// Which records are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    /// The leaves whose records lie there.
    pub(super) leaves: (usize, usize),
    /// Where they start.
    pub(super) from: Position,
    /// Where they end; `None`: wherever the segments end.
    pub(super) to: Option<Position>,
}

impl Stretch {
    /// All of the segments.
    pub(super) fn whole(view: &LogView) -> Stretch {
        Stretch {
            leaves: (0, view.leaves.len()),
            from: Position {
                segment: 0,
                offset: 0,
            },
            to: None,
        }
    }
}

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
}

/// Records and damage since the last metadata record that a leaf commits to: they are the next one's, or the unfinished tail.
#[derive(Default)]
struct Group {
    records: Vec<Pending>,
    damage: Vec<Damage>,
    /// Metadata records that no leaf commits to.
    unknown: Vec<Location>,
}

/// A record of raw bytes or text that no metadata record has claimed yet.
struct Pending {
    at: Location,
    kind: Kind,
    digest: Digest,
    name: String,
    /// The block; empty for a revisit.
    block: Vec<u8>,
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
    ) -> Records<'a> {
        Records {
            archive,
            view,
            catalog,
            whole,
            records: 0,
            bytes: 0,
            metadata: vec![None; view.leaves.len()],
            texts: vec![None; view.leaves.len()],
            raws: HashMap::new(),
            sound_texts: HashSet::new(),
            names: HashSet::new(),
            since: Group::default(),
        }
    }

    /// Reads a stretch of the segments, and judges what its leaves lack.
    pub(super) fn read(&mut self, stretch: Stretch, segments: &[u32], findings: &mut Findings) {
        let last = stretch.to.map_or(u32::MAX, |to| to.segment);
        for segment in segments.iter().copied() {
            if segment < stretch.from.segment || segment > last {
                continue;
            }
            let offset = match segment == stretch.from.segment {
                true => stretch.from.offset,
                false => 0,
            };
            let end = stretch.to.filter(|to| to.segment == segment);
            let from = Position { segment, offset };
            self.read_segment(from, end.map(|end| end.offset), findings);
        }
        self.finish(stretch, findings);
    }

    fn read_segment(&mut self, from: Position, end: Option<u64>, findings: &mut Findings) {
        let mut next = from.offset;
        let mut reader = match SegmentReader::open(self.archive, from) {
            Ok(reader) => reader,
            Err(error) => {
                let message = chain(&error);
                return findings.problem(Code::SegmentMissing, place(from), message);
            }
        };
        let headers = File::open(segment::path(self.archive, from.segment)).ok();
        while end.is_none_or(|end| next < end) {
            match reader.next() {
                Some(Ok(Found::Record { location, bytes })) => {
                    next = location.offset + location.length;
                    if let Some(fault) = headers
                        .as_ref()
                        .and_then(|file| header_fault(file, location))
                    {
                        findings.problem(Code::FrameBad, location.to_string(), fault);
                    }
                    self.records += 1;
                    self.bytes += location.length;
                    self.take(location, &bytes, findings);
                }
                Some(Ok(Found::Damaged { at, length, reason })) => {
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
                    findings.problem(Code::SegmentMissing, place(at), chain(&error));
                    break;
                }
            }
        }
    }

    fn take(&mut self, at: Location, bytes: &[u8], findings: &mut Findings) {
        let record = match Record::parse(bytes) {
            Ok(record) => record,
            Err(error) => return self.damaged(at, &error),
        };
        let block = Digest::of(record.block);
        let named = record.digest("WARC-Block-Digest");
        let kind = match record.kind() {
            "warcinfo" if at.offset == 0 => {
                if named.is_some_and(|named| named != block) {
                    findings.problem(Code::DigestWrong, at.to_string(), wrong(named, block));
                }
                return;
            }
            "resource" => Kind::Raw,
            "revisit" => Kind::Revisit,
            "conversion" => Kind::Text,
            "metadata" => {
                if named != Some(block) {
                    findings.problem(Code::DigestWrong, at.to_string(), wrong(named, block));
                }
                return self.take_metadata(at, &record, block, findings);
            }
            other => {
                let message =
                    format!("a record of the type {other:?}, which is written nowhere here");
                return findings.problem(Code::RecordUnknown, at.to_string(), message);
            }
        };
        self.take_content(at, &record, kind, block, findings);
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

    fn take_content(
        &mut self,
        at: Location,
        record: &Record<'_>,
        kind: Kind,
        block: Digest,
        findings: &mut Findings,
    ) {
        let named = record.digest("WARC-Block-Digest");
        let mut sound = named == Some(block);
        if !sound {
            findings.problem(Code::DigestWrong, at.to_string(), wrong(named, block));
        }
        let payload = record.digest("WARC-Payload-Digest");
        // Block and payload of a resource are the same bytes; a revisit's payload is its target's.
        if kind == Kind::Raw && payload != Some(block) {
            findings.problem(Code::DigestWrong, at.to_string(), wrong(payload, block));
            sound = false;
        }
        let name = record.header("WARC-Record-ID").unwrap_or_default();
        self.names.insert(short(name));
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
            self.check_target(at, record, findings);
        }
        self.since.records.push(Pending {
            at,
            kind,
            digest,
            name: name.to_owned(),
            block: record.block.to_vec(),
        });
    }

    /// What a record refers to comes before it.
    fn check_target(&self, at: Location, record: &Record<'_>, findings: &mut Findings) {
        // Behind damage the target may be what was damaged; that is told already.
        let Some(target) = record.header("WARC-Refers-To") else {
            return;
        };
        if !self.names.contains(&short(target)) && self.since.damage.is_empty() {
            let message = format!("it refers to {target}, which does not come before it");
            findings.problem(Code::TargetMissing, at.to_string(), message);
        }
    }

    fn take_metadata(
        &mut self,
        at: Location,
        record: &Record<'_>,
        block: Digest,
        findings: &mut Findings,
    ) {
        let Some(&index) = self.view.by_metadata.get(&block) else {
            self.since.unknown.push(at);
            return;
        };
        if self.metadata[index].is_some() {
            let message = format!("the metadata record of leaf {index} once more");
            return findings.problem(Code::RecordUnknown, at.to_string(), message);
        }
        self.metadata[index] = Some(at);
        let group = std::mem::take(&mut self.since);
        let doc = self.view.leaves[index].map(|leaf| self.view.doc(&leaf));
        let claimed = match MetadataBlock::parse(record.block) {
            Ok(block) => self.judge(index, at, block, &group, findings),
            Err(error) => {
                let message = format!("leaf {index} commits to it, but {error}");
                findings.problem_of(Code::MetadataBad, at.to_string(), doc.clone(), message);
                Vec::new()
            }
        };
        let lost_some = claimed.contains(&None);
        for damage in &group.damage {
            self.tell_damage(damage, doc.clone().filter(|_| lost_some), findings);
        }
        self.tell_unknown(&group.unknown, findings);
        for (number, pending) in group.records.iter().enumerate() {
            // Records whose metadata record is damaged are not strangers.
            if !claimed.contains(&Some(number))
                && group.damage.is_empty()
                && group.unknown.is_empty()
            {
                let message = "no metadata record that follows is of it";
                findings.problem(Code::RecordUnknown, pending.at.to_string(), message);
            }
        }
    }

    /// Judges a capture by its metadata block, and says which records of the group are its own: `None` for one that it
    /// should have and has not.
    fn judge(
        &mut self,
        index: usize,
        at: Location,
        block: MetadataBlock<Content>,
        group: &Group,
        findings: &mut Findings,
    ) -> Vec<Option<usize>> {
        let Some(leaf) = self.view.leaves[index] else {
            return Vec::new();
        };
        let doc = Some(self.view.doc(&leaf));
        let block = match block {
            MetadataBlock::Capture(block) if leaf.version.is_some() => *block,
            MetadataBlock::Revision(block)
                if leaf.version.is_none() && block.revision.capture == leaf.capture =>
            {
                return Vec::new();
            }
            _ => {
                let message =
                    format!("it is not what leaf {index} says: another kind, or another capture");
                findings.problem_of(Code::MetadataBad, at.to_string(), doc, message);
                return Vec::new();
            }
        };
        let digests = block.observation.digests;
        let position = |kind: &[Kind], digest: Digest| {
            let records = group.records.iter();
            let mut records = records.map(|p| kind.contains(&p.kind) && p.digest == digest);
            records.rposition(|fits| fits)
        };
        // The text of a duplicate is that of another capture.
        let own = block.same_as.is_none();
        let raw = position(&[Kind::Raw, Kind::Revisit], digests.raw);
        let text = position(&[Kind::Text], digests.text);
        let who = |what| format!("{what} of capture {}", leaf.capture);
        if raw.is_none() || !self.has_raw(&digests.raw) {
            let message = format!("{}, {}, are not there", who("the raw bytes"), digests.raw);
            findings.problem_of(Code::RawMissing, at.to_string(), doc.clone(), message);
        }
        if own && text.is_none() || !self.has_text(&digests.text, index) {
            let message = format!(
                "{}, {}, is not there",
                who("the canonical text"),
                digests.text
            );
            findings.problem_of(Code::TextMissing, at.to_string(), doc.clone(), message);
        }
        if let Some(raw) = raw.map(|raw| &group.records[raw])
            && raw.kind == Kind::Raw
        {
            self.raws.insert(raw.digest, raw.at);
        }
        if !own {
            return vec![raw];
        }
        self.texts[index] = text.map(|text| group.records[text].at);
        if let Some(text) = text {
            let raw = raw.map(|raw| &group.records[raw]);
            let raw = raw
                .filter(|raw| raw.kind == Kind::Raw)
                .map(|raw| raw.block.as_slice());
            if let Err(message) = content::fits(block, &group.records[text].block, raw) {
                let message = format!("{}: {message}", who("the content"));
                findings.problem_of(Code::ContentUnfit, at.to_string(), doc.clone(), message);
            }
        }
        if let Some(raw) = raw.map(|raw| &group.records[raw])
            && let Some(text) = text.map(|text| &group.records[text])
            && raw.name == text.name
        {
            let message = format!("it has the name of another record, {}", text.name);
            findings.problem_of(Code::RecordUnknown, text.at.to_string(), doc, message);
        }
        vec![raw, text]
    }

    /// Whether sound raw bytes of this digest are there: read already, or where the catalog says.
    fn has_raw(&mut self, digest: &Digest) -> bool {
        if self.raws.contains_key(digest) {
            return true;
        }
        let located = || self.catalog.filter(|_| !self.whole)?.raw(digest).ok()?;
        let Some(at) = located() else { return false };
        let sound = self.block_digest(at) == Some(*digest);
        if sound {
            self.raws.insert(*digest, at);
        }
        sound
    }

    fn has_text(&mut self, digest: &Digest, index: usize) -> bool {
        if self.sound_texts.contains(digest) {
            return true;
        }
        let located = || {
            self.catalog
                .filter(|_| !self.whole)?
                .text_at(index as u64)
                .ok()?
        };
        let Some(at) = located() else { return false };
        let sound = self.block_digest(at) == Some(*digest);
        if sound {
            self.sound_texts.insert(*digest);
        }
        sound
    }

    /// The digest of the block of the record at `at`.
    pub(super) fn block_digest(&self, at: Location) -> Option<Digest> {
        let bytes = segment::read(self.archive, at).ok()?;
        Some(Digest::of(Record::parse(&bytes).ok()?.block))
    }

    fn tell_damage(&self, damage: &Damage, doc: Option<DocId>, findings: &mut Findings) {
        let start = damage.at.offset;
        let docs = self.catalog.and_then(|catalog| {
            let end = start.saturating_add(damage.length);
            catalog.docs_within(damage.at.segment, start..end).ok()
        });
        let doc = doc.or_else(|| docs?.into_iter().next());
        let message = format!("{} bytes are no record: {}", damage.length, damage.reason);
        findings.problem_of(Code::FrameBad, place(damage.at), doc, message);
    }

    fn tell_unknown(&self, unknown: &[Location], findings: &mut Findings) {
        for at in unknown {
            let message = "no leaf of the log commits to this metadata record";
            if self.view.lost() == 0 {
                findings.problem(Code::MetadataUnknown, at.to_string(), message);
            } else {
                findings.note(
                    at.to_string(),
                    format!("{message}; its leaf may be one that is lost"),
                );
            }
        }
    }

    /// Tells which leaves have no metadata record, and what became of the records after the last that has one.
    fn finish(&mut self, stretch: Stretch, findings: &mut Findings) {
        let (first, end) = stretch.leaves;
        let mut missing = 0;
        for index in first..end {
            let Some(leaf) = self.view.leaves[index] else {
                continue;
            };
            if self.metadata[index].is_none() {
                missing += 1;
                let at = self
                    .catalog
                    .and_then(|catalog| catalog.metadata_at(index as u64).ok()?);
                let place = at.map_or_else(|| format!("log, leaf {index}"), |at| at.to_string());
                let message = format!(
                    "the metadata record of capture {}, {}, is not there; leaf {index} commits to it",
                    leaf.capture, leaf.metadata
                );
                let doc = Some(self.view.doc(&leaf));
                findings.problem_of(Code::MetadataMissing, place, doc, message);
            }
        }
        let group = std::mem::take(&mut self.since);
        let last_known = end
            .checked_sub(1)
            .is_none_or(|last| self.metadata[last].is_some());
        let committed = self.committed_end(end, stretch.to);
        let in_tail = |at: Position| match committed {
            _ if missing == 0 && last_known => true,
            Some(committed) => at >= committed,
            None => false,
        };
        for damage in &group.damage {
            if in_tail(damage.at) {
                let message = format!(
                    "{} bytes after the last committed record: {}",
                    damage.length, damage.reason
                );
                findings.note(place(damage.at), message);
            } else {
                self.tell_damage(damage, None, findings);
            }
        }
        for pending in &group.records {
            // No capture's bytes: the catalog knows nothing of them.
            if self.raws.get(&pending.digest) == Some(&pending.at) {
                self.raws.remove(&pending.digest);
            }
        }
        let records = group.records.iter().map(|pending| pending.at);
        let rest = records.chain(group.unknown.iter().copied());
        if let Some(first) = rest.min() {
            let message =
                "records after the last committed one: a writer is at work, or was interrupted";
            findings.note(first.to_string(), message);
        }
    }

    /// Where the records of the leaves before `leaf` end, as far as the catalog knows.
    fn committed_end(&self, leaf: usize, to: Option<Position>) -> Option<Position> {
        let last = leaf.checked_sub(1)? as u64;
        let at = || self.catalog?.metadata_at(last).ok()?;
        to.or_else(|| at().map(|at| at.end()))
    }
}

/// What is wrong with the header of a frame that unpacks all the same. A frame whose checksum is switched off, which one bit
/// does, would be believed whatever it holds.
fn header_fault(file: &File, at: Location) -> Option<&'static str> {
    let mut start = [0; FRAME_DESCRIPTOR + 1];
    file.read_exact_at(&mut start, at.offset).ok()?;
    let descriptor = start[FRAME_DESCRIPTOR];
    if descriptor & CONTENT_CHECKSUM == 0 {
        return Some("its frame says that it has no checksum");
    }
    (descriptor & UNUSED != 0).then_some("a bit is set in its frame's header that nothing sets")
}

fn wrong(named: Option<Digest>, found: Digest) -> String {
    match named {
        Some(named) => format!("its digest is {found}, its header says {named}"),
        None => format!("its digest is {found}, its header says none"),
    }
}

fn place(at: Position) -> String {
    format!(
        "{}/{}@{}",
        segment::FOLDER,
        segment::file_name(at.segment),
        at.offset
    )
}

/// Eight bytes of a name's digest: two records of a billion meet by chance once in forty archives, and then nothing is missed
/// but a reference into nothing.
fn short(name: &str) -> u64 {
    let digest = Digest::of(name.as_bytes());
    let (first, _) = digest.as_bytes().split_first_chunk().expect("32 bytes");
    u64::from_be_bytes(*first)
}
