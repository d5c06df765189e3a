//! `Index`: the words of all versions, in SQLite's FTS5. It holds no text, only where which word stands: texts are read from the
//! archive, and to forget a document its words are taken out again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use serde::Deserialize;

use super::query::Query;
use super::{Error, Request, words};
use crate::archive::catalog::CaptureRow;
use crate::archive::metadata::MetadataBlock;
use crate::archive::reader::Archive;
use crate::identity::DocId;
use crate::pin::{site, source_name};

/// The schema's version; an index of another one is made anew.
const SCHEMA_VERSION: i64 = 2;
const SCHEMA: &str = "
    CREATE TABLE versions (
        leaf INTEGER PRIMARY KEY,
        doc TEXT NOT NULL,
        capture INTEGER NOT NULL,
        captured_at INTEGER NOT NULL,
        -- The edition whose words are here.
        edition INTEGER NOT NULL,
        language TEXT
    ) STRICT;
    CREATE INDEX versions_by_doc ON versions (doc);
    -- The names by which a version's source goes.
    CREATE TABLE sources (
        leaf INTEGER NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (leaf, name)
    ) STRICT, WITHOUT ROWID;
    -- What is sought is folded before it comes here; `remove_diacritics 0` and marks as parts of words leave it as it is.
    CREATE VIRTUAL TABLE words USING fts5 (
        title, text, content = '', tokenize = \"unicode61 remove_diacritics 0 categories 'L* M* N* Co'\"
    );
    -- Else what is deleted stays until its part of the index is merged with others.
    INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
    -- The index covers so many leaves of the archive of that id.
    CREATE TABLE covered (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        archive TEXT NOT NULL,
        leaves INTEGER NOT NULL
    ) STRICT;
";
/// So many versions are indexed in one transaction.
const BATCH: u32 = 256;
/// So many leaves are looked through at once by those who want the newest.
const STRETCH: u64 = 4_096;
/// And for so long, if nothing is found meanwhile.
const LOOK: Duration = Duration::from_millis(40);
/// Others that fill or read the index are waited for so long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The search index of an archive.
pub struct Index {
    connection: Connection,
    path: PathBuf,
}

impl Index {
    /// The file, in the archive.
    pub fn path_in(archive: &Path) -> PathBuf {
        archive.join("search.sqlite")
    }

    /// The index, brought up to the archive as far as this user may write it; and how many leaves it is behind.
    pub(super) fn current(archive: &Archive) -> Result<(Index, u64), Error> {
        match Index::open(archive) {
            Ok(mut index) => {
                index.catch_up(archive, &mut || true)?;
                Ok((index, 0))
            }
            Err(error) => {
                let Some(index) = Index::open_to_read(archive)? else {
                    return Err(error);
                };
                let behind = archive.leaves()?.saturating_sub(index.covered()?);
                Ok((index, behind))
            }
        }
    }

    /// Opens the index to fill it, or makes an empty one in place of one that is damaged, old, or another archive's.
    pub fn open(archive: &Archive) -> Result<Index, Error> {
        let path = Index::path_in(archive.dir());
        let connect = || -> rusqlite::Result<Index> {
            let connection = Connection::open(&path)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            // What is deleted is overwritten with zeros, in the journal too, which is emptied.
            connection.execute_batch(
                "PRAGMA secure_delete = ON; PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = NORMAL;",
            )?;
            let path = path.clone();
            Ok(Index { connection, path })
        };
        let index = match connect() {
            Ok(index) if index.is_usable(archive)? => return Ok(index),
            Err(source) if !is_damage(&source) => return Err(error("open", &path, source)),
            unusable => unusable,
        };
        drop(index);
        Index::remove(archive.dir())?;
        let mut index = connect().map_err(|source| error("open", &path, source))?;
        let created = index.create(archive);
        created.map_err(|source| error("make", &path, source))?;
        Ok(index)
    }

    pub(super) fn open_to_read(archive: &Archive) -> Result<Option<Index>, Error> {
        let path = Index::path_in(archive.dir());
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let Ok(connection) = Connection::open_with_flags(&path, flags) else {
            return Ok(None);
        };
        let index = Index { connection, path };
        Ok(index.is_usable(archive)?.then_some(index))
    }

    /// Deletes the index; it is made anew when it is needed.
    pub fn remove(archive: &Path) -> Result<(), Error> {
        let path = Index::path_in(archive);
        for suffix in ["", "-journal"] {
            let mut file = path.clone().into_os_string();
            file.push(suffix);
            match std::fs::remove_file(&file) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error("delete", &path, source));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn create(&mut self, archive: &Archive) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.execute(
            "INSERT INTO covered VALUES (1, ?1, 0)",
            [&archive.manifest().id],
        )?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        transaction.commit()
    }

    /// Whether it is this archive's and of this schema, and not further than the archive.
    fn is_usable(&self, archive: &Archive) -> Result<bool, Error> {
        let version = self
            .connection
            .pragma_query_value(None, "user_version", |row| row.get(0));
        if !matches!(version, Ok(SCHEMA_VERSION)) {
            return Ok(false);
        }
        let sql = "SELECT archive, leaves FROM covered";
        let covered = self.connection.query_row(sql, [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        });
        let Ok((id, leaves)) = covered else {
            return Ok(false);
        };
        Ok(id == archive.manifest().id && leaves.cast_unsigned() <= archive.leaves()?)
    }

    /// So many leaves are covered.
    pub(super) fn covered(&self) -> Result<u64, Error> {
        let sql = "SELECT leaves FROM covered";
        let leaves = self
            .connection
            .query_row(sql, [], |row| row.get::<_, i64>(0));
        leaves
            .map(i64::cast_unsigned)
            .map_err(|source| self.error("read", source))
    }

    /// Takes in what was archived since the last time, batch by batch as long as `go_on` says so.
    pub fn catch_up(
        &mut self,
        archive: &Archive,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<(), Error> {
        let all = archive.leaves()?;
        while go_on() && self.covered()? < all {
            self.take_batch(archive, all)?;
        }
        Ok(())
    }

    fn take_batch(&mut self, archive: &Archive, all: u64) -> Result<(), Error> {
        let path = self.path.clone();
        let failed = |source| error("fill", &path, source);
        let transaction = rusqlite::Transaction::new(
            &mut self.connection,
            rusqlite::TransactionBehavior::Immediate,
        )
        .map_err(failed)?;
        // Asked within the transaction: another may be filling it.
        let sql = "SELECT leaves FROM covered";
        let covered: i64 = transaction
            .query_row(sql, [], |row| row.get(0))
            .map_err(failed)?;
        let from = covered.cast_unsigned();
        let rows = archive.new_versions(from..all, BATCH)?;
        let reached = match rows.last() {
            Some(last) if rows.len() == BATCH as usize => last.leaf + 1,
            _ => all,
        };
        let recleaned = archive.recleaned_versions(from..reached)?;
        for row in rows.into_iter().chain(recleaned) {
            let row = archive.latest_edition(row)?;
            let indexed = edition_of(&transaction, row.leaf).map_err(failed)?;
            if indexed == Some(row.edition_number()) {
                continue;
            }
            if let Some(indexed) = indexed {
                let old = in_edition(archive, &row, indexed)?;
                match Entry::read(archive, &old) {
                    Ok(old) => old.take_out(&transaction, row.leaf).map_err(failed)?,
                    // Then its words stay, which is better than no index.
                    Err(_) => continue,
                }
            }
            match Entry::read(archive, &row) {
                Ok(entry) => entry.put(&transaction, &row).map_err(failed)?,
                // `check` tells of damage; a search does without.
                Err(error) => {
                    tracing::warn!(doc = %row.doc, capture = row.capture, %error, "not indexed")
                }
            }
        }
        let sql = "UPDATE covered SET leaves = ?1";
        transaction
            .execute(sql, [reached.cast_signed()])
            .map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    /// Takes all words of a document out. To be called while its texts can still be read; without them the index is deleted.
    pub fn forget(archive: &Archive, doc: &DocId) -> Result<(), Error> {
        if !Index::path_in(archive.dir()).exists() {
            return Ok(());
        }
        let mut index = Index::open(archive)?;
        match index.take_out(archive, doc) {
            Ok(()) => Ok(()),
            Err(_) => {
                drop(index);
                Index::remove(archive.dir())
            }
        }
    }

    fn take_out(&mut self, archive: &Archive, doc: &DocId) -> Result<(), Error> {
        let path = self.path.clone();
        let failed = |source| error("clear", &path, source);
        let transaction = self.connection.transaction().map_err(failed)?;
        for row in archive.captures(doc)? {
            if let Some(edition) = edition_of(&transaction, row.leaf).map_err(failed)? {
                let entry = Entry::read(archive, &in_edition(archive, &row, edition)?)?;
                entry.take_out(&transaction, row.leaf).map_err(failed)?;
            }
        }
        let left = "SELECT count(*) FROM versions WHERE doc = ?1";
        let left: i64 = transaction
            .query_row(left, [&doc.0], |row| row.get(0))
            .map_err(failed)?;
        if left > 0 {
            return Err(error(
                "clear",
                &path,
                std::io::Error::other("a text is lost"),
            ));
        }
        transaction.commit().map_err(failed)
    }

    /// Hands document and capture of each version that is found to `take`, the best first, until that says false.
    pub(super) fn find(
        &self,
        expression: &str,
        request: &Request,
        take: &mut dyn FnMut(DocId, u32) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        // A word in a title weighs as much as some in a text.
        let sql = "SELECT v.doc, v.capture FROM words JOIN versions AS v ON v.leaf = words.rowid \
                   WHERE words MATCH ?1 AND v.captured_at BETWEEN ?2 AND ?3 \
                   AND (?4 IS NULL OR lower(v.language) = ?4 OR lower(v.language) LIKE ?4 || '-%') \
                   AND (?5 IS NULL OR EXISTS (SELECT 1 FROM sources AS s WHERE s.leaf = v.leaf AND s.name = ?5)) \
                   ORDER BY bm25(words, 4.0, 1.0), v.captured_at DESC";
        let failed = |source| self.error("read", source);
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let (since, until) = times(request);
        let language = request
            .language
            .as_ref()
            .map(|language| language.to_lowercase());
        let source = request.source.as_deref().map(source_name);
        let mut rows = statement
            .query(params![expression, since, until, language, source])
            .map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let doc = DocId(row.get(0).map_err(failed)?);
            if !take(doc, row.get(1).map_err(failed)?)? {
                break;
            }
        }
        Ok(())
    }

    /// The leaves of versions that have what is sought, the last first, below a leaf; and below which leaf it goes on.
    pub(super) fn newest(
        &self,
        query: &Query,
        request: &Request,
        below: u64,
        limit: usize,
    ) -> Result<(Vec<u64>, Option<u64>), Error> {
        let sql = "SELECT w.rowid, v.captured_at BETWEEN ?3 AND ?4 \
                   AND (?5 IS NULL OR lower(v.language) = ?5 OR lower(v.language) LIKE ?5 || '-%') \
                   AND (?6 IS NULL OR EXISTS (SELECT 1 FROM sources AS s WHERE s.leaf = v.leaf AND s.name = ?6)) \
                   AND (?8 IS NULL OR w.rowid NOT IN \
                        (SELECT rowid FROM words WHERE words MATCH ?8 AND rowid >= ?7 AND rowid < ?2)) \
                   FROM words AS w CROSS JOIN versions AS v ON v.leaf = w.rowid \
                   WHERE w.words MATCH ?1 AND w.rowid >= ?7 AND w.rowid < ?2 ORDER BY w.rowid DESC";
        let failed = |source| self.error("read", source);
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let (since, until) = times(request);
        let language = request.language.as_ref();
        let language = language.map(|language| language.to_lowercase());
        let source = request.source.as_deref().map(source_name);
        // FTS5's own NOT would look beyond the stretch until something is found.
        let (sought, excluded) = (query.sought(), query.excluded());
        let mut found = Vec::new();
        let mut high = below;
        // A stretch at a time: how long it takes to find that a stretch has nothing does not depend on the archive's size.
        let began = Instant::now();
        while high > 0 && began.elapsed() < LOOK {
            let low = high.saturating_sub(STRETCH);
            let values = params![
                sought,
                high.cast_signed(),
                since,
                until,
                language,
                source,
                low.cast_signed(),
                excluded
            ];
            let mut rows = statement.query(values).map_err(failed)?;
            while let Some(row) = rows.next().map_err(failed)? {
                let leaf = row.get::<_, i64>(0).map_err(failed)?.cast_unsigned();
                if found.len() == limit {
                    return Ok((found, Some(leaf + 1)));
                }
                if row.get(1).map_err(failed)? {
                    found.push(leaf);
                }
            }
            high = low;
        }
        Ok((found, Some(high).filter(|high| *high > 0)))
    }

    fn error(&self, doing: &'static str, source: rusqlite::Error) -> Error {
        error(doing, &self.path, source)
    }
}

/// Between which times is sought.
fn times(request: &Request) -> (i64, i64) {
    let since = request.since;
    let until = request.until;
    (
        since.map_or(i64::MIN, |since| since.as_microsecond()),
        until.map_or(i64::MAX, |until| until.as_microsecond()),
    )
}

/// The file is no sound database.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseCorrupt | NotADatabase)
    )
}

fn error(
    doing: &'static str,
    path: &Path,
    source: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::Index {
        doing,
        path: path.to_owned(),
        source: Box::new(source),
    }
}

/// The edition of this capture whose words are in the index; `None` if there are none.
fn edition_of(connection: &Connection, leaf: u64) -> rusqlite::Result<Option<u32>> {
    let mut sql = connection.prepare_cached("SELECT edition FROM versions WHERE leaf = ?1")?;
    sql.query_row([leaf.cast_signed()], |row| row.get(0))
        .optional()
}

/// The capture in the edition of that number.
fn in_edition(archive: &Archive, row: &CaptureRow, number: u32) -> Result<CaptureRow, Error> {
    if number == 1 {
        let first = archive.captures(&row.doc)?.into_iter();
        let mut first = first.filter(|other| other.capture == row.capture);
        return Ok(first.next().unwrap_or_else(|| row.clone()));
    }
    let editions = archive.editions(&row.doc)?;
    let mut editions = editions.iter();
    let edition = editions.find(|e| (e.capture, e.id.number) == (row.capture, number));
    Ok(edition.map_or_else(|| row.clone(), |edition| row.clone().in_edition(edition)))
}

/// What the index takes of a version.
struct Entry {
    title: String,
    text: String,
    language: Option<String>,
    sources: Vec<String>,
}

/// As much of a capture's content as the index needs.
#[derive(Deserialize)]
struct Content {
    article: ContentArticle,
}

#[derive(Deserialize)]
struct ContentArticle {
    language: Option<String>,
}

impl Entry {
    fn read(archive: &Archive, row: &CaptureRow) -> Result<Entry, Error> {
        let text = archive.read_text(row)?;
        let block = archive.read_metadata_block(row)?;
        let mut entry = Entry {
            title: words::joined(row.title.as_deref().unwrap_or_default()),
            text: words::joined(&text),
            language: None,
            sources: vec![source_name(&row.source.root)],
        };
        if let Ok(MetadataBlock::<Content>::Capture(block)) = MetadataBlock::parse(&block) {
            let declared = &block.observation.declared;
            entry.language = block.content.and_then(|content| content.article.language);
            entry
                .sources
                .extend(declared.source.as_deref().map(source_name));
            entry.sources.extend(declared.url.as_deref().and_then(site));
        }
        Ok(entry)
    }

    fn put(&self, connection: &Connection, row: &CaptureRow) -> rusqlite::Result<()> {
        let leaf = row.leaf.cast_signed();
        let sql = "INSERT INTO versions (leaf, doc, capture, captured_at, edition, language) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let captured_at = row.captured_at.as_microsecond();
        connection.prepare_cached(sql)?.execute(params![
            leaf,
            row.doc.0,
            row.capture,
            captured_at,
            row.edition_number(),
            self.language
        ])?;
        let mut sql = connection.prepare_cached("INSERT OR IGNORE INTO sources VALUES (?1, ?2)")?;
        for source in &self.sources {
            sql.execute(params![leaf, source])?;
        }
        connection
            .prepare_cached("INSERT INTO words (rowid, title, text) VALUES (?1, ?2, ?3)")?
            .execute(params![leaf, self.title, self.text])?;
        Ok(())
    }

    /// The words must be those that were put in.
    fn take_out(&self, connection: &Connection, leaf: u64) -> rusqlite::Result<()> {
        let leaf = leaf.cast_signed();
        let sql = "INSERT INTO words (words, rowid, title, text) VALUES ('delete', ?1, ?2, ?3)";
        connection.execute(sql, params![leaf, self.title, self.text])?;
        connection.execute("DELETE FROM sources WHERE leaf = ?1", [leaf])?;
        connection.execute("DELETE FROM versions WHERE leaf = ?1", [leaf])?;
        Ok(())
    }
}
