//! What the catalog knows of holds and erasures, and how it forgets.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{Catalog, digest, malformed, segment, segment_column, signed, unsigned, with_suffix};
use crate::archive::Error;
use crate::archive::leaf::LeafKind;
use crate::archive::segment::SegmentId;
use crate::digest::Digest;
use crate::identity::{CaptureId, DocId};
use crate::submission::{ClaimId, Source, path_text};

/// That a document was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedRow {
    /// Index of the leaf that says so: it stands for all leaves of the document before it.
    pub leaf: u64,
    /// When; `None` if that record is gone.
    pub at: Option<Timestamp>,
}

/// What else there may be of a document outside of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The attempt that archived it.
    pub claim: ClaimId,
    /// Where it was found.
    pub source: Source,
    /// Its raw bytes.
    pub raw: Digest,
    /// How many they are.
    pub raw_bytes: u64,
    /// Whether a capture of another document has the same.
    pub is_shared: bool,
}

impl Catalog {
    /// The leaf that holds a document, if it is held.
    pub fn held(&self, doc: &DocId) -> Result<Option<u64>, Error> {
        let sql = "SELECT leaf, kind FROM events WHERE doc = ?1 AND kind IN ('hold', 'release') \
                   ORDER BY leaf DESC LIMIT 1";
        let last = self.first(sql, [&doc.0], |row| {
            Ok((unsigned(row, 0)?, row.get::<_, String>(1)?))
        })?;
        let hold = last.filter(|(_, kind)| kind == LeafKind::Hold.as_str());
        Ok(hold.map(|(leaf, _)| leaf))
    }

    /// Whether a document was erased, and when last.
    pub fn erased(&self, doc: &DocId) -> Result<Option<ErasedRow>, Error> {
        let sql = "SELECT leaf, happened_at FROM events WHERE doc = ?1 AND kind = 'erase' ORDER BY leaf DESC LIMIT 1";
        self.first(sql, [&doc.0], |row| {
            let at: Option<i64> = row.get(1)?;
            Ok(ErasedRow {
                leaf: unsigned(row, 0)?,
                at: at.and_then(|at| Timestamp::from_microsecond(at).ok()),
            })
        })
    }

    /// Whether a capture has its records: it is neither lost nor erased.
    pub fn is_there(&self, id: &CaptureId) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM captures WHERE doc = ?1 AND capture = ?2 AND segment IS NOT NULL";
        let found = self.first(sql, params![id.doc.0, id.capture], |_| Ok(()))?;
        Ok(found.is_some())
    }

    /// Documents that were erased and have records left from before.
    pub fn unfinished_erasures(&self) -> Result<Vec<(DocId, u64)>, Error> {
        let sql = "SELECT doc, max(leaf) FROM events WHERE kind = 'erase' GROUP BY doc";
        let erased = self.all(sql, [], |row| Ok((DocId(row.get(0)?), unsigned(row, 1)?)))?;
        let mut unfinished = Vec::new();
        for (doc, before) in erased {
            if !self.leaves_with_records(&doc, before)?.is_empty() {
                unfinished.push((doc, before));
            }
        }
        Ok(unfinished)
    }

    /// The leaves of a document before `before` whose records are there, with the segments in which they lie.
    pub fn leaves_with_records(
        &self,
        doc: &DocId,
        before: u64,
    ) -> Result<Vec<(u64, SegmentId)>, Error> {
        let sql = "SELECT leaf, segment FROM leaves WHERE doc = ?1 AND leaf < ?2 AND segment IS NOT NULL ORDER BY leaf";
        self.all(sql, params![doc.0, signed(before)], |row| {
            Ok((unsigned(row, 0)?, segment(row, 1)?))
        })
    }

    /// The segments with captures of any of these raw bytes. All captures are looked at: erasing is rare, and an index of raw
    /// bytes would cost each capture another page to write.
    pub fn segments_with(&self, raws: &BTreeSet<Digest>) -> Result<BTreeSet<SegmentId>, Error> {
        let mut segments = BTreeSet::new();
        if raws.is_empty() {
            return Ok(segments);
        }
        let sql = "SELECT raw, segment FROM capture_rows WHERE segment IS NOT NULL";
        self.each(sql, [], |row| {
            if raws.contains(&digest(row, 0)?) {
                segments.insert(segment(row, 1)?);
            }
            Ok(())
        })?;
        Ok(segments)
    }

    /// What there may be of a document's captures outside of the archive.
    pub fn traces(&self, doc: &DocId) -> Result<Vec<Trace>, Error> {
        // Others are looked for in one walk over all captures: see [`Catalog::segments_with`].
        let sql = "SELECT claim, root, path, raw, raw_bytes, raw IN (SELECT raw FROM captures WHERE doc <> ?1 AND raw IN \
                   (SELECT raw FROM captures WHERE doc = ?1)) \
                   FROM captures WHERE doc = ?1 AND segment IS NOT NULL ORDER BY leaf";
        self.all(sql, [&doc.0], |row| {
            Ok(Trace {
                claim: ClaimId::parse(&row.get::<_, String>(0)?).ok_or_else(|| malformed(0))?,
                source: Source {
                    root: row.get(1)?,
                    path: path_text::from_text(&row.get::<_, String>(2)?),
                },
                raw: digest(row, 3)?,
                raw_bytes: unsigned(row, 4)?,
                is_shared: row.get(5)?,
            })
        })
    }

    /// Forgets what the records of a leaf said; what the leaf itself says stays.
    pub fn forget(&self, leaf: u64) -> Result<(), Error> {
        let sql = "SELECT doc FROM documents WHERE doc = (SELECT doc FROM captures WHERE leaf = ?1) AND leaf = ?1";
        let listed = self.first(sql, [signed(leaf)], |row| Ok(DocId(row.get(0)?)))?;
        let sql = "UPDATE capture_rows SET same_as = NULL, change = NULL, claim = NULL, part = NULL, root = NULL, path = NULL, \
                   signature = NULL, captured_at = NULL, received_at = NULL, url = NULL, media_type = NULL, \
                   raw_bytes = NULL, raw = NULL, text = NULL, story = NULL, title = NULL, \
                   language = NULL, flags = NULL, rules = NULL, \
                   input_bytes = NULL, removed_bytes = NULL, footers = NULL, credits = NULL, captions = NULL, \
                   text_offset = NULL, text_length = NULL, segment = NULL, metadata_offset = NULL, \
                   metadata_length = NULL WHERE leaf = ?1";
        self.run(sql, [signed(leaf)])?;
        self.run("DELETE FROM editions WHERE leaf = ?1", [signed(leaf)])?;
        if let Some(doc) = listed {
            self.list_anew(&doc)?;
        }
        let sql = "UPDATE events SET happened_at = NULL, detail = NULL, segment = NULL, metadata_offset = NULL, \
                   metadata_length = NULL WHERE leaf = ?1";
        self.run(sql, [signed(leaf)])
    }

    /// Forgets by what a document can be found.
    pub fn forget_names(&self, doc: &DocId) -> Result<(), Error> {
        self.run("DELETE FROM names WHERE doc = ?1", [&doc.0])
    }

    /// Forgets which raw bytes are in a segment.
    pub fn forget_raws(&self, segment: SegmentId) -> Result<(), Error> {
        let sql = "DELETE FROM raws WHERE segment = ?1";
        self.run(sql, [segment_column(segment)])
    }

    /// Leaves nothing of what was forgotten in the file, its write-ahead log, or copies that were set aside. Waits for
    /// readers that still see it; an error if they do not end.
    pub fn scrub(&self) -> Result<(), Error> {
        let scrubbed = self.connection.execute_batch("VACUUM").and_then(|()| {
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            let read = |row: &Row<'_>| row.get::<_, i64>(0);
            self.connection.query_row(sql, [], read)
        });
        match scrubbed {
            Ok(0) => {}
            Ok(_) => return Err(self.refuse("readers hold on to what was erased".to_owned())),
            Err(error) => return Err(self.error("scrub", error)),
        }
        let folder = crate::durable::folder_of(&self.path);
        let aside = with_suffix(&self.path, ".damaged-");
        let aside = aside.file_name().unwrap_or_default().to_owned();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name
                .as_encoded_bytes()
                .starts_with(aside.as_encoded_bytes())
            {
                std::fs::remove_file(entry.path())
                    .map_err(|source| Error::io("remove", &entry.path(), source))?;
            }
        }
        Ok(())
    }
}
