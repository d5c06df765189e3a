//! A capture on its way into the archive: all that does not depend on what is archived already is done here, by many threads.

use crate::archive::frame;
use crate::archive::keys::random;
use crate::archive::leaf::LeafKind;
use crate::archive::metadata::{
    self, CaptureBlock, Content, Edition, EditionBlock, Measure, Observation,
};
use crate::archive::warc::{self, IDENTICAL_PAYLOAD, NewRecord, RecordId, RecordWriter};
use crate::article::{Article, Digests};
use crate::digest::{Digest, hex};
use crate::document::Decoding;
use crate::identity::{DocId, Identity};
use crate::ledger::Ledger;
use crate::submission::{ClaimId, Declared, Signature, Source, path_text};
use jiff::Timestamp;

/// A cleaned submission, to be archived.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The attempt to archive it.
    pub claim: ClaimId,
    /// Which of the documents in the claimed file: 0 for a file that is one, from 1 for those in a container. Claim and part
    /// are archived once.
    pub part: u32,
    /// Where the file was found.
    pub source: Source,
    /// What the file system said of it.
    pub signature: Option<Signature>,
    /// What the sender said about it.
    pub declared: Declared,
    /// When it was read.
    pub received_at: Timestamp,
    /// Which document it is.
    pub identity: Identity,
    /// The bytes as they came.
    pub raw: Vec<u8>,
    /// Their media type, e.g. `text/html`.
    pub media_type: &'static str,
    /// Digests of raw bytes, canonical text and story. They are taken as they are: who made them hashed these very bytes.
    pub digests: Digests,
    /// What cleaning made of it.
    pub article: Article,
    /// The account of every byte.
    pub ledger: Ledger,
    /// How the bytes became characters.
    pub decoding: Decoding,
    /// The rules that cleaned it, `id@sha256:...`.
    pub rules: String,
}

/// A capture whose records are made and packed; [`crate::archive::writer::ArchiveWriter::commit`] archives it.
#[derive(Debug)]
pub struct Prepared {
    pub(super) observation: Observation,
    pub(super) rules: String,
    pub(super) title: Option<String>,
    pub(super) language: Option<String>,
    pub(super) flags: Option<String>,
    pub(super) measure: Measure,
    pub(super) raw_id: RecordId,
    pub(super) raw: PackedRecord,
    pub(super) text: PackedRecord,
    pub(super) metadata: PackedRecord,
    pub(super) metadata_digest: Digest,
}

/// A record and its frame. The record is kept until what was written has been read back and compared.
#[derive(Debug)]
pub(super) struct PackedRecord {
    pub(super) record: NewRecord,
    pub(super) frame: Vec<u8>,
}

impl PackedRecord {
    pub(super) fn new(record: NewRecord) -> PackedRecord {
        let frame = frame::compress(&record.parts());
        PackedRecord { record, frame }
    }
}

impl Prepared {
    /// Bytes that it takes in memory, roughly.
    pub fn bytes(&self) -> usize {
        let records = [&self.raw, &self.text, &self.metadata];
        let bytes = records.iter().map(|r| r.record.bytes() + r.frame.len());
        bytes.sum()
    }
}

/// Makes and packs the records of a capture.
pub fn prepare(draft: Draft) -> Prepared {
    let title = draft.article.title.clone();
    let language = draft.article.language.clone();
    let flags = draft.article.flags();
    let rules = draft.rules.clone();
    let measure = Measure::of(&draft.article, &draft.ledger);
    let observation = Observation {
        claim: draft.claim,
        part: draft.part,
        source: draft.source,
        signature: draft.signature,
        declared: draft.declared,
        received_at: draft.received_at,
        identity: draft.identity,
        raw_bytes: draft.raw.len() as u64,
        media_type: draft.media_type.to_owned(),
        digests: draft.digests,
    };
    let (content, text) = Content::new(draft.decoding, draft.rules, draft.article, draft.ledger);

    let raw_id = RecordId::new(random());
    let raw = raw_record(&observation, &raw_id, draft.raw);
    let text = text_record(&observation, &raw_id, text, &observation.digests.text);
    let block = CaptureBlock {
        faircopy: metadata::title(LeafKind::Capture).to_owned(),
        nonce: nonce(),
        observation,
        content: Some(content),
        same_as: None,
    };
    let (block_bytes, metadata_digest) = metadata::to_bytes(&block);
    let metadata = metadata_record(
        Some(&raw_id),
        block.observation.received_at,
        block_bytes,
        &metadata_digest,
    );
    Prepared {
        raw: PackedRecord::new(raw),
        text: PackedRecord::new(text),
        metadata: PackedRecord::new(metadata),
        observation: block.observation,
        rules,
        title,
        language,
        flags,
        measure,
        raw_id,
        metadata_digest,
    }
}

/// A capture that was cleaned again, to be archived.
#[derive(Debug, Clone)]
pub struct EditionDraft {
    /// The document.
    pub doc: DocId,
    /// Of which capture, which edition, when, with which digests.
    pub edition: Edition,
    /// What was observed of the capture.
    pub observation: Observation,
    /// The record with its raw bytes, or the one that says where they are.
    pub raw_id: RecordId,
    /// What cleaning made of it.
    pub article: Article,
    /// The account of every byte.
    pub ledger: Ledger,
    /// How the bytes became characters.
    pub decoding: Decoding,
    /// The rules that cleaned it.
    pub rules: String,
}

/// An edition whose records are made and packed; [`crate::archive::writer::ArchiveWriter::reclean`] archives it.
#[derive(Debug)]
pub struct PreparedEdition {
    pub(super) doc: DocId,
    pub(super) edition: Edition,
    pub(super) title: Option<String>,
    pub(super) language: Option<String>,
    pub(super) flags: Option<String>,
    pub(super) rules: String,
    pub(super) text: PackedRecord,
    pub(super) metadata: PackedRecord,
    pub(super) metadata_digest: Digest,
}

/// Makes and packs the records of an edition.
pub fn prepare_edition(draft: EditionDraft) -> PreparedEdition {
    let title = draft.article.title.clone();
    let language = draft.article.language.clone();
    let flags = draft.article.flags();
    let rules = draft.rules.clone();
    let (content, text) = Content::new(draft.decoding, draft.rules, draft.article, draft.ledger);
    let digest = &draft.edition.digests.text;
    let text = text_record(&draft.observation, &draft.raw_id, text, digest);
    let block = EditionBlock {
        faircopy: metadata::title(LeafKind::Reclean).to_owned(),
        nonce: nonce(),
        edition: draft.edition,
        content,
    };
    let (bytes, metadata_digest) = metadata::to_bytes(&block);
    let date = block.edition.cleaned_at;
    let metadata = metadata_record(Some(&draft.raw_id), date, bytes, &metadata_digest);
    PreparedEdition {
        doc: draft.doc,
        edition: block.edition,
        title,
        language,
        flags,
        rules,
        text: PackedRecord::new(text),
        metadata: PackedRecord::new(metadata),
        metadata_digest,
    }
}

/// 32 random bytes in hexadecimal digits.
pub(super) fn nonce() -> String {
    hex(&random::<32>())
}

/// What the raw bytes are a capture of: the declared address; else a name made of where the file was found. A page's own
/// word for its address is not taken: a reader of WARC files would believe that it was fetched from there.
pub(crate) fn target_uri(observation: &Observation) -> String {
    let declared = observation.declared.url.as_deref();
    declared.and_then(warc::target_uri).unwrap_or_else(|| {
        let source = &observation.source;
        let path = path_text::to_text(&source.path);
        let name = format!("{}/{}", source.root, path.trim_start_matches('/'));
        // `x-` marks names for experiments in RFC 3406; RFC 8141 leaves them alone.
        format!("urn:x-faircopy:{}", warc::percent_encoded(&name, b"/-._~"))
    })
}

/// The record of the raw bytes.
pub(crate) fn raw_record(observation: &Observation, id: &RecordId, raw: Vec<u8>) -> NewRecord {
    RecordWriter::new("resource", id, observation.captured_at())
        .field("WARC-Target-URI", &target_uri(observation))
        // Without protocol headers block and payload are the same bytes.
        .digest("WARC-Block-Digest", &observation.digests.raw)
        .digest("WARC-Payload-Digest", &observation.digests.raw)
        .finish(Some(&observation.media_type), raw)
}

fn text_record(
    observation: &Observation,
    raw_id: &RecordId,
    text: String,
    digest: &Digest,
) -> NewRecord {
    let id = RecordId::new(random());
    RecordWriter::new("conversion", &id, observation.captured_at())
        .field("WARC-Target-URI", &target_uri(observation))
        .field("WARC-Refers-To", raw_id.as_str())
        .digest("WARC-Block-Digest", digest)
        .finish(Some("text/plain; charset=utf-8"), text)
}

/// A metadata record. It has no Target-URI, since readers would serve it in place of the page, and no payload.
pub(super) fn metadata_record(
    of: Option<&RecordId>,
    date: Timestamp,
    block: Vec<u8>,
    digest: &Digest,
) -> NewRecord {
    let mut record = RecordWriter::new("metadata", &RecordId::new(random()), date);
    if let Some(of) = of {
        record = record.field("WARC-Refers-To", of.as_str());
    }
    record
        .digest("WARC-Block-Digest", digest)
        .finish(Some("application/json"), block)
}

/// Where the bytes of a revisit are: headers of the record that has them.
#[derive(Debug, Clone)]
pub(crate) struct RevisitTarget {
    pub(crate) id: String,
    pub(crate) uri: String,
    pub(crate) date: String,
}

/// A record that says: these bytes again (WARC 1.1, 6.7.2).
pub(crate) fn revisit_record(
    observation: &Observation,
    id: &RecordId,
    target: &RevisitTarget,
) -> NewRecord {
    RecordWriter::new("revisit", id, observation.captured_at())
        .field("WARC-Target-URI", &target_uri(observation))
        .field("WARC-Profile", IDENTICAL_PAYLOAD)
        .field("WARC-Refers-To", &target.id)
        .field("WARC-Refers-To-Target-URI", &target.uri)
        .field("WARC-Refers-To-Date", &target.date)
        .digest("WARC-Block-Digest", &Digest::of(b""))
        .digest("WARC-Payload-Digest", &observation.digests.raw)
        .finish(Some(&observation.media_type), b"")
}
