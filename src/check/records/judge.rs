//! Judging what was read: each capture by its metadata block, and what is left over by where it stands.

use std::collections::BTreeMap;

use crate::archive::leaf::LeafKind;
use crate::archive::metadata::{Content, Edition, EditionBlock, MetadataBlock};
use crate::archive::segment::{self, Location, Position};
use crate::archive::warc::Record;
use crate::check::content;
use crate::check::problem::{Code, Findings};
use crate::check::records::{Damage, Group, Kind, Missed, Pending, Records, Region, Target};
use crate::digest::Digest;
use crate::identity::DocId;

impl Records<'_> {
    /// Takes a metadata record: with it the group of records before it is complete.
    pub(super) fn take_metadata(
        &mut self,
        at: Location,
        record: &Record<'_>,
        block: Digest,
        findings: &mut Findings,
    ) {
        let Some(index) = self.view.leaves.by_metadata(&block) else {
            self.since.unknown.push(at);
            return;
        };
        if self.metadata[index].is_some() {
            let message = format!("the metadata record of leaf {index} once more");
            return findings.problem(Code::RecordUnknown, at.to_string(), message);
        }
        self.metadata[index] = Some(at);
        if let Some(erasure) = self.view.leaves.erased_by(index) {
            let doc = self.view.leaves.all[index].map(|leaf| self.view.leaves.doc(&leaf));
            let message = format!("leaf {erasure} says that it was erased");
            findings.problem_of(Code::ErasureUnfinished, at.to_string(), doc, message);
        }
        let group = std::mem::take(&mut self.since);
        let doc = self.view.leaves.all[index].map(|leaf| self.view.leaves.doc(&leaf));
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
        // Behind damage it is not known whose record it is, and a wrong name is worse than none.
        let doc = doc.filter(|_| group.damage.is_empty() && group.unknown.is_empty());
        for fault in &group.faults {
            let place = fault.at.to_string();
            findings.problem_of(fault.code, place, doc.clone(), &*fault.message);
        }
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
        group
            .records
            .into_iter()
            .for_each(|pending| self.buffers.put(pending.bytes));
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
        let Some(leaf) = self.view.leaves.all[index] else {
            return Vec::new();
        };
        let doc = Some(self.view.leaves.doc(&leaf));
        let block = match block {
            MetadataBlock::Capture(block) if leaf.kind == LeafKind::Capture => *block,
            MetadataBlock::Edition(block)
                if (LeafKind::Reclean, Some(block.edition.capture))
                    == (leaf.kind, leaf.capture) =>
            {
                return self.judge_edition(index, at, *block, group, findings);
            }
            MetadataBlock::Event(event)
                if (event.kind(), event.capture()) == (leaf.kind, leaf.capture) =>
            {
                if event.doc().is_some_and(|of| doc.as_ref() != Some(of)) {
                    let message = format!("it is about another document than leaf {index}");
                    findings.problem_of(Code::MetadataBad, at.to_string(), doc, message);
                }
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
        let capture = leaf.capture.unwrap_or_default();
        let who = |what| format!("{what} of capture {capture}");
        let missed = |what, code, message| Missed {
            what,
            code,
            place: at.to_string(),
            doc: doc.clone(),
            message,
        };
        if raw.is_none() || !self.has_raw(&digests.raw) {
            let message = format!("{}, {}, are not there", who("the raw bytes"), digests.raw);
            let missed = missed(Target::Raw(digests.raw), Code::RawMissing, message);
            self.miss(missed, raw.is_some(), findings);
        }
        if own && text.is_none() || !self.has_text(&digests.text, index) {
            let message = format!(
                "{}, {}, is not there",
                who("the canonical text"),
                digests.text
            );
            let missed = missed(Target::Text(digests.text), Code::TextMissing, message);
            self.miss(missed, !own || text.is_some(), findings);
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
            let raw = raw.filter(|raw| raw.kind == Kind::Raw).map(Pending::block);
            let length = block.observation.raw_bytes;
            let fits = match block.content {
                _ if raw.is_some_and(|raw| raw.len() as u64 != length) => Err(format!(
                    "its metadata says {length} raw bytes, there are others"
                )),
                Some(content) => content::fits(&content, digests, group.records[text].block(), raw),
                None => Err("its metadata has none".to_owned()),
            };
            if let Err(message) = fits {
                let message = format!("{}: {message}", who("the content"));
                findings.problem_of(Code::ContentUnfit, at.to_string(), doc.clone(), message);
            }
        }
        vec![raw, text]
    }

    /// Something was not found so far. It is told at once unless it may still come.
    fn miss(&mut self, missed: Missed, may_come: bool, findings: &mut Findings) {
        if may_come && self.whole {
            self.missed.push(missed);
        } else {
            findings.problem_of(missed.code, missed.place, missed.doc, missed.message);
        }
    }

    /// Judges an edition, whose raw bytes are those of its capture.
    fn judge_edition(
        &mut self,
        index: usize,
        at: Location,
        block: EditionBlock<Content>,
        group: &Group,
        findings: &mut Findings,
    ) -> Vec<Option<usize>> {
        let leaf = self.view.leaves.all[index];
        let doc = leaf.map(|leaf| self.view.leaves.doc(&leaf));
        let Edition {
            capture,
            edition,
            digests,
            ..
        } = block.edition;
        let who = |what| format!("{what} of edition {edition} of capture {capture}");
        let fits = |p: &Pending| p.kind == Kind::Text && p.digest == digests.text;
        let text = group.records.iter().rposition(fits);
        self.texts[index] = text.map(|text| group.records[text].at);
        let mut problem = |code, message| {
            findings.problem_of(code, at.to_string(), doc.clone(), message);
        };
        match text {
            None => {
                let text = who("the canonical text");
                let message = format!("{text}, {}, is not there", digests.text);
                problem(Code::TextMissing, message);
            }
            Some(text) => {
                let text = group.records[text].block();
                if let Err(message) = content::fits(&block.content, digests, text, None) {
                    let message = format!("{}: {message}", who("the content"));
                    problem(Code::ContentUnfit, message);
                }
            }
        }
        vec![text]
    }

    /// Whether sound raw bytes of this digest are there: read already, or where the catalog says.
    pub(super) fn has_raw(&mut self, digest: &Digest) -> bool {
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
    pub(in crate::check) fn block_digest(&self, at: Location) -> Option<Digest> {
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
        findings.problem_of(Code::FrameBad, damage.at.to_string(), doc, message);
    }

    fn tell_unknown(&self, unknown: &[Location], findings: &mut Findings) {
        for at in unknown {
            let message = "no leaf of the log commits to this metadata record";
            if self.view.leaves.lost() == 0 {
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
    pub(super) fn finish(&mut self, region: &Region, findings: &mut Findings) {
        let mut missing = 0;
        let mut erased: BTreeMap<usize, usize> = BTreeMap::new();
        for &index in &region.leaves {
            let Some(leaf) = self.view.leaves.all[index] else {
                continue;
            };
            if self.metadata[index].is_none() {
                if let Some(erasure) = self.view.leaves.erased_by(index) {
                    *erased.entry(erasure).or_insert(0) += 1;
                    continue;
                }
                missing += 1;
                let at = self
                    .catalog
                    .and_then(|catalog| catalog.metadata_at(index as u64).ok()?);
                let place = at.map_or_else(|| format!("log, leaf {index}"), |at| at.to_string());
                let of = match (leaf.kind, leaf.capture) {
                    (LeafKind::Capture, Some(capture)) => format!("capture {capture}"),
                    (kind, Some(capture)) => format!("a {kind} of capture {capture}"),
                    (kind, None) => format!("a {kind}"),
                };
                let message = format!(
                    "the metadata record of {of}, {}, is not there; leaf {index} commits to it",
                    leaf.metadata
                );
                let doc = Some(self.view.leaves.doc(&leaf));
                findings.problem_of(Code::MetadataMissing, place, doc, message);
            }
        }
        for (erasure, records) in erased {
            let doc = self.view.leaves.all[erasure].map(|leaf| self.view.leaves.doc(&leaf));
            let doc = doc.map(|doc| doc.0).unwrap_or_default();
            let message =
                format!("document {doc} was erased, and with it what {records} leaves stand for");
            findings.note(format!("log, leaf {erasure}"), message);
        }
        let group = std::mem::take(&mut self.since);
        let last = region.leaves.last().copied();
        let last_known = last.is_none_or(|last| self.metadata[last].is_some());
        let committed = self.committed_end(last, region.to);
        // What an interrupted commit left, or a daemon is writing, is not judged.
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
                findings.note(damage.at.to_string(), message);
            } else {
                self.tell_damage(damage, None, findings);
            }
        }
        for fault in &group.faults {
            let (segment, offset) = (fault.at.segment, fault.at.offset);
            if !in_tail(Position { segment, offset }) {
                findings.problem(fault.code, fault.at.to_string(), &*fault.message);
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

    /// Where the records of the leaves up to `last` end, as far as the catalog knows.
    fn committed_end(&self, last: Option<usize>, to: Option<Position>) -> Option<Position> {
        let last = last? as u64;
        let at = || self.catalog?.metadata_at(last).ok()?;
        to.or_else(|| at().map(|at| at.end()))
    }
}
