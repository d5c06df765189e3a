//! What readers and `check` ask of the catalog.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Row, params};

use super::{
    CaptureRow, Catalog, Counts, DocumentRow, EditionId, EditionRow, HistoryRow, LeafRow,
    Locations, MeasureRow, change, digest, kind, location, malformed, segment, segment_column,
    signed, timestamp, unsigned,
};
use crate::archive::Error;
use crate::archive::metadata::{Extent, Measure};
use crate::archive::segment::{Location, Position, SegmentId};
use crate::article::Digests;
use crate::digest::Digest;
use crate::identity::{CaptureId, DocId};
use crate::submission::{ClaimId, Source, path_text};

/// What readers ask.
impl Catalog {
    /// The captures that `wanted` (a condition on `c`, and an order) selects.
    pub(super) fn captures_where(
        &self,
        wanted: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<CaptureRow>, Error> {
        let sql = format!("{SELECT_CAPTURES} WHERE c.segment IS NOT NULL AND {wanted}");
        self.all(&sql, values, capture_row)
    }

    /// All documents, in the order of their last leaf.
    pub fn documents(&self) -> Result<Vec<DocumentRow>, Error> {
        let latest = self.captures_where(
            "c.leaf IN (SELECT leaf FROM (SELECT leaf, row_number() OVER \
             (PARTITION BY doc ORDER BY captured_at DESC, capture DESC) AS n FROM captures WHERE segment IS NOT NULL) \
             WHERE n = 1) ORDER BY c.leaf",
            [],
        )?;
        let sql = "SELECT doc, count(*), max(version) FROM captures GROUP BY doc";
        let counts = self.all(sql, [], |row| {
            Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?)))
        })?;
        let counts: HashMap<String, (u32, u32)> = counts.into_iter().collect();
        let editions = self.latest_editions()?;
        let rows = latest.into_iter().map(|latest| {
            let id = CaptureId {
                doc: latest.doc.clone(),
                capture: latest.content_of(),
            };
            let latest = match editions.get(&id) {
                Some(edition) => latest.in_edition(edition),
                None => latest,
            };
            let (captures, versions) = counts.get(&latest.doc.0).copied().unwrap_or_default();
            DocumentRow {
                doc: latest.doc.clone(),
                captures,
                versions,
                latest,
            }
        });
        Ok(rows.collect())
    }

    /// The latest editions of all captures that have some.
    fn latest_editions(&self) -> Result<HashMap<CaptureId, EditionRow>, Error> {
        let sql = format!(
            "{SELECT_EDITIONS} AS e WHERE edition = (SELECT max(edition) FROM editions AS o \
             WHERE o.doc = e.doc AND o.capture = e.capture)"
        );
        let read = |row: &Row<'_>| {
            let edition = edition_row(row)?;
            let id = CaptureId {
                doc: DocId(row.get(15)?),
                capture: edition.capture,
            };
            Ok((id, edition))
        };
        Ok(self.all(&sql, [], read)?.into_iter().collect())
    }

    /// A capture as its latest edition shows it.
    pub fn in_latest_edition(&self, row: CaptureRow) -> Result<CaptureRow, Error> {
        let id = CaptureId {
            doc: row.doc.clone(),
            capture: row.content_of(),
        };
        Ok(match self.latest_edition(&id)? {
            Some(edition) => row.in_edition(&edition),
            None => row,
        })
    }

    /// Documents whose id follows `after`, in the order of ids; a thousand at most.
    pub fn docs_after(&self, after: &str) -> Result<Vec<DocId>, Error> {
        let sql = "SELECT doc FROM documents WHERE doc > ?1 ORDER BY doc LIMIT 1000";
        self.all(sql, [after], |row| Ok(DocId(row.get(0)?)))
    }

    /// The captures among these leaves that brought a new version, in their order; so many at most.
    pub fn new_versions(
        &self,
        leaves: std::ops::Range<u64>,
        max: u32,
    ) -> Result<Vec<CaptureRow>, Error> {
        let wanted = "c.leaf >= ?1 AND c.leaf < ?2 AND c.change = 'story' ORDER BY c.leaf LIMIT ?3";
        let values = params![signed(leaves.start), signed(leaves.end), max];
        self.captures_where(wanted, values)
    }

    /// The captures that brought a version and were cleaned again by one of these leaves.
    pub fn recleaned_versions(
        &self,
        leaves: std::ops::Range<u64>,
    ) -> Result<Vec<CaptureRow>, Error> {
        let wanted = "c.change = 'story' AND (c.doc, c.capture) IN \
                      (SELECT doc, capture FROM editions WHERE leaf >= ?1 AND leaf < ?2)";
        self.captures_where(wanted, [signed(leaves.start), signed(leaves.end)])
    }

    /// The captures of a document in the order of archiving.
    pub fn captures(&self, doc: &DocId) -> Result<Vec<CaptureRow>, Error> {
        self.captures_where("c.doc = ?1 ORDER BY c.capture", [&doc.0])
    }

    /// Of these captures of a document, by their numbers, those that are there.
    pub fn captures_within(
        &self,
        doc: &DocId,
        captures: std::ops::Range<u32>,
    ) -> Result<Vec<CaptureRow>, Error> {
        let wanted = "c.doc = ?1 AND c.capture >= ?2 AND c.capture < ?3 ORDER BY c.capture";
        self.captures_where(wanted, params![doc.0, captures.start, captures.end])
    }

    /// The editions of these captures of a document, the latest of each capture last.
    pub fn editions_within(
        &self,
        doc: &DocId,
        captures: std::ops::Range<u32>,
    ) -> Result<Vec<EditionRow>, Error> {
        let sql = format!(
            "{SELECT_EDITIONS} WHERE doc = ?1 AND capture >= ?2 AND capture < ?3 ORDER BY capture, edition"
        );
        let values = params![doc.0, captures.start, captures.end];
        self.all(&sql, values, edition_row)
    }

    /// The capture of this leaf, if it is one's and is there.
    pub fn capture_of_leaf(&self, leaf: u64) -> Result<Option<CaptureRow>, Error> {
        Ok(self.captures_where("c.leaf = ?1", [signed(leaf)])?.pop())
    }

    /// The captures that brought a version, those archived last first, below this leaf; so many at most.
    pub fn newest_versions(&self, below: u64, max: u32) -> Result<Vec<CaptureRow>, Error> {
        let wanted = "c.leaf < ?1 AND c.change = 'story' ORDER BY c.leaf DESC LIMIT ?2";
        self.captures_where(wanted, params![signed(below), max])
    }

    /// The first leaf that tells of something at that time or later, found by halving: leaves are in the order of time.
    pub fn leaf_at(&self, time: Timestamp) -> Result<u64, Error> {
        let (mut low, mut high) = (0, self.high_water()?.leaves);
        let sql = "SELECT happened_at FROM leaves WHERE leaf = ?1";
        while low < high {
            let middle = low + (high - low) / 2;
            // What is lost tells no time: the next one that does stands for it.
            let mut known = middle;
            let mut at: Option<i64> = None;
            while known < high && at.is_none() {
                at = self
                    .first(sql, [signed(known)], |row| row.get(0))?
                    .flatten();
                known += 1;
            }
            match at {
                Some(at) if at < time.as_microsecond() => low = known,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// The editions of a document's captures, the latest of each capture last.
    pub fn editions(&self, doc: &DocId) -> Result<Vec<EditionRow>, Error> {
        let sql = format!("{SELECT_EDITIONS} WHERE doc = ?1 ORDER BY capture, edition");
        self.all(&sql, [&doc.0], edition_row)
    }

    /// The latest edition of a capture; `None` if it was never cleaned again.
    pub fn latest_edition(&self, id: &CaptureId) -> Result<Option<EditionRow>, Error> {
        let sql = format!(
            "{SELECT_EDITIONS} WHERE doc = ?1 AND capture = ?2 ORDER BY edition DESC LIMIT 1"
        );
        self.first(&sql, params![id.doc.0, id.capture], edition_row)
    }

    /// The capture of a version that was archived last, with its content, in its latest edition.
    pub fn latest_of_version(
        &self,
        doc: &DocId,
        version: u32,
    ) -> Result<Option<CaptureRow>, Error> {
        let wanted =
            "c.doc = ?1 AND c.version = ?2 AND c.same_as IS NULL ORDER BY c.capture DESC LIMIT 1";
        let found = self.captures_where(wanted, params![doc.0, version])?.pop();
        found.map(|row| self.in_latest_edition(row)).transpose()
    }

    /// Whether there are captures that other rules than these may have cleaned.
    pub fn has_other_rules(&self, id: &str) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM events WHERE kind = 'rules' AND detail IS NOT ?1) \
                   OR EXISTS (SELECT 1 FROM captures) \
                   AND NOT EXISTS (SELECT 1 FROM events WHERE kind = 'rules' AND detail IS ?1)";
        let id = serde_json::json!(id).to_string();
        let has = self.first(sql, [id], |row| row.get(0))?;
        Ok(has.unwrap_or(false))
    }

    /// Captures with content of their own whose leaf is `from` or comes later, in the order of archiving.
    pub fn contents(&self, from: u64, count: u32) -> Result<Vec<CaptureRow>, Error> {
        let wanted = "c.leaf >= ?1 AND c.same_as IS NULL ORDER BY c.leaf LIMIT ?2";
        self.captures_where(wanted, params![signed(from), count])
    }

    /// The revisions of a capture's metadata: digest and place of each, oldest first.
    pub fn revisions(&self, id: &CaptureId) -> Result<Vec<(Digest, Location)>, Error> {
        let sql = "SELECT metadata, segment, metadata_offset, metadata_length FROM events \
                   WHERE doc = ?1 AND capture = ?2 AND kind = 'metadata_revision' ORDER BY leaf";
        let read = |row: &Row<'_>| Ok((digest(row, 0)?, location(row, [1, 2, 3])?));
        let found = self.all(sql, params![id.doc.0, id.capture], read)?;
        let placed = found.into_iter().filter_map(|(d, at)| Some((d, at?)));
        Ok(placed.collect())
    }

    /// Documents whose id begins with `prefix`.
    pub fn docs_by_prefix(&self, prefix: &str) -> Result<Vec<DocId>, Error> {
        let sql =
            "SELECT doc FROM documents WHERE doc >= ?1 AND doc < ?1 || '~' ORDER BY doc LIMIT 20";
        self.all(sql, [prefix], |row| Ok(DocId(row.get(0)?)))
    }

    /// Documents of that name: an address, an id, or root and path.
    pub fn docs_by_name(&self, name: &str) -> Result<Vec<DocId>, Error> {
        let sql = "SELECT DISTINCT doc FROM names WHERE name = ?1 ORDER BY doc LIMIT 20";
        self.all(sql, [name], |row| Ok(DocId(row.get(0)?)))
    }

    /// Documents found at a path, in whatever root.
    pub fn docs_by_path(&self, path: &str) -> Result<Vec<DocId>, Error> {
        let sql = "SELECT DISTINCT doc FROM captures WHERE path = ?1 ORDER BY doc LIMIT 20";
        self.all(sql, [path], |row| Ok(DocId(row.get(0)?)))
    }

    /// How much cleaning took away from the captures archived last, the newest first. Only so many leaves are looked at that
    /// duplicates, which tell nothing, do not make it slow.
    pub fn measures(&self, captures_max: u32) -> Result<Vec<MeasureRow>, Error> {
        let sql = "SELECT doc, root, url, media_type, received_at, input_bytes, removed_bytes, footers, credits, captions \
                   FROM captures WHERE leaf > (SELECT max(leaf) FROM capture_rows) - 5 * ?1 \
                   AND input_bytes IS NOT NULL ORDER BY leaf DESC LIMIT ?1";
        let size = |row: &Row<'_>, column| {
            usize::try_from(unsigned(row, column)?).map_err(|_| malformed(column))
        };
        self.all(sql, [captures_max], |row| {
            Ok(MeasureRow {
                doc: DocId(row.get(0)?),
                root: row.get(1)?,
                url: row.get(2)?,
                media_type: row.get(3)?,
                received_at: timestamp(row, 4)?,
                measure: Measure {
                    extent: Extent {
                        input: size(row, 5)?,
                        removed: size(row, 6)?,
                    },
                    footers: size(row, 7)?,
                    credits: size(row, 8)?,
                    captions: size(row, 9)?,
                },
            })
        })
    }

    /// So many captures there are. Each leaf is a capture's or an event's, and there are few events.
    pub fn capture_count(&self) -> Result<u64, Error> {
        let sql = "SELECT leaves - (SELECT count(*) FROM events) FROM high_water";
        Ok(self.first(sql, [], |row| unsigned(row, 0))?.unwrap_or(0))
    }

    /// How much there is.
    pub fn counts(&self) -> Result<Counts, Error> {
        let sql = "SELECT (SELECT count(*) FROM documents), count(*), \
                   (SELECT count(*) FROM (SELECT DISTINCT document, version FROM capture_rows)), \
                   coalesce(sum(raw_bytes), 0) FROM capture_rows";
        let counts = self.first(sql, [], |row| {
            Ok(Counts {
                documents: unsigned(row, 0)?,
                captures: unsigned(row, 1)?,
                versions: unsigned(row, 2)?,
                raw_bytes: unsigned(row, 3)?,
            })
        })?;
        Ok(counts.unwrap_or_default())
    }
}

/// What `audit` asks.
impl Catalog {
    /// What happened, of these leaves, in their order.
    pub fn history(&self, leaves: std::ops::Range<u64>) -> Result<Vec<HistoryRow>, Error> {
        let sql = format!("{SELECT_HISTORY} WHERE leaf >= ?1 AND leaf < ?2 ORDER BY leaf");
        let values = [signed(leaves.start), signed(leaves.end)];
        self.all(&sql, values, history_row)
    }

    /// What happened to a document, in the order of its leaves.
    pub fn history_of(&self, doc: &DocId) -> Result<Vec<HistoryRow>, Error> {
        let sql = format!("{SELECT_HISTORY} WHERE doc = ?1 ORDER BY leaf");
        self.all(&sql, [&doc.0], history_row)
    }
}

const SELECT_HISTORY: &str =
    "SELECT leaf, kind, doc, capture, version, happened_at, change, source, detail FROM leaves";

fn history_row(row: &Row<'_>) -> rusqlite::Result<HistoryRow> {
    let is_there = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)? != ValueRef::Null);
    Ok(HistoryRow {
        leaf: unsigned(row, 0)?,
        kind: kind(row, 1)?,
        doc: DocId(row.get(2)?),
        capture: row.get(3)?,
        version: row.get(4)?,
        happened_at: is_there(5)?.then(|| timestamp(row, 5)).transpose()?,
        change: is_there(6)?.then(|| change(row, 6)).transpose()?,
        source: row.get(7)?,
        detail: row.get(8)?,
    })
}

/// What `check` asks.
impl Catalog {
    /// The rows of these leaves, in their order.
    pub fn leaf_rows(&self, leaves: std::ops::Range<u64>) -> Result<Vec<LeafRow>, Error> {
        let sql = "SELECT leaf, doc, kind, capture, version, metadata, segment, metadata_offset, metadata_length, \
                   text_offset, text_length FROM leaves WHERE leaf >= ?1 AND leaf < ?2 ORDER BY leaf";
        self.all(sql, [signed(leaves.start), signed(leaves.end)], |row| {
            Ok(LeafRow {
                leaf: unsigned(row, 0)?,
                doc: DocId(row.get(1)?),
                kind: kind(row, 2)?,
                capture: row.get(3)?,
                version: row.get(4)?,
                metadata: digest(row, 5)?,
                metadata_at: location(row, [6, 7, 8])?,
                text_at: location(row, [6, 9, 10])?,
            })
        })
    }

    /// The last leaf of a document before this one.
    pub fn leaf_before(&self, doc: &DocId, leaf: u64) -> Result<Option<u64>, Error> {
        let sql = "SELECT leaf FROM leaves WHERE doc = ?1 AND leaf < ?2 ORDER BY leaf DESC LIMIT 1";
        self.first(sql, params![doc.0, signed(leaf)], |row| unsigned(row, 0))
    }

    /// Where the metadata record of a leaf is.
    pub fn metadata_at(&self, leaf: u64) -> Result<Option<Location>, Error> {
        let rows = self.leaf_rows(leaf..leaf + 1)?;
        Ok(rows.first().and_then(|row| row.metadata_at))
    }

    /// Where the text of a leaf's capture or edition is: for a duplicate, that of the capture it is the same as.
    pub fn text_at(&self, leaf: u64) -> Result<Option<Location>, Error> {
        let row = self.captures_where("c.leaf = ?1", [signed(leaf)])?.pop();
        match row {
            Some(row) => Ok(row.locations.text),
            None => Ok(self
                .leaf_rows(leaf..leaf + 1)?
                .pop()
                .and_then(|row| row.text_at)),
        }
    }

    /// Where the committed records of each segment end.
    pub fn segment_ends(&self) -> Result<Vec<Position>, Error> {
        let sql = "SELECT segment, max(metadata_offset + metadata_length) FROM leaves \
                   WHERE segment IS NOT NULL GROUP BY segment ORDER BY segment";
        self.all(sql, [], |row| {
            Ok(Position {
                segment: segment(row, 0)?,
                offset: unsigned(row, 1)?,
            })
        })
    }

    /// The documents with a record that begins in this stretch of a segment, in the order of archiving.
    pub fn docs_within(
        &self,
        segment: SegmentId,
        bytes: std::ops::Range<u64>,
    ) -> Result<Vec<DocId>, Error> {
        let sql = r#"SELECT doc, min(leaf) FROM (
            SELECT doc, leaf FROM leaves WHERE segment = ?1
                AND (metadata_offset >= ?2 AND metadata_offset < ?3 OR text_offset >= ?2 AND text_offset < ?3)
            UNION ALL
            SELECT doc, leaf FROM captures WHERE raw IN
                (SELECT digest FROM raws WHERE segment = ?1 AND "offset" >= ?2 AND "offset" < ?3)
            ) GROUP BY doc ORDER BY 2"#;
        let values = params![
            segment_column(segment),
            signed(bytes.start),
            signed(bytes.end)
        ];
        self.all(sql, values, |row| Ok(DocId(row.get(0)?)))
    }
}

const SELECT_EDITIONS: &str = "SELECT capture, edition, leaf, cleaned_at, title, rules, raw, text, story, \
    segment, text_offset, text_length, metadata_offset, metadata_length, metadata, doc FROM editions";

fn edition_row(row: &Row<'_>) -> rusqlite::Result<EditionRow> {
    let metadata = location(row, [9, 12, 13])?.ok_or_else(|| malformed(9))?;
    Ok(EditionRow {
        capture: row.get(0)?,
        id: EditionId {
            number: row.get(1)?,
            leaf: unsigned(row, 2)?,
            cleaned_at: timestamp(row, 3)?,
        },
        title: row.get(4)?,
        rules: row.get(5)?,
        digests: Digests {
            raw: digest(row, 6)?,
            text: digest(row, 7)?,
            story: digest(row, 8)?,
        },
        text: location(row, [9, 10, 11])?,
        content: (metadata, digest(row, 14)?),
    })
}

/// A capture, with where its raw bytes are, and with what it has only through the capture that it is the same as.
const SELECT_CAPTURES: &str = r#"SELECT
    c.doc, c.capture, c.version, c.change, c.leaf, c.claim, c.root, c.path, c.captured_at, c.received_at, c.url,
    b.title, coalesce(b.rules, ''), c.media_type, c.raw_bytes, c.raw, c.text, c.story, c.metadata, c.same_as,
    r.segment, r."offset", r.length,
    b.segment, b.text_offset, b.text_length,
    c.segment, c.metadata_offset, c.metadata_length,
    b.segment, b.metadata_offset, b.metadata_length, b.metadata
    FROM captures AS c
    LEFT JOIN capture_rows AS b ON b.document = c.document AND b.capture = coalesce(c.same_as, c.capture)
    LEFT JOIN raws AS r ON r.digest = c.raw"#;

fn capture_row(row: &Row<'_>) -> rusqlite::Result<CaptureRow> {
    let metadata = location(row, [26, 27, 28])?;
    Ok(CaptureRow {
        doc: DocId(row.get(0)?),
        capture: row.get(1)?,
        version: row.get(2)?,
        change: change(row, 3)?,
        leaf: unsigned(row, 4)?,
        claim: ClaimId::parse(&row.get::<_, String>(5)?).ok_or_else(|| malformed(5))?,
        source: Source {
            root: row.get(6)?,
            path: path_text::from_text(&row.get::<_, String>(7)?),
        },
        captured_at: timestamp(row, 8)?,
        received_at: timestamp(row, 9)?,
        url: row.get(10)?,
        title: row.get(11)?,
        rules: row.get(12)?,
        media_type: row.get(13)?,
        raw_bytes: unsigned(row, 14)?,
        digests: Digests {
            raw: digest(row, 15)?,
            text: digest(row, 16)?,
            story: digest(row, 17)?,
        },
        metadata_digest: digest(row, 18)?,
        same_as: row.get(19)?,
        locations: Locations {
            raw: location(row, [20, 21, 22])?,
            text: location(row, [23, 24, 25])?,
            metadata: metadata.ok_or_else(|| malformed(26))?,
            content: match location(row, [29, 30, 31])? {
                Some(at) => Some((at, digest(row, 32)?)),
                None => None,
            },
        },
        edition: None,
    })
}
