//! Which segments the catalog knows, and records that move from one to another.

use rusqlite::{Row, params};

use super::{Catalog, digest, location, segment, segment_column, signed, unsigned};
use crate::archive::Error;
use crate::archive::segment::{Location, SegmentId};
use crate::digest::Digest;
use crate::identity::DocId;

/// A leaf whose metadata record was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its index.
    pub leaf: u64,
    /// The document.
    pub doc: DocId,
    /// Digest of the metadata block that it commits to.
    pub metadata: Digest,
}

impl Catalog {
    /// The segments that records lie in.
    pub fn segments(&self) -> Result<Vec<SegmentId>, Error> {
        let sql = "SELECT segment FROM segments";
        let mut segments = self.all(sql, [], |row| segment(row, 0))?;
        segments.sort_unstable();
        Ok(segments)
    }

    /// Records lie in this segment.
    pub fn add_segment(&self, segment: SegmentId) -> Result<(), Error> {
        let sql = "INSERT OR IGNORE INTO segments VALUES (?1)";
        self.run(sql, [segment_column(segment)])
    }

    /// No records lie in this segment any more.
    pub fn remove_segment(&self, segment: SegmentId) -> Result<(), Error> {
        let sql = "DELETE FROM segments WHERE segment = ?1";
        self.run(sql, [segment_column(segment)])
    }

    /// The leaf whose metadata record is there.
    pub fn placed(&self, metadata: Location) -> Result<Option<Placed>, Error> {
        let sql = "SELECT leaf, doc, metadata FROM leaves WHERE segment = ?1 AND metadata_offset = ?2 LIMIT 1";
        let values = params![segment_column(metadata.segment), signed(metadata.offset)];
        self.first(sql, values, |row| {
            Ok(Placed {
                leaf: unsigned(row, 0)?,
                doc: DocId(row.get(1)?),
                metadata: digest(row, 2)?,
            })
        })
    }

    /// Where the metadata record is that a leaf of this document commits to.
    pub fn place_of(&self, doc: &DocId, metadata: &Digest) -> Result<Option<Location>, Error> {
        let sql = "SELECT segment, metadata_offset, metadata_length FROM leaves \
                   WHERE doc = ?1 AND metadata = ?2 AND segment IS NOT NULL LIMIT 1";
        let read = |row: &Row<'_>| location(row, [0, 1, 2]);
        let found = self.first(sql, params![doc.0, metadata.as_bytes()], read)?;
        Ok(found.flatten())
    }

    /// The text and the metadata record of a leaf lie elsewhere now.
    pub fn move_leaf(
        &self,
        leaf: u64,
        text: Option<Location>,
        metadata: Location,
    ) -> Result<(), Error> {
        let segment = segment_column(metadata.segment);
        let (offset, length) = (signed(metadata.offset), signed(metadata.length));
        let text_offset = text.map(|text| signed(text.offset));
        let text_length = text.map(|text| signed(text.length));
        for table in ["capture_rows", "editions"] {
            let sql = format!(
                "UPDATE {table} SET segment = ?2, metadata_offset = ?3, metadata_length = ?4, text_offset = ?5, \
                 text_length = ?6 WHERE leaf = ?1"
            );
            self.run(
                &sql,
                params![
                    signed(leaf),
                    segment,
                    offset,
                    length,
                    text_offset,
                    text_length
                ],
            )?;
        }
        let sql = "UPDATE events SET segment = ?2, metadata_offset = ?3, metadata_length = ?4 WHERE leaf = ?1";
        self.run(sql, params![signed(leaf), segment, offset, length])
    }

    /// Raw bytes that were at `from`, unless others with the same digest count, are at `to` now.
    pub fn move_raw(&self, digest: &Digest, from: Location, to: Location) -> Result<(), Error> {
        let sql = r#"UPDATE raws SET segment = ?4, "offset" = ?5, length = ?6
            WHERE digest = ?1 AND segment = ?2 AND "offset" = ?3"#;
        self.run(
            sql,
            params![
                digest.as_bytes(),
                segment_column(from.segment),
                signed(from.offset),
                segment_column(to.segment),
                signed(to.offset),
                signed(to.length)
            ],
        )
    }
}
