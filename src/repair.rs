//! `repair`: builds a sound archive in a new folder from what is sound in a damaged one, and tells what is not.
//!
//! The log stays the same tree: its entries are copied, and made again from the catalog where they are damaged and the tree's
//! hashes prove them. Segments are copied frame by frame, under their numbers, without what is no sound record; so a capture
//! whose records are gone is one that the log knows and `check` calls lost. The damaged archive is only read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::archive::log::error::LogError;
use crate::archive::{self, Manifest, Paths, recovery};
use crate::durable;

mod log;
mod plan;
mod segments;

use plan::Plan;

/// Something that the new archive lacks, or has another way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Where it was: a file, with the offset in it if there is one.
    #[serde(rename = "where")]
    pub place: String,
    /// What became of it.
    pub message: String,
}

/// What was built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Repaired {
    /// Records that were copied.
    pub records: u64,
    /// What was left out, or made again.
    pub left_out: u64,
    /// Sound raw bytes and texts of captures that are lost: they lie beside the new archive, each named by its digest.
    pub salvaged: u64,
}

/// Why nothing could be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive or the new one.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// There is something already.
    #[error("{} is there already; name a folder that is not", path.display())]
    NotNew {
        /// The target.
        path: PathBuf,
    },
    /// Nothing says what the log is.
    #[error("neither {} nor {} is a checkpoint of this log: restore one of them, or log/vkey, from a backup", archive.display(), state.display())]
    NoCheckpoint {
        /// The checkpoint in the archive.
        archive: PathBuf,
        /// The copy outside.
        state: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl From<LogError> for Error {
    fn from(error: LogError) -> Error {
        Error::Archive(error.into())
    }
}

impl Error {
    fn write(path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Write { path, source }
    }
}

/// Tells what is left out, and counts it.
struct Telling<'a> {
    report: &'a mut dyn FnMut(LeftOut),
    count: u64,
}

impl Telling<'_> {
    fn tell(&mut self, place: impl ToString, message: impl Into<String>) {
        self.count += 1;
        (self.report)(LeftOut {
            place: place.to_string(),
            message: message.into(),
        });
    }
}

/// Builds an archive in the new folder `to`; each thing that it lacks is handed to `report`.
pub fn repair(
    paths: &Paths,
    to: &Path,
    now: Timestamp,
    report: &mut dyn FnMut(LeftOut),
) -> Result<Repaired, Error> {
    let path = to.to_owned();
    let is_new = fs::symlink_metadata(to).is_err() || fs::remove_dir(to).is_ok();
    if !is_new {
        return Err(Error::NotNew { path });
    }
    let mut telling = Telling { report, count: 0 };
    let log = log::read(paths, &mut telling)?;
    durable::create_folders(to).map_err(Error::write(to))?;
    log::copy(paths, &log, &to.join("log"), &mut telling)?;
    let manifest = manifest(paths, &log.checkpoint.origin, now, &mut telling);

    let (leaves, is_whole) = (log.metadata_digests(), log.is_whole());
    let plan = Plan::make(&paths.dir, leaves, is_whole, &mut telling)?;
    let records = segments::write(&paths.dir, to, &plan, &manifest, now, &mut telling)?;
    let salvaged = segments::salvage(&paths.dir, &salvage_folder(to), &plan)?;
    archive::write_manifest(to, &manifest)?;
    if let Err(error) = recovery::make_catalog(to) {
        telling.tell("catalog.sqlite", format!("it cannot be made: {error}"));
    }
    Ok(Repaired {
        records,
        left_out: telling.count,
        salvaged,
    })
}

/// Where raw bytes and texts go that belong to no capture any more.
pub fn salvage_folder(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".salvaged");
    PathBuf::from(name)
}

/// The archive's manifest; one like it if that is damaged, since the log's origin says what counts of it.
fn manifest(paths: &Paths, origin: &str, now: Timestamp, telling: &mut Telling) -> Manifest {
    Manifest::read(&paths.dir).unwrap_or_else(|error| {
        telling.tell(
            "archive.json",
            format!("it is made again, with today's date: {error}"),
        );
        Manifest::of(origin, now)
    })
}
