//! What becomes of a capture: which records it gets, which version it shows, what the log says of it.

use std::path::Path;

use jiff::Timestamp;
use serde::de::IgnoredAny;

use crate::archive::capture::{
    self, PackedRecord, Prepared, PreparedEdition, RevisitTarget, metadata_record, revisit_record,
    target_uri,
};
use crate::archive::catalog::{CaptureRow, Change, ContentRow, NewCapture, PinRow};
use crate::archive::group::Group;
use crate::archive::keys::{IdentitySecret, random};
use crate::archive::leaf::{Leaf, LeafKind};
use crate::archive::metadata::{
    self, CaptureBlock, Content, Event, EventBlock, KeyRecord, LinkRecord, MetadataBlock,
    PinRecord, Revision, RuleSet, SplitRecord,
};
use crate::archive::segment::{self, Location};
use crate::archive::warc::{NewRecord, Record, RecordId, RecordWriter, warc_date};
use crate::archive::{Error, Manifest, pins};
use crate::article::Digests;
use crate::digest::Digest;
use crate::identity::{Archived, CaptureId, DocId, VersionId};
use crate::pin::{PinScope, PinVerdict};
use crate::submission::{Declared, Source};

use super::Open;

impl Open {
    /// Decides what a capture is, and adds its records, its leaf and its rows.
    pub(super) fn add_capture<'a>(
        &mut self,
        group: &mut Group<'a>,
        secret: &IdentitySecret,
        prepared: &'a Prepared,
    ) -> Result<Archived, Error> {
        let observation = &prepared.observation;
        if let Some(known) = self.catalog.outcome(&observation.claim, observation.part)? {
            return Ok(archived(known));
        }
        let doc = secret.doc_id(&observation.identity.key);
        if observation.part > 0
            && let Some((capture, version)) = self.catalog.same_fetch(&doc, observation)?
        {
            return Ok(Archived::Duplicate(capture, version));
        }
        let raw = &observation.digests.raw;
        let state = self.catalog.doc_state(&doc)?;
        let same = self.catalog.same_bytes(&doc, state.version, raw)?;
        let is_same_story = state.story == Some(observation.digests.story);
        let (change, version) = match same {
            Some(_) => (Change::None, state.version),
            None if is_same_story => (Change::Furniture, state.version),
            None => (Change::Story, state.version + 1),
        };
        let capture = state.capture + 1;

        self.add_raw(group, prepared)?;
        let light = same.map(|same| light_metadata(prepared, &same));
        let (metadata, text, metadata_at) = match &light {
            Some(light) => (light.digest, None, group.push_owned(light.record.clone())),
            None => {
                let text = group.push(&prepared.text);
                let at = group.push(&prepared.metadata);
                (prepared.metadata_digest, Some(text), at)
            }
        };
        let index = group.next_leaf();
        let leaf = Leaf {
            capture: Some(capture),
            doc: doc.clone(),
            kind: LeafKind::Capture,
            metadata,
            previous: state.leaf,
            version: Some(version),
        };
        group.leaves.push(leaf.to_bytes());
        let content = ContentRow {
            title: prepared.title.as_deref(),
            language: prepared.language.as_deref(),
            flags: prepared.flags.as_deref(),
            rules: &prepared.rules,
            measure: Some(prepared.measure),
        };
        let new = NewCapture {
            observation: light.as_ref().map_or(observation, |l| &l.observation),
            content: light.is_none().then_some(content),
            same_as: light.as_ref().map(|l| l.same_as),
            text,
            metadata: metadata_at,
        };
        self.catalog.add_capture(index, &leaf, &state, &new)?;
        self.catalog.add_names(&doc, observation)?;
        let id = CaptureId {
            doc: doc.clone(),
            capture,
        };
        Ok(archived((change, id, VersionId { doc, version })))
    }

    /// Adds the raw bytes, or a revisit of the record that has them.
    fn add_raw<'a>(&self, group: &mut Group<'a>, prepared: &'a Prepared) -> Result<(), Error> {
        let digest = prepared.observation.digests.raw;
        if let Some(target) = self.target(group, &digest, &prepared.raw)? {
            let record = revisit_record(&prepared.observation, &prepared.raw_id, &target);
            group.push_owned(record);
            return Ok(());
        }
        group.push(&prepared.raw);
        group.raws.insert(digest, prepared);
        Ok(())
    }

    /// The record that has these bytes, if there is one that can be read: a revisit of a damaged record would spread the damage.
    /// If there is none, `new` has them, which is pushed next.
    fn target(
        &self,
        group: &Group<'_>,
        digest: &Digest,
        new: &PackedRecord,
    ) -> Result<Option<RevisitTarget>, Error> {
        if let Some(prepared) = group.raws.get(digest) {
            return Ok(Some(RevisitTarget {
                id: prepared.raw_id.as_str().to_owned(),
                uri: target_uri(&prepared.observation),
                date: warc_date(prepared.observation.captured_at()),
            }));
        }
        let place = group.place_of(&new.frame);
        if self.catalog.add_raw(digest, place)? {
            return Ok(None);
        }
        if let Some(at) = self.catalog.raw(digest)? {
            match read_target(&self.dir, at, digest) {
                Ok(target) => return Ok(Some(target)),
                Err(error) => tracing::warn!("{at} is damaged and archived again: {error}"),
            }
        }
        self.catalog.put_raw(digest, place)?;
        Ok(None)
    }

    pub(super) fn add_revision(
        &mut self,
        group: &mut Group<'_>,
        source: &Source,
        declared: Declared,
        now: Timestamp,
    ) -> Result<Option<CaptureId>, Error> {
        let Some(id) = self.catalog.last_of_source(source)? else {
            return Ok(None);
        };
        // A sidecar that stays in its inbox is offered again after each start.
        if self.last_declared(&id)? == Some(as_archived(&declared)) {
            return Ok(Some(id));
        }
        let revision = Revision {
            capture: id.capture,
            source: source.clone(),
            declared,
            received_at: now,
        };
        self.add_event(group, &id.doc, Event::Revision(revision))?;
        Ok(Some(id))
    }

    /// Adds what a person decided, unless that holds already. The index of its leaf.
    pub(super) fn add_pin(
        &mut self,
        group: &mut Group<'_>,
        secret: &IdentitySecret,
        record: PinRecord,
    ) -> Result<Option<u64>, Error> {
        let doc = pins::subject(secret, &record.of);
        let state = self.catalog.doc_state(&doc)?;
        if matches!(record.of, PinScope::Doc(_)) && state.capture == 0 {
            return Err(Error::NoDocument(doc.0));
        }
        let standing = pins::standing(self.catalog.pins()?);
        let about =
            |row: &&PinRow| row.record.of == record.of && row.record.pin.text == record.pin.text;
        let holds = match standing.iter().find(about) {
            Some(row) => row.record.pin == record.pin,
            None => record.pin.verdict == PinVerdict::Release,
        };
        if holds {
            return Ok(None);
        }
        let index = self.add_event(group, &doc, Event::Pin(record))?;
        Ok(Some(index))
    }

    /// Adds that another key signs the log. The index of its leaf.
    pub(super) fn add_key(
        &mut self,
        group: &mut Group<'_>,
        secret: &IdentitySecret,
        record: KeyRecord,
    ) -> Result<u64, Error> {
        // Made as a document's id is, of a key that no document has.
        let doc = secret.doc_id(&format!("log:{}", self.log.verifier().name()));
        self.add_event(group, &doc, Event::Key(record))
    }

    /// See [`super::ArchiveWriter::stale`].
    pub(super) fn stale(
        &self,
        doc: &DocId,
        digests: &Digests,
        rules: &str,
    ) -> Result<Option<CaptureRow>, Error> {
        let state = self.catalog.doc_state(doc)?;
        if state.version == 0 || state.story == Some(digests.story) {
            return Ok(None);
        }
        let same_bytes = self.catalog.same_bytes(doc, state.version, &digests.raw)?;
        let latest = self.catalog.latest_of_version(doc, state.version)?;
        Ok(latest.filter(|row| same_bytes.is_none() && row.rules != rules))
    }

    /// Adds an edition, unless another was made meanwhile, or its capture is not there. The index of its leaf.
    pub(super) fn add_edition<'a>(
        &mut self,
        group: &mut Group<'a>,
        prepared: &'a PreparedEdition,
    ) -> Result<Option<u64>, Error> {
        let PreparedEdition { doc, edition, .. } = prepared;
        let id = CaptureId {
            doc: doc.clone(),
            capture: edition.capture,
        };
        let last = self.catalog.latest_edition(&id)?;
        let last = last.map_or(1, |row| row.id.number);
        let state = self.catalog.doc_state(doc)?;
        // Since it was made, the capture may have been cleaned by others, or erased.
        if edition.edition != last + 1 || !self.catalog.is_there(&id)? {
            return Ok(None);
        }
        let text = group.push(&prepared.text);
        let at = group.push(&prepared.metadata);
        let index = group.next_leaf();
        let leaf = Leaf {
            capture: Some(edition.capture),
            doc: doc.clone(),
            kind: LeafKind::Reclean,
            metadata: prepared.metadata_digest,
            previous: state.leaf,
            version: None,
        };
        group.leaves.push(leaf.to_bytes());
        self.catalog.announce(index, &leaf)?;
        let content = ContentRow {
            title: prepared.title.as_deref(),
            language: prepared.language.as_deref(),
            flags: prepared.flags.as_deref(),
            rules: &prepared.rules,
            measure: None,
        };
        let metadata = (at, prepared.metadata_digest);
        self.catalog
            .fill_edition(index, doc, edition, &content, Some(text), metadata)?;
        Ok(Some(index))
    }

    /// Adds that two documents are one, or are not after all, unless that holds. The index of its leaf.
    pub(super) fn add_link(
        &mut self,
        group: &mut Group<'_>,
        record: LinkRecord,
    ) -> Result<Option<u64>, Error> {
        for doc in [&record.doc, &record.with] {
            if self.catalog.doc_state(doc)?.capture == 0 {
                return Err(Error::NoDocument(doc.0.clone()));
            }
        }
        let holds = self.catalog.bonds()?.are_linked(&record.doc, &record.with);
        if holds != record.released {
            return Ok(None);
        }
        let doc = record.doc.clone();
        self.add_event(group, &doc, Event::Link(record)).map(Some)
    }

    /// Adds that from a version on a document is another, or is not after all, unless that holds. The index of its leaf.
    pub(super) fn add_split(
        &mut self,
        group: &mut Group<'_>,
        record: SplitRecord,
    ) -> Result<Option<u64>, Error> {
        let SplitRecord { doc, version, .. } = &record;
        if *version < 2 || *version > self.catalog.doc_state(doc)?.version {
            return Err(Error::NoVersion {
                doc: doc.clone(),
                asked: format!("{version} that could begin another document"),
            });
        }
        if self.catalog.bonds()?.is_split(doc, *version) != record.released {
            return Ok(None);
        }
        let doc = doc.clone();
        self.add_event(group, &doc, Event::Split(record)).map(Some)
    }

    /// Adds a set of rules, unless the archive has it. Whether it was added.
    pub(super) fn add_rules(
        &mut self,
        group: &mut Group<'_>,
        secret: &IdentitySecret,
        rules: RuleSet,
    ) -> Result<bool, Error> {
        if self.catalog.rule_set(&rules.id)?.is_some() {
            return Ok(false);
        }
        // Made like the id of a document, of a key that none has.
        let doc = secret.doc_id("rules:");
        self.add_event(group, &doc, Event::Rules(rules))?;
        Ok(true)
    }

    /// Adds the record, the leaf and the row of what happened to `doc` and is no capture. The index of its leaf.
    pub(super) fn add_event(
        &mut self,
        group: &mut Group<'_>,
        doc: &DocId,
        event: Event,
    ) -> Result<u64, Error> {
        let kind = event.kind();
        let block = EventBlock {
            faircopy: metadata::title(kind).to_owned(),
            nonce: capture::nonce(),
            event,
        };
        let (bytes, digest) = metadata::to_bytes(&block);
        let event = block.event;
        let at = group.push_owned(metadata_record(None, event.at(), bytes, &digest));
        let index = group.next_leaf();
        let leaf = Leaf {
            capture: event.capture(),
            doc: doc.clone(),
            kind,
            metadata: digest,
            previous: self.catalog.doc_state(doc)?.leaf,
            version: None,
        };
        group.leaves.push(leaf.to_bytes());
        self.catalog.announce(index, &leaf)?;
        self.catalog.fill_event(index, doc, &event, at)?;
        Ok(index)
    }

    /// What was declared about a capture last, be it with the capture or later; `None` if that cannot be read, so that it is
    /// archived once more.
    fn last_declared(&self, id: &CaptureId) -> Result<Option<Declared>, Error> {
        let Some((digest, at)) = self.catalog.last_metadata(id)? else {
            return Ok(None);
        };
        match read_declared(&self.dir, at, &digest) {
            Ok(declared) => Ok(Some(declared)),
            Err(error) => {
                tracing::warn!("{at} is damaged and what it declares archived again: {error}");
                Ok(None)
            }
        }
    }
}

/// Declared data as it is when it is read back: a number may have more digits than come through JSON.
fn as_archived(declared: &Declared) -> Declared {
    let (bytes, _) = metadata::to_bytes(declared);
    serde_json::from_slice(&bytes).expect("what was written can be read")
}

/// Reads a metadata record, proves it, and returns what it declares.
fn read_declared(dir: &Path, at: Location, digest: &Digest) -> Result<Declared, Error> {
    let bytes = segment::read(dir, at)?;
    let record = proven(dir, at, &bytes, "metadata", digest)?;
    match MetadataBlock::<IgnoredAny>::parse(record.block) {
        Ok(MetadataBlock::Capture(block)) => Ok(block.observation.declared),
        Ok(MetadataBlock::Edition(_)) => Err(unusable(dir, at, "it is an edition's")),
        Ok(MetadataBlock::Event(event)) => match *event {
            Event::Revision(revision) => Ok(revision.declared),
            _ => Err(unusable(dir, at, "it declares nothing")),
        },
        Err(error) => Err(unusable(dir, at, &error.to_string())),
    }
}

/// Reads a record with raw bytes, and proves that it has them.
pub(super) fn read_target(
    dir: &Path,
    at: Location,
    digest: &Digest,
) -> Result<RevisitTarget, Error> {
    let bytes = segment::read(dir, at)?;
    let record = proven(dir, at, &bytes, "resource", digest)?;
    let header = |name| record.header(name).map(str::to_owned);
    let target = || {
        Some(RevisitTarget {
            id: header("WARC-Record-ID")?,
            uri: header("WARC-Target-URI")?,
            date: header("WARC-Date")?,
        })
    };
    target().ok_or_else(|| unusable(dir, at, "a header is missing"))
}

/// The record that `bytes` are, if it is of this type and its block has this digest.
fn proven<'a>(
    dir: &Path,
    at: Location,
    bytes: &'a [u8],
    kind: &str,
    digest: &Digest,
) -> Result<Record<'a>, Error> {
    let record = Record::parse(bytes).map_err(|error| unusable(dir, at, &error.to_string()))?;
    if record.kind() != kind || Digest::of(record.block) != *digest {
        return Err(unusable(dir, at, "it has other bytes"));
    }
    Ok(record)
}

fn unusable(dir: &Path, at: Location, why: &str) -> Error {
    Error::Record {
        doing: "use the record",
        path: segment::path(dir, at.segment),
        offset: at.offset,
        source: std::io::Error::other(why.to_owned()),
    }
}

/// The metadata of a duplicate: what was observed, and whose content it shares.
struct LightMetadata {
    observation: metadata::Observation,
    same_as: u32,
    record: NewRecord,
    digest: Digest,
}

fn light_metadata(prepared: &Prepared, same: &CaptureRow) -> LightMetadata {
    let mut observation = prepared.observation.clone();
    // Cleaned again, perhaps by other rules, the same bytes may have given another text; what is archived is the first.
    observation.digests = same.digests;
    let block = CaptureBlock::<Content> {
        faircopy: metadata::title(LeafKind::Capture).to_owned(),
        nonce: capture::nonce(),
        observation,
        content: None,
        same_as: Some(same.capture),
    };
    let (bytes, digest) = metadata::to_bytes(&block);
    let date = block.observation.received_at;
    LightMetadata {
        record: metadata_record(Some(&prepared.raw_id), date, bytes, &digest),
        observation: block.observation,
        same_as: same.capture,
        digest,
    }
}

fn archived((change, capture, version): (Change, CaptureId, VersionId)) -> Archived {
    match change {
        Change::Story => Archived::New(capture, version),
        Change::Furniture => Archived::Unchanged(capture, version),
        Change::None => Archived::Duplicate(capture, version),
    }
}

/// The record that each segment begins with.
pub(crate) fn warcinfo(manifest: &Manifest, file_name: &str, now: Timestamp) -> NewRecord {
    let block = format!(
        "software: faircopy/{}\r\nformat: WARC File Format 1.1\r\n\
         conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n\
         isPartOf: {}\r\n",
        env!("CARGO_PKG_VERSION"),
        manifest.id
    );
    RecordWriter::new("warcinfo", &RecordId::new(random()), now)
        .field("WARC-Filename", file_name)
        .digest("WARC-Block-Digest", &Digest::of(block.as_bytes()))
        .finish(Some("application/warc-fields"), block)
}
