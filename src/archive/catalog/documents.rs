//! Lists of documents: each as it was fetched last.

use jiff::Timestamp;
use rusqlite::{Row, params, params_from_iter};

use super::{Catalog, DocumentRow, NewCapture, signed, timestamp, unsigned};
use crate::archive::Error;
use crate::archive::leaf::Leaf;
use crate::identity::{DocId, normalise_url};
use crate::pin::site;

/// So many documents are looked at for one list, so that each is there in some hundredths of a second.
const LOOKED_MAX: usize = 20_000;

/// Which documents a list is to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of this site, or from this inbox if they have no address.
    pub source: Option<String>,
    /// In this language, `en` for all of English.
    pub language: Option<String>,
    /// With this flag.
    pub flag: Option<String>,
    /// Fetched then or later.
    pub since: Option<Timestamp>,
    /// Fetched then or earlier.
    pub until: Option<Timestamp>,
}

/// A place in the order of lists: by the time of the last fetch, and then by that of the first capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// When the document was fetched last.
    pub captured_at: Timestamp,
    /// The document.
    pub doc: DocId,
}

/// A list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The documents, those fetched last first.
    pub rows: Vec<DocumentRow>,
    /// Where it goes on; `None` at the end. A list may be short, even empty, and go on: only so many documents are looked at.
    pub next: Option<Place>,
}

/// A document as it stands in its table.
struct Entry {
    place: Place,
    leaf: u64,
    source: String,
    language: Option<String>,
    flags: Option<String>,
}

/// The number of the document at which a list goes on; without one, behind all numbers that there can be.
const BEFORE: &str = "coalesce((SELECT number FROM documents WHERE doc = ?2), 9223372036854775807)";

impl Wanted {
    fn has(&self, entry: &Entry) -> bool {
        let flags = entry.flags.as_deref().unwrap_or_default();
        let is = |wanted: &Option<String>, value: Option<&str>| {
            wanted.as_deref().is_none_or(|w| value == Some(w))
        };
        is(&self.source, Some(&entry.source))
            && is(&self.language, entry.language.as_deref())
            && (self.flag.as_deref()).is_none_or(|flag| flags.split(' ').any(|f| f == flag))
    }

    /// The condition that an index answers.
    fn indexed(&self) -> (&'static str, Option<&str>) {
        match (&self.source, &self.language, &self.flag) {
            (Some(source), _, _) => ("source = ?4 AND", Some(source)),
            (_, Some(language), _) => ("language = ?4 AND", Some(language)),
            (_, _, Some(_)) => ("flags IS NOT NULL AND ?4 IS NULL AND", None),
            _ => ("?4 IS NULL AND", None),
        }
    }
}

impl Catalog {
    /// The documents that are wanted, those fetched last first, from where a list before ended.
    pub fn list_documents(
        &self,
        wanted: &Wanted,
        after: Option<&Place>,
        count: usize,
    ) -> Result<Listed, Error> {
        let (entries, next) = self.entries(wanted, after, count)?;
        let mut rows = Vec::with_capacity(entries.len());
        for Entry { place, leaf, .. } in entries {
            if let Some(latest) = self.capture_of_leaf(leaf)? {
                let (captures, versions) = self.extent(&place.doc)?;
                rows.push(DocumentRow {
                    doc: place.doc,
                    captures,
                    versions,
                    latest: self.in_latest_edition(latest)?,
                });
            }
        }
        Ok(Listed { rows, next })
    }

    fn entries(
        &self,
        wanted: &Wanted,
        after: Option<&Place>,
        count: usize,
    ) -> Result<(Vec<Entry>, Option<Place>), Error> {
        let (condition, value) = wanted.indexed();
        let sql = format!(
            "SELECT doc, captured_at, leaf, source, language, flags FROM documents \
             WHERE {condition} (captured_at, number) < (?1, {BEFORE}) AND captured_at >= ?3 \
             ORDER BY captured_at DESC, number DESC"
        );
        let until = wanted.until.unwrap_or(Timestamp::MAX).as_microsecond();
        let (before, doc) = match after {
            Some(place) if place.captured_at.as_microsecond() <= until => {
                (place.captured_at.as_microsecond(), Some(&place.doc.0))
            }
            _ => (until, None),
        };
        let since = wanted.since.unwrap_or(Timestamp::MIN).as_microsecond();
        let (mut found, mut next) = (Vec::new(), None);
        let mut look = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![before, doc, since, value])?;
            let mut looked = 0;
            while let Some(row) = rows.next()? {
                let entry = entry(row)?;
                looked += 1;
                if found.len() == count || looked > LOOKED_MAX {
                    return Ok(());
                }
                next = Some(entry.place.clone());
                found.extend(wanted.has(&entry).then_some(entry));
            }
            next = None;
            Ok(())
        };
        look().map_err(|source| self.error("read", source))?;
        Ok((found, next))
    }

    /// How many captures and how many story versions a document has, those that are lost or erased counted.
    pub fn extent(&self, doc: &DocId) -> Result<(u32, u32), Error> {
        let last = self.last_capture(doc)?;
        Ok(last.map_or((0, 0), |(capture, version, _)| (capture, version)))
    }

    /// How many documents there are.
    pub fn document_count(&self) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM documents WHERE captured_at IS NOT NULL";
        Ok(self.first(sql, [], |row| unsigned(row, 0))?.unwrap_or(0))
    }

    /// The sources that documents are from, in the order of their names; so many at most.
    pub fn sources(&self, max: u32) -> Result<Vec<String>, Error> {
        self.distinct("source", max)
    }

    /// The languages that documents are in, in the order of their names; so many at most.
    pub fn languages(&self, max: u32) -> Result<Vec<String>, Error> {
        self.distinct("language", max)
    }

    /// The values of a column with an index: from each the next larger one, whatever lies between them.
    fn distinct(&self, column: &str, max: u32) -> Result<Vec<String>, Error> {
        let sql = format!(
            "WITH RECURSIVE v (x) AS (SELECT min({column}) FROM documents UNION ALL \
             SELECT (SELECT min({column}) FROM documents WHERE {column} > v.x) FROM v WHERE v.x IS NOT NULL) \
             SELECT x FROM v WHERE x IS NOT NULL LIMIT ?1"
        );
        self.all(&sql, params_from_iter([max]), |row| row.get(0))
    }

    /// Takes in a document, listed as its first capture shows it; its number.
    pub(super) fn add_document(
        &self,
        index: u64,
        leaf: &Leaf,
        new: &NewCapture<'_>,
    ) -> Result<i64, Error> {
        let NewCapture {
            observation,
            content,
            ..
        } = new;
        let url = observation.declared.url.as_deref().and_then(normalise_url);
        let source = url.as_deref().and_then(site);
        let language = content.and_then(|content| content.language).map(primary);
        let sql = "INSERT INTO documents (doc, captured_at, capture, leaf, source, language, flags) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = params![
            leaf.doc.0,
            observation.captured_at().as_microsecond(),
            leaf.capture,
            signed(index),
            source.as_deref().unwrap_or(&observation.source.root),
            language,
            content.and_then(|content| content.flags)
        ];
        self.run(sql, values)?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Lists a document as the capture of this leaf shows it, unless one that is listed was fetched later.
    pub(super) fn list(&self, leaf: u64) -> Result<(), Error> {
        let sql = "SELECT c.document, c.captured_at, c.capture, c.url, c.root, \
                   iif(e.leaf IS NULL, b.language, e.language), iif(e.leaf IS NULL, b.flags, e.flags) FROM captures AS c \
                   LEFT JOIN capture_rows AS b ON b.document = c.document AND b.capture = coalesce(c.same_as, c.capture) \
                   LEFT JOIN editions AS e ON e.leaf = (SELECT o.leaf FROM editions AS o WHERE o.doc = c.doc \
                   AND o.capture = coalesce(c.same_as, c.capture) ORDER BY o.edition DESC LIMIT 1) \
                   WHERE c.leaf = ?1 AND c.segment IS NOT NULL";
        let read = |row: &Row<'_>| {
            let url: Option<String> = row.get(3)?;
            let source = url.as_deref().and_then(site);
            let language: Option<String> = row.get(5)?;
            Ok((
                (row.get(0)?, row.get(1)?, row.get(2)?),
                source.map_or_else(|| row.get(4), Ok)?,
                language.map(|language| primary(&language)),
                row.get(6)?,
            ))
        };
        type Found = ((i64, i64, u32), String, Option<String>, Option<String>);
        let found: Option<Found> = self.first(sql, [signed(leaf)], read)?;
        let Some(((number, captured_at, capture), source, language, flags)) = found else {
            return Ok(());
        };
        let sql = "UPDATE documents SET captured_at = ?2, capture = ?3, leaf = ?4, source = ?5, language = ?6, flags = ?7 \
                   WHERE number = ?1 AND (captured_at IS NULL OR (?2, ?3) >= (captured_at, capture))";
        let leaf = signed(leaf);
        self.run(
            sql,
            params![number, captured_at, capture, leaf, source, language, flags],
        )
    }

    /// Lists a document again, after more is known of one of its captures.
    pub fn list_again(&self, doc: &DocId) -> Result<(), Error> {
        let sql = "SELECT leaf FROM documents WHERE doc = ?1 AND leaf IS NOT NULL";
        match self.first(sql, [&doc.0], |row| unsigned(row, 0))? {
            Some(leaf) => self.list(leaf),
            None => Ok(()),
        }
    }

    /// Lists a document by what is left of it.
    pub(super) fn list_anew(&self, doc: &DocId) -> Result<(), Error> {
        let sql = "UPDATE documents SET captured_at = NULL, capture = NULL, leaf = NULL, source = NULL, language = NULL, \
                   flags = NULL WHERE doc = ?1";
        self.run(sql, [&doc.0])?;
        let sql = "SELECT leaf FROM captures WHERE doc = ?1 AND segment IS NOT NULL \
                   ORDER BY captured_at DESC, capture DESC LIMIT 1";
        match self.first(sql, [&doc.0], |row| unsigned(row, 0))? {
            Some(leaf) => self.list(leaf),
            None => Ok(()),
        }
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        place: Place {
            doc: DocId(row.get(0)?),
            captured_at: timestamp(row, 1)?,
        },
        leaf: unsigned(row, 2)?,
        source: row.get(3)?,
        language: row.get(4)?,
        flags: row.get(5)?,
    })
}

/// `en` of `en-GB`.
fn primary(language: &str) -> String {
    let primary = language.split(['-', '_']).next().unwrap_or(language);
    primary.to_lowercase()
}
