//! The catalog: where everything is, in SQLite. It is made from log and segments, by [`crate::archive::recovery`], and can be deleted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use serde::Serialize;

use crate::archive::Error;
use crate::archive::leaf::Leaf;
use crate::archive::metadata::{Observation, Revision};
use crate::archive::segment::{Location, Position};
use crate::article::Digests;
use crate::digest::Digest;
use crate::identity::{CaptureId, DocId, IdentityKind, VersionId, normalise_url};
use crate::submission::{ClaimId, Signature, Source, path_text};

/// The schema's version; a catalog of another one is made anew.
const SCHEMA_VERSION: i64 = 1;
const SCHEMA: &str = include_str!("catalog.sql");
const TABLES: [&str; 5] = ["captures", "revisions", "raws", "names", "high_water"];
/// Readers wait so long for a writer's moment of exclusiveness, and the reverse.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Up to this size a reader has the whole catalog examined before it believes it: that takes some hundredths of a second.
const READER_EXAMINES_BYTES_MAX: u64 = 32 << 20;

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
    /// Number of the last capture, 0 if there is none.
    pub capture: u32,
    /// Number of the latest version, 0 if there is none.
    pub version: u32,
    /// The latest version's story; `None` if it is lost.
    pub story: Option<Digest>,
    /// The document's last leaf.
    pub leaf: Option<u64>,
}

/// A capture as the catalog takes it in.
#[derive(Debug)]
pub struct NewCapture<'a> {
    /// What was observed.
    pub observation: &'a Observation,
    /// Title and rules; `None` for a duplicate.
    pub content: Option<(Option<&'a str>, &'a str)>,
    /// The capture that has the content of a duplicate.
    pub same_as: Option<u32>,
    /// Its text's record, in the same segment as the metadata's.
    pub text: Option<Location>,
    /// Its metadata record.
    pub metadata: Location,
}

impl Catalog {
    /// The file, in the archive.
    pub fn path_in(archive: &Path) -> PathBuf {
        archive.join("catalog.sqlite")
    }

    /// Opens the catalog for the writer, or makes an empty one. An error if it is damaged: see [`Catalog::set_aside`].
    pub fn open(archive: &Path) -> Result<Catalog, Error> {
        let path = Catalog::path_in(archive);
        let uri = format!("file:{}", uri_path(&path));
        let catalog = Catalog::connect(&path, uri, OpenFlags::default())?;
        let prepared = catalog
            .connection
            // A power cut may cost the last transactions: they are made again from log and segments.
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
            .and_then(|()| {
                let empty = catalog.schema_version()? == 0 && catalog.table_count()? == 0;
                if empty {
                    catalog.create_tables()
                } else {
                    Ok(())
                }
            });
        prepared.map_err(|e| catalog.error("open", e))?;
        catalog.examine()?;
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
        if size <= READER_EXAMINES_BYTES_MAX {
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
            copy.connection.execute_batch("DELETE FROM high_water")?;
            for table in TABLES {
                let sql = format!("INSERT INTO main.{table} SELECT * FROM file.{table}");
                copy.connection.execute_batch(&sql)?;
            }
            copy.connection.execute_batch("DETACH file")
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

    /// Looks through the whole file.
    pub fn examine(&self) -> Result<(), Error> {
        self.examine_version()?;
        let sql = "PRAGMA quick_check(1)";
        let verdict: rusqlite::Result<String> =
            self.connection.query_row(sql, [], |row| row.get(0));
        match verdict {
            Ok(verdict) if verdict == "ok" => self.high_water().map(drop),
            Ok(verdict) => Err(self.refuse(verdict)),
            Err(error) => Err(self.error("examine", error)),
        }
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
        let statement = self.connection.prepare_cached(sql);
        let done = statement.and_then(|mut s| s.execute(values));
        done.map(drop).map_err(|e| self.error("write to", e))
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

/// What the writer and the recovery do.
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
                    segment: row.get(1)?,
                    offset: unsigned(row, 2)?,
                },
            })
        };
        self.first(sql, [], read)?
            .ok_or_else(|| self.refuse("it has no high-water mark".into()))
    }

    /// The catalog covers the log so far.
    pub fn set_high_water(&self, to: HighWater) -> Result<(), Error> {
        let sql = r#"UPDATE high_water SET leaves = ?1, segment = ?2, "offset" = ?3"#;
        let values = params![signed(to.leaves), to.end.segment, signed(to.end.offset)];
        self.run(sql, values)
    }

    /// Takes in what a leaf says by itself; its records are still to be found.
    pub fn announce(&self, index: u64, leaf: &Leaf) -> Result<(), Error> {
        let index = signed(index);
        match leaf {
            Leaf::Capture {
                doc,
                capture,
                version,
                metadata,
                ..
            } => self.run(
                "INSERT INTO captures (leaf, doc, capture, version, metadata) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![index, doc.0, capture, version, metadata.as_bytes()],
            ),
            Leaf::MetadataRevision {
                doc,
                capture,
                metadata,
                ..
            } => self.run(
                "INSERT INTO revisions (leaf, doc, capture, metadata) VALUES (?1, ?2, ?3, ?4)",
                params![index, doc.0, capture, metadata.as_bytes()],
            ),
        }
    }

    /// The announced leaf that commits to a metadata block and whose record was not found so far.
    pub fn announced(&self, metadata: &Digest) -> Result<Option<Announced>, Error> {
        let digest = metadata.as_bytes();
        let read = |row: &Row<'_>| {
            Ok(Announced {
                leaf: unsigned(row, 0)?,
                doc: DocId(row.get(1)?),
                capture: row.get(2)?,
            })
        };
        let sql = "SELECT leaf, doc, capture FROM captures WHERE metadata = ?1 AND segment IS NULL \
                   UNION ALL \
                   SELECT leaf, doc, capture FROM revisions WHERE metadata = ?1 AND segment IS NULL \
                   ORDER BY leaf LIMIT 1";
        self.first(sql, [digest], read)
    }

    /// Takes in the records of an announced capture.
    pub fn fill_capture(&self, leaf: u64, new: &NewCapture<'_>) -> Result<(), Error> {
        let o = new.observation;
        let (title, rules) = match new.content {
            Some((title, rules)) => (title, Some(rules)),
            None => (None, None),
        };
        let sql = "UPDATE captures SET same_as = ?2, claim = ?3, part = ?4, root = ?5, path = ?6, signature = ?7, \
                   captured_at = ?8, received_at = ?9, url = ?10, media_type = ?11, raw_bytes = ?12, raw = ?13, \
                   text = ?14, story = ?15, title = ?16, rules = ?17, text_offset = ?18, text_length = ?19, \
                   segment = ?20, metadata_offset = ?21, metadata_length = ?22, \
                   change = CASE WHEN ?2 IS NOT NULL THEN 'none' \
                   WHEN version = (SELECT c.version FROM captures AS c WHERE c.doc = captures.doc \
                   AND c.capture = captures.capture - 1) THEN 'furniture' \
                   ELSE 'story' END WHERE leaf = ?1";
        let url = o.declared.url.as_deref().and_then(normalise_url);
        self.run(
            sql,
            params![
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
                title,
                rules,
                new.text.map(|t| signed(t.offset)),
                new.text.map(|t| signed(t.length)),
                new.metadata.segment,
                signed(new.metadata.offset),
                signed(new.metadata.length),
            ],
        )
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

    /// Takes in the record of an announced revision.
    pub fn fill_revision(
        &self,
        leaf: u64,
        doc: &DocId,
        revision: &Revision,
        metadata: Location,
    ) -> Result<(), Error> {
        self.run(
            "UPDATE revisions SET segment = ?2, metadata_offset = ?3, metadata_length = ?4 WHERE leaf = ?1",
            params![
                signed(leaf),
                metadata.segment,
                signed(metadata.offset),
                signed(metadata.length)
            ],
        )?;
        match revision.declared.url.as_deref().and_then(normalise_url) {
            Some(url) => self.add_name(doc, IdentityKind::Url, &url),
            None => Ok(()),
        }
    }

    /// Remembers where raw bytes are.
    pub fn put_raw(&self, digest: &Digest, at: Location) -> Result<(), Error> {
        self.run(
            "INSERT OR REPLACE INTO raws VALUES (?1, ?2, ?3, ?4)",
            params![
                digest.as_bytes(),
                at.segment,
                signed(at.offset),
                signed(at.length)
            ],
        )
    }

    /// Where raw bytes are.
    pub fn raw(&self, digest: &Digest) -> Result<Option<Location>, Error> {
        let sql = r#"SELECT segment, "offset", length FROM raws WHERE digest = ?1"#;
        let read = |row: &Row<'_>| location(row, [0, 1, 2]);
        Ok(self.first(sql, [digest.as_bytes()], read)?.flatten())
    }

    /// What a new capture of `doc` is compared with.
    pub fn doc_state(&self, doc: &DocId) -> Result<DocState, Error> {
        // Versions never go down as captures go up: the last capture tells all.
        let sql = "SELECT capture, version, leaf FROM captures WHERE doc = ?1 ORDER BY capture DESC LIMIT 1";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let last: Option<(u32, u32, i64)> = self.first(sql, [&doc.0], read)?;
        let Some((capture, version, leaf)) = last else {
            return Ok(DocState::default());
        };
        let sql = "SELECT story FROM captures WHERE doc = ?1 AND version = ?2 AND story IS NOT NULL \
                   ORDER BY capture DESC LIMIT 1";
        let story = self.first(sql, params![doc.0, version], |row| digest(row, 0))?;
        let sql = "SELECT max(leaf) FROM revisions WHERE doc = ?1";
        let revision: Option<Option<i64>> = self.first(sql, [&doc.0], |row| row.get(0))?;
        Ok(DocState {
            capture,
            version,
            story,
            leaf: Some(leaf.max(revision.flatten().unwrap_or(leaf)).cast_unsigned()),
        })
    }

    /// The capture of this version of a document that has these raw bytes and content of its own.
    pub fn same_bytes(
        &self,
        doc: &DocId,
        version: u32,
        raw: &Digest,
    ) -> Result<Option<CaptureRow>, Error> {
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

    /// Whether any part of a claim is archived.
    pub fn has_claim(&self, claim: &ClaimId) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM captures WHERE claim = ?1 LIMIT 1";
        let found = self.first(sql, [claim.as_str()], |_| Ok(()))?;
        Ok(found.is_some())
    }

    /// Whether this state of this file is archived.
    pub fn has_signature(&self, source: &Source, signature: &Signature) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM captures WHERE path = ?1 AND root = ?2 AND signature = ?3 LIMIT 1";
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

    /// The digest of the metadata that the catalog has for a leaf.
    pub fn metadata_of_leaf(&self, index: u64) -> Result<Option<Digest>, Error> {
        let sql = "SELECT metadata FROM captures WHERE leaf = ?1 \
                   UNION ALL SELECT metadata FROM revisions WHERE leaf = ?1";
        self.first(sql, [signed(index)], |row| digest(row, 0))
    }

    /// Captures whose metadata record is lost, from leaf `from` on.
    pub fn lost(&self, from: u64) -> Result<Vec<Announced>, Error> {
        let sql = "SELECT leaf, doc, capture FROM captures WHERE segment IS NULL AND leaf >= ?1 \
                   UNION ALL \
                   SELECT leaf, doc, capture FROM revisions WHERE segment IS NULL AND leaf >= ?1 \
                   ORDER BY leaf";
        self.all(sql, [signed(from)], |row| {
            Ok(Announced {
                leaf: unsigned(row, 0)?,
                doc: DocId(row.get(1)?),
                capture: row.get(2)?,
            })
        })
    }
}

/// A leaf whose record is not found, or was not so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Its index.
    pub leaf: u64,
    /// The document.
    pub doc: DocId,
    /// The capture.
    pub capture: u32,
}

/// What readers ask.
impl Catalog {
    /// The captures that `wanted` (a condition on `c`, and an order) selects.
    fn captures_where(
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
        let counts: std::collections::HashMap<String, (u32, u32)> = counts.into_iter().collect();
        let rows = latest.into_iter().map(|latest| {
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

    /// The captures of a document in the order of archiving.
    pub fn captures(&self, doc: &DocId) -> Result<Vec<CaptureRow>, Error> {
        self.captures_where("c.doc = ?1 ORDER BY c.capture", [&doc.0])
    }

    /// The revisions of a capture's metadata: digest and place of each, oldest first.
    pub fn revisions(&self, id: &CaptureId) -> Result<Vec<(Digest, Location)>, Error> {
        let sql = "SELECT metadata, segment, metadata_offset, metadata_length FROM revisions \
                   WHERE doc = ?1 AND capture = ?2 ORDER BY leaf";
        let read = |row: &Row<'_>| Ok((digest(row, 0)?, location(row, [1, 2, 3])?));
        let found = self.all(sql, params![id.doc.0, id.capture], read)?;
        let placed = found.into_iter().filter_map(|(d, at)| Some((d, at?)));
        Ok(placed.collect())
    }

    /// Documents whose id begins with `prefix`.
    pub fn docs_by_prefix(&self, prefix: &str) -> Result<Vec<DocId>, Error> {
        let sql = "SELECT DISTINCT doc FROM captures WHERE doc >= ?1 AND doc < ?1 || '~' ORDER BY doc LIMIT 20";
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

    /// How much there is.
    pub fn counts(&self) -> Result<Counts, Error> {
        let sql = "SELECT count(DISTINCT doc), count(*), \
                   (SELECT count(*) FROM (SELECT DISTINCT doc, version FROM captures)), \
                   coalesce(sum(raw_bytes), 0) FROM captures";
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

/// What the catalog says of one leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafRow {
    /// Index of the leaf.
    pub leaf: u64,
    /// The document.
    pub doc: DocId,
    /// The capture's number.
    pub capture: u32,
    /// The story version, if it is a capture's leaf.
    pub version: Option<u32>,
    /// Digest of the metadata block.
    pub metadata: Digest,
    /// The metadata record; `None` if it is lost.
    pub metadata_at: Option<Location>,
    /// The text's record, if the capture has one of its own.
    pub text_at: Option<Location>,
}

/// What `check` asks.
impl Catalog {
    /// The rows of these leaves, in their order.
    pub fn leaf_rows(&self, leaves: std::ops::Range<u64>) -> Result<Vec<LeafRow>, Error> {
        let sql = "SELECT leaf, doc, capture, version, metadata, segment, metadata_offset, metadata_length, \
                   text_offset, text_length FROM captures WHERE leaf >= ?1 AND leaf < ?2 \
                   UNION ALL \
                   SELECT leaf, doc, capture, NULL, metadata, segment, metadata_offset, metadata_length, \
                   NULL, NULL FROM revisions WHERE leaf >= ?1 AND leaf < ?2 ORDER BY leaf";
        self.all(sql, [signed(leaves.start), signed(leaves.end)], |row| {
            Ok(LeafRow {
                leaf: unsigned(row, 0)?,
                doc: DocId(row.get(1)?),
                capture: row.get(2)?,
                version: row.get(3)?,
                metadata: digest(row, 4)?,
                metadata_at: location(row, [5, 6, 7])?,
                text_at: location(row, [5, 8, 9])?,
            })
        })
    }

    /// Where the metadata record of a leaf is.
    pub fn metadata_at(&self, leaf: u64) -> Result<Option<Location>, Error> {
        let rows = self.leaf_rows(leaf..leaf + 1)?;
        Ok(rows.first().and_then(|row| row.metadata_at))
    }

    /// Where the text of a leaf's capture is: for a duplicate, that of the capture it is the same as.
    pub fn text_at(&self, leaf: u64) -> Result<Option<Location>, Error> {
        let row = self.captures_where("c.leaf = ?1", [signed(leaf)])?.pop();
        Ok(row.and_then(|row| row.locations.text))
    }

    /// Where the committed records of each segment end.
    pub fn segment_ends(&self) -> Result<Vec<Position>, Error> {
        let sql = "SELECT segment, max(metadata_offset + metadata_length) FROM \
                   (SELECT segment, metadata_offset, metadata_length FROM captures \
                   UNION ALL SELECT segment, metadata_offset, metadata_length FROM revisions) \
                   WHERE segment IS NOT NULL GROUP BY segment ORDER BY segment";
        self.all(sql, [], |row| {
            Ok(Position {
                segment: row.get(0)?,
                offset: unsigned(row, 1)?,
            })
        })
    }

    /// The documents with a record that begins in this stretch of a segment, in the order of archiving.
    pub fn docs_within(
        &self,
        segment: u32,
        bytes: std::ops::Range<u64>,
    ) -> Result<Vec<DocId>, Error> {
        let sql = r#"SELECT doc, min(leaf) FROM (
            SELECT doc, leaf FROM captures WHERE segment = ?1
                AND (metadata_offset >= ?2 AND metadata_offset < ?3 OR text_offset >= ?2 AND text_offset < ?3)
            UNION ALL
            SELECT doc, leaf FROM revisions WHERE segment = ?1 AND metadata_offset >= ?2 AND metadata_offset < ?3
            UNION ALL
            SELECT c.doc, c.leaf FROM raws AS r JOIN captures AS c ON c.raw = r.digest
                WHERE r.segment = ?1 AND r."offset" >= ?2 AND r."offset" < ?3
            ) GROUP BY doc ORDER BY 2"#;
        let values = params![segment, signed(bytes.start), signed(bytes.end)];
        self.all(sql, values, |row| Ok(DocId(row.get(0)?)))
    }
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
    LEFT JOIN captures AS b ON b.doc = c.doc AND b.capture = coalesce(c.same_as, c.capture)
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
    })
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

fn change(row: &Row<'_>, column: usize) -> rusqlite::Result<Change> {
    let text: String = row.get(column)?;
    let all = [Change::Story, Change::Furniture, Change::None];
    let found = all.into_iter().find(|change| change.as_str() == text);
    found.ok_or_else(|| malformed(column))
}

/// A location in three columns, `None` if one of them is NULL.
fn location(row: &Row<'_>, [a, b, c]: [usize; 3]) -> rusqlite::Result<Option<Location>> {
    let (segment, offset, length): (Option<u32>, Option<i64>, Option<i64>) =
        (row.get(a)?, row.get(b)?, row.get(c)?);
    Ok(match (segment, offset, length) {
        (Some(segment), Some(offset), Some(length)) => Some(Location {
            segment,
            offset: u64::try_from(offset).map_err(|_| malformed(b))?,
            length: u64::try_from(length).map_err(|_| malformed(c))?,
        }),
        _ => None,
    })
}

/// A signature as one text, since nanoseconds need more than SQLite's 64 bits.
fn signature_text(s: &Signature) -> String {
    format!(
        "{}:{}:{}:{}:{}",
        s.device, s.inode, s.size, s.mtime_ns, s.ctime_ns
    )
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
