//! The archive wing: captures as WARC records in segments, proven by a signed transparency log.
//!
//! `FORMAT.md` beside this file says what an archive is made of, byte by byte. The files here, from the ground up:
//!
//! ```text
//! frame  warc  leaf  metadata  keys       bytes and what they mean: pure, but for the keys' files
//! dictionary  segment                     files of records
//! log/                                    the transparency log
//! catalog                                 SQLite: where everything is; can be deleted
//! recovery                                brings the catalog up to the log, from wherever it stands
//! capture  pins  bonds                          records made by many threads; what persons decided
//! seal                                    hot segments made into sealed ones
//! group  writer                           the one that changes an archive
//! reader                                  any number of those that do not
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::archive::keys::{IdentitySecret, random};
use crate::archive::log::error::LogError;
use crate::archive::log::key::SigningKey;
use crate::archive::log::writer::LogWriter;
use crate::durable;
use crate::identity::DocId;

pub mod bonds;
pub mod capture;
pub mod catalog;
pub mod dictionary;
pub mod frame;
mod group;
pub mod keys;
pub mod leaf;
pub mod log;
pub(crate) mod mending;
pub mod metadata;
pub mod pins;
pub mod reader;
pub mod recovery;
pub mod rotation;
pub mod seal;
pub mod segment;
pub mod warc;
pub mod writer;

/// Version of the format that this program reads and writes.
pub const FORMAT_VERSION: u32 = 1;
/// What `archive.json` says it is.
const FORMAT_NAME: &str = "faircopy archive";
/// What the origin of an archive's log begins with; its id follows.
const ORIGIN_PREFIX: &str = "faircopy/";
/// The format, explained; every archive holds a copy.
const FORMAT: &str = include_str!("FORMAT.md");
/// An archive's files can be read by whom its folder lets in.
const MODE: u32 = 0o644;

/// Where an archive lies, and what belongs to it and must not lie in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The archive.
    pub dir: PathBuf,
    /// `signing.key` and `identity.secret`.
    pub keys: PathBuf,
    /// `last-checkpoint`: what this machine saw of the log last, by which a restored older copy is known.
    pub state: PathBuf,
}

impl Paths {
    /// The log's folder.
    pub fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// The checkpoint seen last.
    pub fn last_checkpoint(&self) -> PathBuf {
        self.state.join("last-checkpoint")
    }
}

/// `archive.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always `faircopy archive`.
    pub format: String,
    /// [`FORMAT_VERSION`].
    pub version: u32,
    /// A random name.
    pub id: String,
    /// The log's origin.
    pub origin: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Manifest {
    /// The manifest of an archive whose log has this origin.
    pub(crate) fn of(origin: &str, now: Timestamp) -> Manifest {
        let id = origin.strip_prefix(ORIGIN_PREFIX).unwrap_or(origin);
        Manifest {
            format: FORMAT_NAME.to_owned(),
            version: FORMAT_VERSION,
            id: id.to_owned(),
            origin: origin.to_owned(),
            created_at: now,
        }
    }

    /// Reads the manifest of the archive in `dir`; refuses what is no archive, and formats to come.
    pub fn read(dir: &Path) -> Result<Manifest, Error> {
        let path = dir.join("archive.json");
        let text = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::NoArchive {
                dir: dir.to_owned(),
            },
            _ => Error::io("read", &path, source),
        })?;
        let manifest: Manifest = serde_json::from_slice(&text)
            .map_err(|source| Error::io("understand", &path, source.into()))?;
        if manifest.format != FORMAT_NAME || manifest.version != FORMAT_VERSION {
            return Err(Error::OtherFormat {
                path,
                format: manifest.format,
                version: manifest.version,
            });
        }
        Ok(manifest)
    }
}

/// Makes an empty archive, with its keys unless they are there already. Never touches an archive that is there.
pub fn create(paths: &Paths, now: Timestamp) -> Result<(), Error> {
    let manifest_path = paths.dir.join("archive.json");
    if manifest_path.exists() {
        return Err(Error::ArchiveThere {
            dir: paths.dir.clone(),
        });
    }
    keys::create_folder(&paths.keys)?;
    for folder in [&paths.dir.join(segment::FOLDER), &paths.state] {
        durable::create_folders(folder)
            .map_err(|source| Error::io("make the folder", folder, source))?;
    }
    IdentitySecret::create(paths)?;
    let id = keys::base32(&random::<16>(), 24);
    let key = signing_key(paths, &format!("{ORIGIN_PREFIX}{id}"))?;
    let origin = key.name().to_owned();
    // A log without a manifest is one whose making was interrupted.
    let log = if paths.log().join("checkpoint").exists() {
        LogWriter::open(&paths.log(), key)?
    } else {
        LogWriter::create(&paths.log(), key)?
    };
    let checkpoint = log.checkpoint();
    match recovery::read_note(&paths.last_checkpoint())? {
        Some(note) if note != checkpoint.note => {
            return Err(Error::StateInUse {
                path: paths.last_checkpoint(),
            });
        }
        _ => recovery::write_last_checkpoint(paths, checkpoint)?,
    }
    // Last, since it is what makes the folder an archive.
    write_manifest(&paths.dir, &Manifest::of(&origin, now))
}

/// Writes what explains an archive, and then what makes its folder one.
pub(crate) fn write_manifest(dir: &Path, manifest: &Manifest) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(manifest).expect("strings and a number");
    text.push('\n');
    for (name, text) in [("FORMAT.md", FORMAT), ("archive.json", &text)] {
        let path = dir.join(name);
        durable::replace(&path, text.as_bytes(), MODE)
            .map_err(|source| Error::io("write", &path, source))?;
    }
    Ok(())
}

/// The signing key that is there, or a new one called `name`.
fn signing_key(paths: &Paths, name: &str) -> Result<SigningKey, Error> {
    let path = keys::signing_key_path(paths);
    if path.exists() {
        return Ok(SigningKey::load(&path)?);
    }
    let key = SigningKey::generate(name)?;
    key.save(&path)?;
    Ok(key)
}

/// Why an archive cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("there is no archive in {}: it has no archive.json; name its folder with --archive, or make one with `faircopy init`", dir.display())]
    NoArchive {
        /// Where one was sought.
        dir: PathBuf,
    },
    /// There is one.
    #[error("there is an archive in {} already; name another folder", dir.display())]
    ArchiveThere {
        /// Where.
        dir: PathBuf,
    },
    /// A format that this program does not know.
    #[error("{} says {format:?} version {version}; this program knows version {FORMAT_VERSION} of {FORMAT_NAME:?}; take the program that wrote it, or a newer one", path.display())]
    OtherFormat {
        /// The manifest.
        path: PathBuf,
        /// What it says it is.
        format: String,
        /// Its version.
        version: u32,
    },
    /// The folder is not there any more, or is not the one that was opened.
    #[error("the archive in {} is gone or was replaced while it was open; bring it back, or restart to work on what is there now", dir.display())]
    Gone {
        /// The archive.
        dir: PathBuf,
    },
    /// Another process writes to it.
    #[error("the archive in {} is locked by another process that writes to it; wait until that ends, or end it", dir.display())]
    Locked {
        /// The archive.
        dir: PathBuf,
    },
    /// A secret is missing.
    #[error("there is no key {}: without it nothing can be archived; restore it from where keys are kept", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A secret is malformed.
    #[error("the identity secret {} is not 64 hexadecimal digits; restore it from where keys are kept", path.display())]
    BadKey {
        /// The file.
        path: PathBuf,
    },
    /// The signing key is not where it could be changed.
    #[error("the signing key is {}, which this process cannot replace: stop the service, put the key into archive.keys, and change it then", path.display())]
    KeyElsewhere {
        /// Where it is.
        path: PathBuf,
    },
    /// The state folder belongs to another archive.
    #[error("{} is the last checkpoint of another log: give this archive a state folder of its own, or move that file away", path.display())]
    StateInUse {
        /// The checkpoint.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A place in a segment cannot be read or written.
    #[error("cannot {doing} at offset {offset} of segment {}", path.display())]
    Record {
        /// What was being done.
        doing: &'static str,
        /// The segment's file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What the system or the decoder said.
        source: io::Error,
    },
    /// What was read back differs from what was written.
    #[error("segment {} does not give back at offset {offset} what was written there: the disk, the memory or the processor errs; have them tested before more is archived", path.display())]
    WrittenWrong {
        /// The segment's file.
        path: PathBuf,
        /// The record's place.
        offset: u64,
    },
    /// The log cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The metadata record of a leaf cannot be read.
    #[error(
        "the metadata record of leaf {index} is damaged or gone; `faircopy check --read-data` tells more"
    )]
    LeafLost {
        /// Which leaf.
        index: u64,
    },
    /// A leaf that this program does not understand.
    #[error(
        "leaf {index} of the log {origin} is of no kind that this program knows: a newer one wrote it; install that"
    )]
    UnknownLeaf {
        /// The log.
        origin: String,
        /// Which leaf.
        index: u64,
    },
    /// The log is shorter than it was: the archive is a restored older copy.
    #[error(
        "the log of the archive in {} has {size} leaves, but {} says that it had {seen}: an older copy of the archive was \
         restored. Restore the newer copy; if that is lost, keep this one for reading and begin a new archive with `init`",
        dir.display(), witness.display()
    )]
    LogShrunk {
        /// The archive.
        dir: PathBuf,
        /// How many leaves it has.
        size: u64,
        /// How many there were.
        seen: u64,
        /// What says so.
        witness: PathBuf,
    },
    /// The log is another than it was.
    #[error(
        "the first {seen} leaves of the log in {} are not those that {} has seen: the log has forked. Nothing is archived \
         until the right copy of the archive is back, or that file belongs to another archive and is moved away",
        dir.display(), witness.display()
    )]
    LogForked {
        /// The archive.
        dir: PathBuf,
        /// How many leaves there were.
        seen: u64,
        /// What says so.
        witness: PathBuf,
    },
    /// All records are gone.
    #[error("the log of the archive in {} has {leaves} leaves, but there is no segment: they were deleted, or lie on a file system that is not mounted; mount it, or restore them from a backup", dir.display())]
    NoSegments {
        /// The archive.
        dir: PathBuf,
        /// How many leaves there are.
        leaves: u64,
    },
    /// SQLite.
    #[error("cannot {doing} the catalog {}", path.display())]
    Catalog {
        /// What was being done.
        doing: &'static str,
        /// The catalog.
        path: PathBuf,
        /// What SQLite said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A record is not what the catalog or the log says of it.
    #[error("{what} of capture {capture} of document {doc} is damaged ({}): {why}; restore its segment from a backup", place.as_deref().unwrap_or("its place is unknown"))]
    Damaged {
        /// Raw bytes, text or metadata.
        what: &'static str,
        /// The document.
        doc: DocId,
        /// The capture.
        capture: u32,
        /// Segment and offset.
        place: Option<String>,
        /// What is wrong.
        why: String,
    },
    /// No such document.
    #[error(
        "there is no document {0:?}: it is neither an id, the beginning of one, an address nor an inbox path that is archived; `faircopy ls` lists all, `faircopy search` finds by words"
    )]
    NoDocument(String),
    /// Several documents.
    #[error("{name:?} may be any of {}; give more of the id", candidates.iter().map(|d| d.0.as_str()).collect::<Vec<_>>().join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// What it may be.
        candidates: Vec<DocId>,
    },
    /// It must not be erased.
    #[error(
        "document {doc} is held (leaf {leaf}) and cannot be erased; `faircopy hold --release {doc}` ends that"
    )]
    Held {
        /// The document.
        doc: DocId,
        /// The leaf that says so.
        leaf: u64,
    },
    /// It was erased.
    #[error("document {doc} was erased{} (leaf {leaf}); `faircopy audit` tells why", at.map(|at| format!(" at {at:.0}")).unwrap_or_default())]
    Erased {
        /// The document.
        doc: DocId,
        /// The leaf that says so.
        leaf: u64,
        /// When, if that is known.
        at: Option<Timestamp>,
    },
    /// What is to be erased cannot be told from what is to stay.
    #[error(
        "{segment} cannot be written without what is to be erased: {why}. Restore it from a backup first; nothing has changed"
    )]
    NotErasable {
        /// The segment.
        segment: String,
        /// What is wrong with it.
        why: String,
    },
    /// New records of the same document or bytes kept coming.
    #[error("document {doc} kept changing while it was to be erased; try again")]
    Restless {
        /// The document.
        doc: DocId,
    },
    /// No such version, or none at that time.
    #[error("document {doc} has no version {asked}; `faircopy log {doc}` lists those it has")]
    NoVersion {
        /// The document.
        doc: DocId,
        /// What was asked for.
        asked: String,
    },
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Error {
        Error::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }
}
