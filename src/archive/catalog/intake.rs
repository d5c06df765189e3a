//! What the writer and the recovery ask of the catalog, and put into it.

use std::sync::LazyLock;

use jiff::Timestamp;
use rusqlite::{Row, ToSql, params};
use serde::de::DeserializeOwned;

use super::{
    Announced, CaptureRow, Catalog, Change, ContentRow, DocState, HighWater, NewCapture, PinRow,
    change, digest, kind, location, malformed, segment, segment_column, signed, unsigned,
};
use crate::archive::Error;
use crate::archive::bonds::Bonds;
use crate::archive::leaf::{Leaf, LeafKind};
use crate::archive::metadata::{Edition, Event, Observation};
use crate::archive::segment::{Location, Position};
use crate::digest::Digest;
use crate::identity::{CaptureId, DocId, IdentityKind, VersionId, normalise_url};
use crate::submission::{ClaimId, Signature, Source, path_text};

/// The columns of a capture that its records tell, with values from `?2` on.
const FILLED: [&str; 28] = [
    "same_as",
    "claim",
    "part",
    "root",
    "path",
    "signature",
    "captured_at",
    "received_at",
    "url",
    "media_type",
    "raw_bytes",
    "raw",
    "text",
    "story",
    "title",
    "rules",
    "text_offset",
    "text_length",
    "segment",
    "metadata_offset",
    "metadata_length",
    "input_bytes",
    "removed_bytes",
    "footers",
    "credits",
    "captions",
    "language",
    "flags",
];

/// [`FILLED`] and its values, as they stand in a statement.
fn filled() -> (String, String) {
    let values: Vec<String> = (2..FILLED.len() + 2).map(|n| format!("?{n}")).collect();
    (FILLED.join(", "), values.join(", "))
}

impl Catalog {
    /// Starts a transaction: all that follows is visible to others at [`Catalog::commit`], or never.
    pub fn begin(&self) -> Result<(), Error> {
        self.run("BEGIN IMMEDIATE", [])
    }

    /// Ends a transaction.
    pub fn commit(&self) -> Result<(), Error> {
        self.run("COMMIT", [])
    }

    /// How far the catalog covers the log.
    pub fn high_water(&self) -> Result<HighWater, Error> {
        let sql = r#"SELECT leaves, segment, "offset" FROM high_water"#;
        let read = |row: &Row<'_>| {
            Ok(HighWater {
                leaves: unsigned(row, 0)?,
                end: Position {
                    segment: segment(row, 1)?,
                    offset: unsigned(row, 2)?,
                },
            })
        };
        self.first(sql, [], read)?
            .ok_or_else(|| self.refuse("it has no high-water mark".into()))
    }

    /// Whether the records of the last leaf end where the catalog says that writing goes on, or nothing is in that segment yet.
    pub fn is_end_known(&self) -> Result<bool, Error> {
        loop {
            let mark = self.high_water()?;
            let is_known = self.is_end(mark)?;
            // A writer may have gone on between the questions.
            if self.high_water()? == mark {
                return Ok(is_known);
            }
        }
    }

    fn is_end(&self, HighWater { leaves, end }: HighWater) -> Result<bool, Error> {
        if end.offset == 0 {
            let sql = "SELECT leaf FROM leaves WHERE segment = ?1 LIMIT 1";
            let inside = self.first(sql, [segment_column(end.segment)], |_| Ok(()))?;
            return Ok(inside.is_none());
        }
        let last = leaves.checked_sub(1);
        let last = last.map(|leaf| self.metadata_at(leaf)).transpose()?;
        Ok(last.flatten().is_some_and(|at| at.end() == end))
    }

    /// The catalog covers the log so far.
    pub fn set_high_water(&self, to: HighWater) -> Result<(), Error> {
        let sql = r#"UPDATE high_water SET leaves = ?1, segment = ?2, "offset" = ?3"#;
        let end = to.end;
        let values = params![
            signed(to.leaves),
            segment_column(end.segment),
            signed(end.offset)
        ];
        self.run(sql, values)
    }

    /// Takes in what a leaf says by itself; its records are still to be found.
    pub fn announce(&self, index: u64, leaf: &Leaf) -> Result<(), Error> {
        let (index, metadata) = (signed(index), leaf.metadata.as_bytes());
        match leaf.kind {
            LeafKind::Capture => {
                if leaf.capture == Some(1) {
                    let sql = "INSERT INTO documents (doc) VALUES (?1) ON CONFLICT DO NOTHING";
                    self.run(sql, [&leaf.doc.0])?;
                }
                self.run(
                    "INSERT INTO capture_rows (leaf, document, capture, version, metadata) \
                     VALUES (?1, (SELECT number FROM documents WHERE doc = ?2), ?3, ?4, ?5)",
                    params![index, leaf.doc.0, leaf.capture, leaf.version, metadata],
                )
            }
            kind => self.run(
                "INSERT INTO events (leaf, kind, doc, capture, metadata) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![index, kind.as_str(), leaf.doc.0, leaf.capture, metadata],
            ),
        }
    }

    /// The announced leaf that commits to a metadata block and whose record was not found so far.
    pub fn announced(&self, metadata: &Digest) -> Result<Option<Announced>, Error> {
        let sql = "SELECT leaf, doc, kind, capture FROM leaves WHERE metadata = ?1 AND segment IS NULL \
                   ORDER BY leaf LIMIT 1";
        self.first(sql, [metadata.as_bytes()], announced)
    }

    /// Takes in the records of an announced capture.
    pub fn fill_capture(&self, leaf: u64, new: &NewCapture<'_>) -> Result<(), Error> {
        static SQL: LazyLock<String> = LazyLock::new(|| {
            let (columns, values) = filled();
            format!(
                "UPDATE capture_rows SET ({columns}) = ({values}), change = CASE WHEN ?2 IS NOT NULL THEN 'none' \
                 WHEN version = (SELECT c.version FROM capture_rows AS c \
                 WHERE c.document = capture_rows.document AND c.capture = capture_rows.capture - 1) THEN 'furniture' \
                 ELSE 'story' END WHERE leaf = ?1"
            )
        });
        self.run_filled(&SQL, leaf, new, &[])?;
        self.list(leaf)
    }

    /// Takes in a capture whose leaf and records are all at hand: what [`Catalog::announce`] and [`Catalog::fill_capture`] do one
    /// after the other, but each row and each entry of an index is written once. `state` is what its document was like before.
    pub fn add_capture(
        &self,
        index: u64,
        leaf: &Leaf,
        state: &DocState,
        new: &NewCapture<'_>,
    ) -> Result<(), Error> {
        static SQL: LazyLock<String> = LazyLock::new(|| {
            let (columns, values) = filled();
            let next = FILLED.len() + 2;
            let more: Vec<String> = (next..next + 5)
                .map(|number| format!("?{number}"))
                .collect();
            format!(
                "INSERT INTO capture_rows (leaf, {columns}, document, capture, version, metadata, change) \
                 VALUES (?1, {values}, {})",
                more.join(", ")
            )
        });
        let document = match state.number {
            Some(number) => number,
            None => self.add_document(index, leaf, new)?,
        };
        let change = match new.same_as {
            Some(_) => Change::None,
            None if leaf.version == Some(state.version) => Change::Furniture,
            None => Change::Story,
        };
        let metadata = leaf.metadata.as_bytes();
        let more = params![
            document,
            leaf.capture,
            leaf.version,
            metadata,
            change.as_str()
        ];
        self.run_filled(&SQL, index, new, more)?;
        match state.number {
            Some(_) => self.list(index),
            None => Ok(()),
        }
    }

    /// Runs a statement with the leaf, with what [`FILLED`] names, and with more.
    fn run_filled(
        &self,
        sql: &str,
        leaf: u64,
        new: &NewCapture<'_>,
        more: &[&dyn ToSql],
    ) -> Result<(), Error> {
        let o = new.observation;
        let content = new.content.as_ref();
        let measure = content.and_then(|content| content.measure);
        let count = |count: usize| signed(count as u64);
        let url = o.declared.url.as_deref().and_then(normalise_url);
        let values = params![
            signed(leaf),
            new.same_as,
            o.claim.as_str(),
            o.part,
            o.source.root,
            path_text::to_text(&o.source.path),
            o.signature.as_ref().map(signature_text),
            o.captured_at().as_microsecond(),
            o.received_at.as_microsecond(),
            url,
            o.media_type,
            signed(o.raw_bytes),
            o.digests.raw.as_bytes(),
            o.digests.text.as_bytes(),
            o.digests.story.as_bytes(),
            content.and_then(|content| content.title),
            content.map(|content| content.rules),
            new.text.map(|t| signed(t.offset)),
            new.text.map(|t| signed(t.length)),
            segment_column(new.metadata.segment),
            signed(new.metadata.offset),
            signed(new.metadata.length),
            measure.map(|m| count(m.extent.input)),
            measure.map(|m| count(m.extent.removed)),
            measure.map(|m| count(m.footers)),
            measure.map(|m| count(m.credits)),
            measure.map(|m| count(m.captions)),
            content.and_then(|content| content.language),
            content.and_then(|content| content.flags),
        ];
        self.run(sql, &*[values, more].concat())
    }

    /// Remembers by what a document can be found.
    pub fn add_names(&self, doc: &DocId, observation: &Observation) -> Result<(), Error> {
        for evidence in &observation.identity.evidence {
            self.add_name(doc, evidence.kind, &evidence.value)?;
        }
        Ok(())
    }

    fn add_name(&self, doc: &DocId, kind: IdentityKind, name: &str) -> Result<(), Error> {
        let kind = match kind {
            IdentityKind::Id => "id",
            IdentityKind::Url => "url",
            IdentityKind::Canonical => "canonical",
            IdentityKind::Path => "path",
        };
        let sql = "INSERT OR IGNORE INTO names (name, kind, doc) VALUES (?1, ?2, ?3)";
        self.run(sql, params![name, kind, doc.0])
    }

    /// Takes in the record of an announced event.
    pub fn fill_event(
        &self,
        leaf: u64,
        doc: &DocId,
        event: &Event,
        metadata: Location,
    ) -> Result<(), Error> {
        let detail = match event {
            Event::Pin(record) => Some(serde_json::to_string(record)),
            Event::Key(record) => Some(serde_json::to_string(record)),
            Event::Link(record) => Some(serde_json::to_string(record)),
            Event::Split(record) => Some(serde_json::to_string(record)),
            Event::Hold(record) | Event::Release(record) | Event::Erase(record) => {
                Some(serde_json::to_string(record))
            }
            // Its packs are long and asked for by whoever cleans by them again; that there is such a set, by each start.
            Event::Rules(rules) => Some(serde_json::to_string(&rules.id)),
            Event::Revision(_) => None,
        };
        let detail = detail.transpose();
        let detail = detail.expect("keys are strings and nothing else can fail");
        self.place_event(leaf, event.at(), detail, metadata)?;
        if let Event::Revision(revision) = event
            && let Some(url) = revision.declared.url.as_deref().and_then(normalise_url)
        {
            self.add_name(doc, IdentityKind::Url, &url)?;
        }
        Ok(())
    }

    fn place_event(
        &self,
        leaf: u64,
        at: Timestamp,
        detail: Option<String>,
        metadata: Location,
    ) -> Result<(), Error> {
        self.run(
            "UPDATE events SET happened_at = ?2, detail = ?3, segment = ?4, metadata_offset = ?5, \
             metadata_length = ?6 WHERE leaf = ?1",
            params![
                signed(leaf),
                at.as_microsecond(),
                detail,
                segment_column(metadata.segment),
                signed(metadata.offset),
                signed(metadata.length)
            ],
        )
    }

    /// Takes in the records of an announced edition.
    pub fn fill_edition(
        &self,
        leaf: u64,
        doc: &DocId,
        edition: &Edition,
        content: &ContentRow<'_>,
        text: Option<Location>,
        metadata: (Location, Digest),
    ) -> Result<(), Error> {
        let (at, digest) = metadata;
        self.place_event(leaf, edition.cleaned_at, None, at)?;
        self.run(
            "INSERT OR REPLACE INTO editions VALUES \
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
            params![
                signed(leaf),
                doc.0,
                edition.capture,
                edition.edition,
                edition.cleaned_at.as_microsecond(),
                digest.as_bytes(),
                edition.digests.raw.as_bytes(),
                edition.digests.text.as_bytes(),
                edition.digests.story.as_bytes(),
                content.title,
                content.language,
                content.flags,
                content.rules,
                text.map(|t| signed(t.offset)),
                text.map(|t| signed(t.length)),
                segment_column(at.segment),
                signed(at.offset),
                signed(at.length),
            ],
        )?;
        self.list_again(doc)
    }

    /// The leaf and the place of the record that holds a set of rules, by its name.
    pub fn rule_set(&self, id: &str) -> Result<Option<(Digest, Location)>, Error> {
        let sql = "SELECT metadata, segment, metadata_offset, metadata_length FROM events \
                   WHERE kind = 'rules' AND detail = ?1 AND segment IS NOT NULL LIMIT 1";
        let read = |row: &Row<'_>| Ok((digest(row, 0)?, location(row, [1, 2, 3])?));
        let found = self.first(sql, [serde_json::json!(id).to_string()], read)?;
        Ok(found.and_then(|(digest, at)| Some((digest, at?))))
    }

    /// The details of all events of a kind whose record is found, in the order in which they happened, with their leaves.
    fn details<T: DeserializeOwned>(&self, kind: LeafKind) -> Result<Vec<(u64, T)>, Error> {
        let sql =
            "SELECT leaf, detail FROM events WHERE kind = ?1 AND segment IS NOT NULL ORDER BY leaf";
        self.all(sql, [kind.as_str()], |row| {
            let detail = serde_json::from_str(&row.get::<_, String>(1)?);
            Ok((unsigned(row, 0)?, detail.map_err(|_| malformed(1))?))
        })
    }

    /// What persons said of documents being one or two.
    pub fn bonds(&self) -> Result<Bonds, Error> {
        let links = self.details(LeafKind::Link)?.into_iter();
        let splits = self.details(LeafKind::Split)?.into_iter();
        Ok(Bonds::new(
            links.map(|(_, record)| record).collect(),
            splits.map(|(_, record)| record).collect(),
        ))
    }

    /// All pins whose record is found, in the order in which they were made.
    pub fn pins(&self) -> Result<Vec<PinRow>, Error> {
        let pins = self.details(LeafKind::Pin)?.into_iter();
        Ok(pins.map(|(leaf, record)| PinRow { leaf, record }).collect())
    }

    /// Remembers where raw bytes are.
    pub fn put_raw(&self, digest: &Digest, at: Location) -> Result<(), Error> {
        self.run(
            "INSERT OR REPLACE INTO raws VALUES (?1, ?2, ?3, ?4)",
            params![
                digest.as_bytes(),
                segment_column(at.segment),
                signed(at.offset),
                signed(at.length)
            ],
        )
    }

    /// Remembers where raw bytes are, unless there are such already; whether it does.
    pub fn add_raw(&self, digest: &Digest, at: Location) -> Result<bool, Error> {
        let sql = "INSERT OR IGNORE INTO raws VALUES (?1, ?2, ?3, ?4)";
        let values = params![
            digest.as_bytes(),
            segment_column(at.segment),
            signed(at.offset),
            signed(at.length)
        ];
        Ok(self.run_counted(sql, values)? > 0)
    }

    /// Where raw bytes are.
    pub fn raw(&self, digest: &Digest) -> Result<Option<Location>, Error> {
        let sql = r#"SELECT segment, "offset", length FROM raws WHERE digest = ?1"#;
        let read = |row: &Row<'_>| location(row, [0, 1, 2]);
        Ok(self.first(sql, [digest.as_bytes()], read)?.flatten())
    }

    /// What a new capture of `doc` is compared with.
    pub fn doc_state(&self, doc: &DocId) -> Result<DocState, Error> {
        // A source has no captures and may have pins.
        let sql = "SELECT (SELECT number FROM documents WHERE doc = ?1), (SELECT max(leaf) FROM events WHERE doc = ?1)";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let known: Option<(Option<i64>, Option<i64>)> = self.first(sql, [&doc.0], read)?;
        let (number, other) = known.unwrap_or_default();
        let Some((capture, version, leaf)) = number.map_or(Ok(None), |_| self.last_capture(doc))?
        else {
            return Ok(DocState {
                number,
                leaf: other.map(i64::cast_unsigned),
                ..DocState::default()
            });
        };
        let sql = "SELECT coalesce((SELECT e.story FROM editions AS e WHERE e.doc = c.doc \
                   AND e.capture = coalesce(c.same_as, c.capture) ORDER BY e.edition DESC LIMIT 1), c.story) \
                   FROM captures AS c WHERE c.doc = ?1 AND c.version = ?2 AND c.story IS NOT NULL \
                   ORDER BY c.capture DESC LIMIT 1";
        let story = self.first(sql, params![doc.0, version], |row| digest(row, 0))?;
        Ok(DocState {
            number,
            capture,
            version,
            story,
            leaf: Some(leaf.max(other.unwrap_or(leaf)).cast_unsigned()),
        })
    }

    /// Number, version and leaf of a document's last capture, lost or not. Versions never go down as captures go up: it tells
    /// how many there are of both.
    pub(super) fn last_capture(&self, doc: &DocId) -> Result<Option<(u32, u32, i64)>, Error> {
        let sql = "SELECT capture, version, leaf FROM captures WHERE doc = ?1 ORDER BY capture DESC LIMIT 1";
        self.first(sql, [&doc.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
    }

    /// The capture of this version of a document that has these raw bytes and content of its own. Raw bytes of which the archive
    /// has no record were not captured before, or are lost and wanted whole again: so not every capture of the document is
    /// looked at each time that it changed.
    pub fn same_bytes(
        &self,
        doc: &DocId,
        version: u32,
        raw: &Digest,
    ) -> Result<Option<CaptureRow>, Error> {
        if version == 0 || self.raw(raw)?.is_none() {
            return Ok(None);
        }
        let wanted = "c.doc = ?1 AND c.raw = ?3 AND c.version = ?2 AND c.same_as IS NULL ORDER BY c.capture LIMIT 1";
        let values = params![doc.0, version, raw.as_bytes()];
        Ok(self.captures_where(wanted, values)?.pop())
    }

    /// What became of a part of a claim.
    pub fn outcome(
        &self,
        claim: &ClaimId,
        part: u32,
    ) -> Result<Option<(Change, CaptureId, VersionId)>, Error> {
        let sql =
            "SELECT doc, capture, version, change FROM captures WHERE claim = ?1 AND part = ?2";
        self.first(sql, params![claim.as_str(), part], |row| {
            let doc = DocId(row.get(0)?);
            let capture = CaptureId {
                doc: doc.clone(),
                capture: row.get(1)?,
            };
            let version = VersionId {
                doc,
                version: row.get(2)?,
            };
            Ok((change(row, 3)?, capture, version))
        })
    }

    /// The capture of the same document by the same fetch, of a part of a container that was read before: the same bytes,
    /// fetched at the same time, or in the same place of the same file.
    pub fn same_fetch(
        &self,
        doc: &DocId,
        observation: &Observation,
    ) -> Result<Option<(CaptureId, VersionId)>, Error> {
        let o = observation;
        let sql = "SELECT capture, version FROM captures WHERE doc = ?1 AND raw = ?2 AND part > 0 AND (captured_at = ?3 \
                   OR part = ?4 AND root = ?5 AND path = ?6 AND signature = ?7) ORDER BY capture LIMIT 1";
        let values = params![
            doc.0,
            o.digests.raw.as_bytes(),
            o.captured_at().as_microsecond(),
            o.part,
            o.source.root,
            path_text::to_text(&o.source.path),
            o.signature.as_ref().map(signature_text),
        ];
        self.first(sql, values, |row| {
            let (doc, capture, version) = (doc.clone(), row.get(0)?, row.get(1)?);
            let version = VersionId {
                doc: doc.clone(),
                version,
            };
            Ok((CaptureId { doc, capture }, version))
        })
    }

    /// Whether a file that is one document is archived by this claim. Of a container some parts may be, and others not yet: it
    /// is read again.
    pub fn has_claim(&self, claim: &ClaimId) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM captures WHERE claim = ?1 AND part = 0 LIMIT 1";
        let found = self.first(sql, [claim.as_str()], |_| Ok(()))?;
        Ok(found.is_some())
    }

    /// Whether this state of this file is archived.
    pub fn has_signature(&self, source: &Source, signature: &Signature) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM captures WHERE path = ?1 AND root = ?2 AND signature = ?3 AND part = 0 LIMIT 1";
        let path = path_text::to_text(&source.path);
        let values = params![path, source.root, signature_text(signature)];
        Ok(self.first(sql, values, |_| Ok(()))?.is_some())
    }

    /// The last capture of a file.
    pub fn last_of_source(&self, source: &Source) -> Result<Option<CaptureId>, Error> {
        let sql = "SELECT doc, capture FROM captures WHERE path = ?1 AND root = ?2 ORDER BY leaf DESC LIMIT 1";
        let path = path_text::to_text(&source.path);
        self.first(sql, params![path, source.root], |row| {
            Ok(CaptureId {
                doc: DocId(row.get(0)?),
                capture: row.get(1)?,
            })
        })
    }

    /// The metadata record that was archived last for a capture, its own or a revision's: its block's digest and its place.
    /// `None` if it is lost.
    pub fn last_metadata(&self, id: &CaptureId) -> Result<Option<(Digest, Location)>, Error> {
        let sql = "SELECT metadata, segment, metadata_offset, metadata_length FROM leaves \
                   WHERE doc = ?1 AND capture = ?2 AND kind IN ('capture', 'metadata_revision') \
                   ORDER BY leaf DESC LIMIT 1";
        let read = |row: &Row<'_>| Ok((digest(row, 0)?, location(row, [1, 2, 3])?));
        let last = self.first(sql, params![id.doc.0, id.capture], read)?;
        Ok(last.and_then(|(digest, at)| Some((digest, at?))))
    }

    /// The digest of the metadata that the catalog has for a leaf.
    pub fn metadata_of_leaf(&self, index: u64) -> Result<Option<Digest>, Error> {
        let sql = "SELECT metadata FROM leaves WHERE leaf = ?1";
        self.first(sql, [signed(index)], |row| digest(row, 0))
    }

    /// The leaves from `from` on whose metadata record is lost; what was erased is not.
    pub fn lost(&self, from: u64) -> Result<Vec<Announced>, Error> {
        let sql = "SELECT leaf, doc, kind, capture FROM leaves WHERE segment IS NULL AND leaf >= ?1 AND NOT EXISTS \
                   (SELECT 1 FROM events AS e WHERE e.kind = 'erase' AND e.doc = leaves.doc AND e.leaf > leaves.leaf) \
                   ORDER BY leaf";
        self.all(sql, [signed(from)], announced)
    }
}

fn announced(row: &Row<'_>) -> rusqlite::Result<Announced> {
    Ok(Announced {
        leaf: unsigned(row, 0)?,
        doc: DocId(row.get(1)?),
        kind: kind(row, 2)?,
        capture: row.get(3)?,
    })
}

/// A signature as one text, since nanoseconds need more than SQLite's 64 bits.
fn signature_text(s: &Signature) -> String {
    format!(
        "{}:{}:{}:{}:{}",
        s.device, s.inode, s.size, s.mtime_ns, s.ctime_ns
    )
}
