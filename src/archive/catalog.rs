//! The catalog: where everything is, in SQLite. It is made from log and segments, by [`crate::archive::recovery`], and can be deleted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};
use serde::Serialize;

use crate::archive::Error;
use crate::archive::leaf::LeafKind;
use crate::archive::metadata::{Measure, Observation, PinRecord};
use crate::archive::segment::{Location, Position, SegmentId};
use crate::article::Digests;
use crate::digest::Digest;
use crate::identity::DocId;
use crate::submission::{ClaimId, Source};

pub mod documents;
pub mod erasure;
mod intake;
mod query;
mod segments;

/// The schema's version; a catalog of another one is made anew.
const SCHEMA_VERSION: i64 = 10;
const SCHEMA: &str = include_str!("catalog.sql");
const TABLES: [&str; 8] = [
    "documents",
    "capture_rows",
    "events",
    "editions",
    "raws",
    "names",
    "segments",
    "high_water",
];
/// Readers wait so long for a writer's moment of exclusiveness, and the reverse.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Up to this size the whole catalog is examined before it is believed: that takes some hundredths of a second.
const EXAMINED_BYTES_MAX: u64 = 2 << 20;
/// Pages that a writer keeps in memory. Digests of raw bytes are random, so that each capture touches a page of them anywhere.
const CACHE_KIB: u32 = 32 << 10;
/// So many pages are in the write-ahead log before they are written to the catalog: many captures touch one page.
const CHECKPOINT_PAGES: u32 = 16_384;

/// The catalog.
#[derive(Debug)]
pub struct Catalog {
    connection: Connection,
    path: PathBuf,
    /// How it was opened, in SQLite's words.
    uri: String,
}

/// How far the catalog covers the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HighWater {
    /// So many leaves.
    pub leaves: u64,
    /// Where the records of the last of them end.
    pub end: Position,
}

/// Why there is a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The story changed: a new version.
    Story,
    /// Other bytes, same story.
    Furniture,
    /// Same bytes.
    None,
}

impl Change {
    /// The change as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Change::Story => "story",
            Change::Furniture => "furniture",
            Change::None => "none",
        }
    }
}

/// One capture.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureRow {
    /// The document.
    pub doc: DocId,
    /// The capture's number, from 1.
    pub capture: u32,
    /// The story version that it shows, from 1.
    pub version: u32,
    /// Why it is there.
    pub change: Change,
    /// Index of its leaf in the log.
    pub leaf: u64,
    /// The attempt that archived it.
    pub claim: ClaimId,
    /// Where the file was found.
    pub source: Source,
    /// When it was fetched as far as is known.
    pub captured_at: Timestamp,
    /// When it was read.
    pub received_at: Timestamp,
    /// Its declared address, normalised.
    pub url: Option<String>,
    /// Headline.
    pub title: Option<String>,
    /// The rules that cleaned it.
    pub rules: String,
    /// Media type of the raw bytes.
    pub media_type: String,
    /// Length of the raw bytes.
    pub raw_bytes: u64,
    /// Digests of raw bytes, canonical text and story.
    pub digests: Digests,
    /// Digest of the metadata record's block, which the leaf commits to.
    pub metadata_digest: Digest,
    /// Of a duplicate: the capture that has the content.
    pub same_as: Option<u32>,
    /// Where its records are.
    pub locations: Locations,
    /// The edition that title, rules, digests and places are of; `None` for the first, the capture as it was archived.
    pub edition: Option<EditionId>,
}

/// Which edition of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EditionId {
    /// Its number, from 2.
    pub number: u32,
    /// Index of its leaf in the log.
    pub leaf: u64,
    /// When it was cleaned.
    pub cleaned_at: Timestamp,
}

/// A capture that was cleaned again.
#[derive(Debug, Clone, PartialEq)]
pub struct EditionRow {
    /// The capture's number.
    pub capture: u32,
    /// Which edition.
    pub id: EditionId,
    /// Headline.
    pub title: Option<String>,
    /// The rules that cleaned it.
    pub rules: String,
    /// Digests of raw bytes, canonical text and story.
    pub digests: Digests,
    /// The record with its text; `None` if it is lost.
    pub text: Option<Location>,
    /// Its metadata record, and its block's digest, which its leaf commits to.
    pub content: (Location, Digest),
}

impl CaptureRow {
    /// The number of the capture whose content it has: its own, unless it is a duplicate.
    pub fn content_of(&self) -> u32 {
        self.same_as.unwrap_or(self.capture)
    }

    /// The number of the edition that it stands for.
    pub fn edition_number(&self) -> u32 {
        self.edition.map_or(1, |edition| edition.number)
    }

    /// The capture as an edition of it shows it.
    pub fn in_edition(mut self, edition: &EditionRow) -> CaptureRow {
        self.edition = Some(edition.id);
        self.title.clone_from(&edition.title);
        self.rules.clone_from(&edition.rules);
        self.digests = edition.digests;
        self.locations.text = edition.text;
        self.locations.content = Some(edition.content);
        self
    }
}

/// Where a capture's records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locations {
    /// The record with its raw bytes; `None` if it is lost.
    pub raw: Option<Location>,
    /// The record with its text; `None` if it is lost.
    pub text: Option<Location>,
    /// Its metadata record.
    pub metadata: Location,
    /// The metadata record with its content, and its block's digest: another one if it is a duplicate; `None` if that is lost.
    pub content: Option<(Location, Digest)>,
}

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentRow {
    /// The document.
    pub doc: DocId,
    /// So many captures.
    pub captures: u32,
    /// So many story versions.
    pub versions: u32,
    /// The capture fetched last.
    pub latest: CaptureRow,
}

/// How much an archive holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Documents.
    pub documents: u64,
    /// Captures.
    pub captures: u64,
    /// Story versions.
    pub versions: u64,
    /// Bytes that came in, duplicates counted each time.
    pub raw_bytes: u64,
}

/// What a new capture of a document is compared with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocState {
    /// Its number in the catalog, if it has captures.
    pub number: Option<i64>,
    /// Number of the last capture, 0 if there is none.
    pub capture: u32,
    /// Number of the latest version, 0 if there is none.
    pub version: u32,
    /// The latest version's story in its latest edition; `None` if it is lost.
    pub story: Option<Digest>,
    /// The document's last leaf.
    pub leaf: Option<u64>,
}

/// A capture as the catalog takes it in.
#[derive(Debug)]
pub struct NewCapture<'a> {
    /// What was observed.
    pub observation: &'a Observation,
    /// What it has of its own; `None` for a duplicate.
    pub content: Option<ContentRow<'a>>,
    /// The capture that has the content of a duplicate.
    pub same_as: Option<u32>,
    /// Its text's record, in the same segment as the metadata's.
    pub text: Option<Location>,
    /// Its metadata record.
    pub metadata: Location,
}

/// What a capture has that is no duplicate.
#[derive(Debug, Clone, Copy)]
pub struct ContentRow<'a> {
    /// Headline.
    pub title: Option<&'a str>,
    /// Language.
    pub language: Option<&'a str>,
    /// What a reader should know about its worth: [`crate::article::flags`].
    pub flags: Option<&'a str>,
    /// The rules that cleaned it.
    pub rules: &'a str,
    /// How much cleaning took away.
    pub measure: Option<Measure>,
}

/// How much cleaning took away from a capture, and from which source it was.
#[derive(Debug, Clone)]
pub struct MeasureRow {
    /// The document.
    pub doc: DocId,
    /// The inbox.
    pub root: String,
    /// Its declared address.
    pub url: Option<String>,
    /// Media type of the raw bytes.
    pub media_type: String,
    /// When it was read.
    pub received_at: Timestamp,
    /// How much.
    pub measure: Measure,
}

/// A pin as it was archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRow {
    /// Index of its leaf.
    pub leaf: u64,
    /// What was decided about what, and when.
    pub record: PinRecord,
}

impl Catalog {
    /// The file, in the archive.
    pub fn path_in(archive: &Path) -> PathBuf {
        archive.join("catalog.sqlite")
    }

    /// Opens the catalog for the writer, or makes an empty one. An error if it is damaged: see [`Catalog::set_aside`]. One that
    /// is large is looked through only if it is `suspect`, since that takes seconds: its damage shows when it is met.
    pub fn open(archive: &Path, suspect: bool) -> Result<Catalog, Error> {
        let path = Catalog::path_in(archive);
        let uri = format!("file:{}", uri_path(&path));
        let catalog = Catalog::connect(&path, uri, OpenFlags::default())?;
        let prepared = catalog
            .connection
            // A power cut may cost the last transactions: they are made again from log and segments.
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -{CACHE_KIB}; \
                 PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA secure_delete = ON;"
            ))
            .and_then(|()| {
                let empty = catalog.schema_version()? == 0 && catalog.table_count()? == 0;
                if empty {
                    catalog.create_tables()
                } else {
                    Ok(())
                }
            });
        prepared.map_err(|e| catalog.error("open", e))?;
        let size = std::fs::metadata(&catalog.path).map_or(0, |file| file.len());
        if suspect || size <= EXAMINED_BYTES_MAX {
            catalog.examine()?;
        } else {
            catalog.examine_version()?;
        }
        Ok(catalog)
    }

    /// Opens the catalog for reading only; a user who may not write can do it, too.
    pub fn open_to_read(archive: &Path) -> Result<Catalog, Error> {
        let path = Catalog::path_in(archive);
        let size = std::fs::metadata(&path)
            .map_err(|source| Error::io("open", &path, source))?
            .len();
        let uri = format!("file:{}?mode=ro", uri_path(&path));
        let immutable = format!("{uri}&immutable=1");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let catalog = Catalog::connect(&path, uri, flags)?;
        let usable = catalog.schema_version();
        let catalog = match usable {
            Ok(_) => catalog,
            // SQLite wants to write its shared memory even to read. Without a write-ahead log nobody writes.
            Err(_) if !with_suffix(&path, "-wal").exists() => {
                Catalog::connect(&path, immutable, flags)?
            }
            Err(error) => return Err(catalog.error("read", error)),
        };
        if size <= EXAMINED_BYTES_MAX {
            catalog.examine()?;
        } else {
            catalog.examine_version()?;
        }
        Ok(catalog)
    }

    /// An empty catalog in memory.
    pub fn in_memory() -> Result<Catalog, Error> {
        let memory = ":memory:";
        let catalog = Catalog::connect(Path::new(memory), memory.into(), OpenFlags::default())?;
        let created = catalog.create_tables();
        created.map_err(|e| catalog.error("make", e))?;
        Ok(catalog)
    }

    /// A copy in memory, to be brought further than the file is.
    pub fn to_memory(&self) -> Result<Catalog, Error> {
        let copy = Catalog::in_memory()?;
        let attached = copy.connection.execute("ATTACH ?1 AS file", [&self.uri]);
        let copied = attached.and_then(|_| {
            // One transaction, so that all tables are of one moment.
            let sql = "BEGIN; DELETE FROM high_water";
            copy.connection.execute_batch(sql)?;
            for table in TABLES {
                let sql = format!("INSERT INTO main.{table} SELECT * FROM file.{table}");
                copy.connection.execute_batch(&sql)?;
            }
            copy.connection.execute_batch("COMMIT; DETACH file")
        });
        copied.map_err(|e| self.error("copy", e))?;
        Ok(copy)
    }

    /// Moves a damaged catalog out of the way, for whoever wants to look at it, and says where to. Nothing depends on it.
    pub fn set_aside(archive: &Path, now: Timestamp) -> Result<PathBuf, Error> {
        let path = Catalog::path_in(archive);
        let suffix = format!(".damaged-{}", now.as_millisecond());
        for part in ["", "-wal", "-shm"] {
            let from = with_suffix(&path, part);
            let to = with_suffix(&with_suffix(&path, &suffix), part);
            match std::fs::rename(&from, &to) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("set aside", &from, error));
                }
                _ => {}
            }
        }
        Ok(with_suffix(&path, &suffix))
    }

    fn connect(path: &Path, uri: String, flags: OpenFlags) -> Result<Catalog, Error> {
        let connect = || {
            let connection = Connection::open_with_flags(&uri, flags | OpenFlags::SQLITE_OPEN_URI)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.set_prepared_statement_cache_capacity(32);
            // Else SQLite plans half of the statements anew each time that they get other values.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            Ok(connection)
        };
        let connection = connect().map_err(|e: rusqlite::Error| Error::Catalog {
            doing: "open",
            path: path.to_owned(),
            source: e.into(),
        })?;
        Ok(Catalog {
            connection,
            path: path.to_owned(),
            uri,
        })
    }

    /// Whether an error says that the catalog is damaged, rather than that the system is out of space, rights or patience.
    pub fn is_damage(error: &Error) -> bool {
        use rusqlite::ErrorCode as Code;
        let Error::Catalog { source, .. } = error else {
            return false;
        };
        let code = source.downcast_ref::<rusqlite::Error>();
        !matches!(
            code.and_then(rusqlite::Error::sqlite_error_code),
            Some(
                Code::CannotOpen
                    | Code::PermissionDenied
                    | Code::ReadOnly
                    | Code::DiskFull
                    | Code::SystemIoFailure
                    | Code::DatabaseBusy
                    | Code::DatabaseLocked
                    | Code::OutOfMemory
            )
        )
    }

    fn create_tables(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch(&format!(
            "BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        ))
    }

    fn schema_version(&self) -> rusqlite::Result<i64> {
        self.connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
    }

    fn table_count(&self) -> rusqlite::Result<i64> {
        let sql = "SELECT count(*) FROM sqlite_schema";
        self.connection.query_row(sql, [], |row| row.get(0))
    }

    fn examine_version(&self) -> Result<(), Error> {
        match self.schema_version() {
            Ok(SCHEMA_VERSION) => Ok(()),
            Ok(other) => Err(self.refuse(format!("it is of version {other}"))),
            Err(error) => Err(self.error("read", error)),
        }
    }

    /// Looks through the whole file, and whether each index has what its table has: a document that only an index had lost would
    /// else not be found.
    pub fn examine(&self) -> Result<(), Error> {
        self.examine_version()?;
        let sql = "PRAGMA integrity_check(1)";
        let verdict: rusqlite::Result<String> =
            self.connection.query_row(sql, [], |row| row.get(0));
        match verdict {
            // SQLite takes what is missing of the last page for zeros.
            Ok(verdict) if verdict == "ok" && !self.is_whole_pages()? => {
                Err(self.refuse("it ends within a page".to_owned()))
            }
            Ok(verdict) if verdict == "ok" => self.high_water().map(drop),
            Ok(verdict) => Err(self.refuse(verdict)),
            Err(error) => Err(self.error("examine", error)),
        }
    }

    fn is_whole_pages(&self) -> Result<bool, Error> {
        let page_bytes: Option<u64> = self.first("PRAGMA page_size", [], |row| unsigned(row, 0))?;
        let file = std::fs::metadata(&self.path);
        let file = file.map_err(|source| Error::io("look at", &self.path, source))?;
        Ok(file.len() % page_bytes.unwrap_or(1).max(1) == 0)
    }

    fn refuse(&self, why: String) -> Error {
        Error::Catalog {
            doing: "use",
            path: self.path.clone(),
            source: why.into(),
        }
    }

    fn error(&self, doing: &'static str, source: rusqlite::Error) -> Error {
        Error::Catalog {
            doing,
            path: self.path.clone(),
            source: source.into(),
        }
    }

    fn run(&self, sql: &str, values: impl rusqlite::Params) -> Result<(), Error> {
        self.run_counted(sql, values).map(drop)
    }

    /// Runs a statement; how many rows it changed.
    fn run_counted(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, Error> {
        let statement = self.connection.prepare_cached(sql);
        let done = statement.and_then(|mut s| s.execute(values));
        done.map_err(|e| self.error("write to", e))
    }

    fn first<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        let statement = self.connection.prepare_cached(sql);
        let found = statement.and_then(|mut s| s.query_row(values, read).optional());
        found.map_err(|e| self.error("read", e))
    }

    fn each(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), Error> {
        let walk = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query(values)?;
            while let Some(row) = rows.next()? {
                take(row)?;
            }
            Ok(())
        };
        let walked: rusqlite::Result<()> = walk();
        walked.map_err(|e| self.error("read", e))
    }

    fn all<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let statement = self.connection.prepare_cached(sql);
        let found = statement.and_then(|mut s| s.query_map(values, read)?.collect());
        found.map_err(|e| self.error("read", e))
    }
}

/// A leaf whose record is not found, or was not so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Its index.
    pub leaf: u64,
    /// The document.
    pub doc: DocId,
    /// What it tells of.
    pub kind: LeafKind,
    /// The capture, if it is about one.
    pub capture: Option<u32>,
}

/// What the catalog says of one leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafRow {
    /// Index of the leaf.
    pub leaf: u64,
    /// The document.
    pub doc: DocId,
    /// What it tells of.
    pub kind: LeafKind,
    /// The capture's number, if it is about one.
    pub capture: Option<u32>,
    /// The story version, if it is a capture's leaf.
    pub version: Option<u32>,
    /// Digest of the metadata block.
    pub metadata: Digest,
    /// The metadata record; `None` if it is lost.
    pub metadata_at: Option<Location>,
    /// The text's record, if the capture has one of its own.
    pub text_at: Option<Location>,
}

/// What happened, as the catalog tells of one leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// Index of the leaf.
    pub leaf: u64,
    /// What it tells of.
    pub kind: LeafKind,
    /// The document; of a source, an id that is made in the same way.
    pub doc: DocId,
    /// The capture's number, if it is about one.
    pub capture: Option<u32>,
    /// The story version, if it is a capture's leaf.
    pub version: Option<u32>,
    /// When, by this archive's own clock; `None` if the metadata record is lost.
    pub happened_at: Option<Timestamp>,
    /// Why there is a capture.
    pub change: Option<Change>,
    /// A capture's declared address, else where its file was found.
    pub source: Option<String>,
    /// What an event's block says, as JSON, where the catalog keeps it.
    pub detail: Option<String>,
}

fn malformed(column: usize) -> rusqlite::Error {
    rusqlite::Error::IntegralValueOutOfRange(column, 0)
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| malformed(column))
}

/// SQLite's integers are signed; sizes and counts never come near the difference.
fn signed(value: u64) -> i64 {
    value.cast_signed()
}

fn digest(row: &Row<'_>, column: usize) -> rusqlite::Result<Digest> {
    Ok(Digest::from_bytes(row.get(column)?))
}

fn timestamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(row.get(column)?).map_err(|_| malformed(column))
}

fn kind(row: &Row<'_>, column: usize) -> rusqlite::Result<LeafKind> {
    let text: String = row.get(column)?;
    LeafKind::parse(&text).ok_or_else(|| malformed(column))
}

fn change(row: &Row<'_>, column: usize) -> rusqlite::Result<Change> {
    let text: String = row.get(column)?;
    let all = [Change::Story, Change::Furniture, Change::None];
    let found = all.into_iter().find(|change| change.as_str() == text);
    found.ok_or_else(|| malformed(column))
}

/// A location in three columns, `None` if one of them is NULL.
fn location(row: &Row<'_>, [a, b, c]: [usize; 3]) -> rusqlite::Result<Option<Location>> {
    let (segment, offset, length): (Option<i64>, Option<i64>, Option<i64>) =
        (row.get(a)?, row.get(b)?, row.get(c)?);
    Ok(match (segment, offset, length) {
        (Some(segment), Some(offset), Some(length)) => Some(Location {
            segment: segment_id(segment).ok_or_else(|| malformed(a))?,
            offset: u64::try_from(offset).map_err(|_| malformed(b))?,
            length: u64::try_from(length).map_err(|_| malformed(c))?,
        }),
        _ => None,
    })
}

/// A segment as it stands in a column: negative if it is sealed.
fn segment_column(segment: SegmentId) -> i64 {
    match segment {
        SegmentId::Hot(number) => i64::from(number),
        SegmentId::Sealed(number) => -i64::from(number),
    }
}

fn segment_id(column: i64) -> Option<SegmentId> {
    let number = u32::try_from(column.unsigned_abs()).ok()?;
    Some(if column < 0 {
        SegmentId::Sealed(number)
    } else {
        SegmentId::Hot(number)
    })
}

fn segment(row: &Row<'_>, column: usize) -> rusqlite::Result<SegmentId> {
    segment_id(row.get(column)?).ok_or_else(|| malformed(column))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A path as part of SQLite's `file:` addresses.
fn uri_path(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let mut uri = String::new();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_planned_once_whatever_its_values() {
        let catalog = Catalog::in_memory().expect("made");
        let sql =
            "SELECT doc FROM captures WHERE path = ?1 AND root = ?2 ORDER BY leaf DESC LIMIT 1";
        for path in ["a", "b", "c"] {
            let row = catalog.first(sql, [path, "inbox"], |_| Ok(()));
            assert_eq!(row.expect("asked"), None);
        }
        let statement = catalog.connection.prepare_cached(sql).expect("prepared");
        let planned_anew = statement.get_status(rusqlite::StatementStatus::RePrepare);
        assert_eq!(planned_anew, 0);
    }
}
