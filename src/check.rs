//! `check`: whether an archive is sound. Everything is computed anew; nothing is repaired; no problem stops it.
//!
//! It shares with the writer what reads bytes (frames, records, leaves, tiles, notes), and nothing that decides. It takes no
//! lock and runs while a daemon writes: it reads the checkpoint first and judges what that covers. What stands behind the
//! last committed record is a note, no problem.
//!
//! | without `read_data` | with it |
//! |---|---|
//! | archive.json, FORMAT.md, files that do not belong | |
//! | the checkpoint's signature, and a checkpoint kept elsewhere | |
//! | every entry of the log, every hash tile, the root, each leaf's predecessor | |
//! | the catalog against log and segment lengths | and against the records |
//! | | every frame unpacked, every block's digest |
//! | | each leaf's metadata block, raw bytes, text and ledger |
//! | | records that belong to no capture |
//!
//! The codes of problems are [`problem::Code`]; they stay.
//!
//! BUG: a changed bit that unpacks to the same bytes is not found, since leaves commit to the bytes unpacked. Headers of WARC
//! records are covered by their frame's checksum alone: against an accident, not against a forger.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::archive::Manifest;
use crate::archive::catalog::{Catalog, LeafRow};
use crate::archive::log::cosignature::WitnessKey;
use crate::archive::log::key::VerifierKey;
use crate::archive::segment::{self, Position, SegmentId};
use crate::check::log::{Elsewhere, LogView};
use crate::check::problem::{Code, Findings, Note, Problem, chain};
use crate::check::records::{Records, Region, START};
use crate::check::segments::Segments;
use crate::durable;
use crate::gauge::Gauge;

mod catalog;
mod content;
mod leaves;
mod log;
pub mod problem;
mod records;
mod segments;
mod stretch;
mod tree;

/// How an archive is checked.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Read all records too.
    pub read_data: bool,
    /// With `read_data`: this share of the records only, above 0 and at most 1.
    pub subset: Option<f64>,
    /// Which share: with a number that goes up by one from run to run (the number of the week), 1/`subset` runs read everything.
    pub rotation: u64,
    /// With `read_data`: as many records as can be read in this time.
    pub time: Option<Duration>,
    /// With `time`: begin behind the record of this leaf, which a run before came to ([`Report::last_leaf`]), and go on from the end
    /// at the beginning.
    pub after: Option<u64>,
    /// A checkpoint kept elsewhere: the log must go on from it.
    pub checkpoint: Option<PathBuf>,
    /// Keys of witnesses, whose kept cosignatures are verified.
    pub witnesses: Vec<WitnessKey>,
    /// The key that must have signed; else the one that lies in the archive.
    pub vkey: Option<VerifierKey>,
    /// Told how many bytes of segments were read, of how many.
    pub gauge: Arc<Gauge>,
}

/// What was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Records that were read.
    pub records: u64,
    /// Bytes of segments that were read.
    pub bytes: u64,
    /// Leaves of the log.
    pub leaves: u64,
    /// With a limit of time: the leaf whose record was the last to be read.
    pub last_leaf: Option<u64>,
    /// How many problems were reported.
    pub problems: u64,
    /// What is no problem and still worth saying.
    pub notes: Vec<Note>,
}

/// Why there was nothing to check.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No folder, or one without anything of an archive.
    #[error("there is no archive in {}; name its folder with --archive", dir.display())]
    NoArchive {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder cannot be listed.
    #[error("cannot list the archive {}", dir.display())]
    Unreadable {
        /// The folder.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A share that is none.
    #[error("the share of records to read must be above 0 and at most 1, not {0}")]
    BadSubset(f64),
}

/// Checks the archive in `dir`; each problem is handed to `report` as it is found.
pub fn check(
    dir: &Path,
    options: &Options,
    report: &mut dyn FnMut(Problem),
) -> Result<Report, Error> {
    if let Some(share) = options
        .subset
        .filter(|share| !(*share > 0.0 && *share <= 1.0))
    {
        return Err(Error::BadSubset(share));
    }
    let mut findings = Findings::new(report);
    let findings = &mut findings;
    look_around(dir, findings)?;
    let elsewhere = Elsewhere {
        verifier: options.vkey.as_ref(),
        checkpoint: options.checkpoint.as_deref(),
        witnesses: &options.witnesses,
    };
    let view = log::check(dir, &elsewhere, findings);
    check_manifest(dir, &view, findings);
    let catalog = catalog::check(dir, &view, findings);
    let is_due = |number| options.read_data && options.share().has(number);
    let Segments { there, replaced } = segments::check(dir, catalog.as_ref(), &is_due, findings);

    let mut done = Report {
        leaves: view.size,
        ..Report::default()
    };
    if options.read_data {
        let share = options.share();
        let regions = regions(&view, catalog.as_ref(), &share, findings);
        let whole = regions.is_none();
        let regions = regions.unwrap_or_else(|| vec![Region::whole(&view)]);
        let mut records = Records::new(dir, &view, catalog.as_ref(), whole, replaced);
        records.gauge = Arc::clone(&options.gauge);
        options.gauge.expect(bytes_to_read(dir, &there, options));
        let start = Instant::now();
        for region in &regions {
            let is_over = |time: Duration| done.last_leaf.is_some() && start.elapsed() >= time;
            if matches!(share, Share::For { time, .. } if is_over(time)) {
                break;
            }
            records.read(region, &there, findings);
            if matches!(share, Share::For { .. }) {
                done.last_leaf = region.leaves.last().map(|leaf| *leaf as u64);
                check_sealed_in(dir, region, &there, findings);
            }
        }
        records.tell_missed(findings);
        if let Some(catalog) = &catalog {
            catalog::compare_places(catalog, &records, whole, findings);
        }
        (done.records, done.bytes) = (records.records, records.bytes);
    }
    done.problems = findings.problems;
    done.notes = std::mem::take(&mut findings.notes);
    Ok(done)
}

/// So many bytes of segments are to be read, about; 0 if only the time is known that it may take.
fn bytes_to_read(dir: &Path, segments: &[SegmentId], options: &Options) -> u64 {
    if options.time.is_some() {
        return 0;
    }
    let paths = segments.iter().map(|&id| segment::path(dir, id));
    let bytes: u64 = paths.flat_map(fs::metadata).map(|file| file.len()).sum();
    // Figures for people, far below what a float can count.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let share = (bytes as f64 * options.subset.unwrap_or(1.0)) as u64;
    share
}

/// Which part of the records is read.
enum Share {
    All,
    /// Of so many parts this one.
    Nth {
        parts: usize,
        chosen: usize,
    },
    /// As many as can be read in this time, from behind this leaf's on.
    For {
        time: Duration,
        after: Option<u64>,
    },
}

impl Options {
    fn share(&self) -> Share {
        if let Some(time) = self.time {
            let after = self.after;
            return Share::For { time, after };
        }
        let Some(share) = self.subset.filter(|share| *share < 1.0) else {
            return Share::All;
        };
        // The share is above 0 and the cast saturates.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let parts = (1.0 / share).ceil() as usize;
        let chosen = usize::try_from(self.rotation % parts as u64).unwrap_or(0);
        Share::Nth { parts, chosen }
    }
}

impl Share {
    /// Whether the digest of the whole sealed segment of this number is computed, beside its records.
    fn has(&self, number: u32) -> bool {
        match self {
            Share::All => true,
            Share::Nth { parts, chosen } => number as usize % parts == *chosen,
            // Each when its last record is read.
            Share::For { .. } => false,
        }
    }
}

/// Computes the digests of the sealed segments whose records end in this region.
fn check_sealed_in(dir: &Path, region: &Region, there: &[SegmentId], findings: &mut Findings) {
    for segment in there {
        let ends =
            *segment >= region.from.segment && region.to.is_none_or(|to| *segment < to.segment);
        if let SegmentId::Sealed(number) = segment
            && ends
        {
            segments::check_digest(dir, *number, findings);
        }
    }
}

/// Looks what lies in the archive's folder.
fn look_around(dir: &Path, findings: &mut Findings) -> Result<(), Error> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::NoArchive {
                dir: dir.to_owned(),
            });
        }
        Err(source) => {
            return Err(Error::Unreadable {
                dir: dir.to_owned(),
                source,
            });
        }
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let names: Vec<_> = names.collect();
    if ![
        "archive.json",
        "log",
        segment::FOLDER,
        segment::SEALED_FOLDER,
    ]
    .iter()
    .any(|part| names.iter().any(|name| name == part))
    {
        return Err(Error::NoArchive {
            dir: dir.to_owned(),
        });
    }
    if !names.iter().any(|name| name == "FORMAT.md") {
        findings.problem(Code::FormatMissing, "FORMAT.md", "it is not there");
    }
    for name in names {
        let text = name.to_string_lossy();
        let known = matches!(
            text.as_ref(),
            "archive.json"
                | "FORMAT.md"
                | "lock"
                | "log"
                | segment::FOLDER
                | segment::SEALED_FOLDER
        ) || text.starts_with("catalog.sqlite")
            || text.starts_with("search.sqlite")
            || durable::is_temporary(&name);
        if !known {
            findings.note(text.as_ref(), "not a file of the archive");
        }
    }
    Ok(())
}

fn check_manifest(dir: &Path, view: &LogView, findings: &mut Findings) {
    let place = "archive.json";
    match Manifest::read(dir) {
        Err(error) => findings.problem(Code::ManifestBad, place, chain(&error)),
        Ok(manifest) => {
            let signed = view.origin.as_ref();
            if let Some(origin) = signed.filter(|origin| **origin != manifest.origin) {
                let message = format!(
                    "it names the log {}, the checkpoint {origin}",
                    manifest.origin
                );
                findings.problem(Code::ManifestUnfit, place, message);
            }
        }
    }
}

/// So many leaves of a share lie together, so that reading them is mostly reading forward.
const SHARE_LEAVES: usize = 64;

/// Of a share, which records to read, in this order: those of every n-th run of leaves, or all from a place on. `None`: all of
/// them at once.
fn regions(
    view: &LogView,
    catalog: Option<&Catalog>,
    share: &Share,
    findings: &mut Findings,
) -> Option<Vec<Region>> {
    if matches!(share, Share::All) {
        return None;
    }
    let places = catalog.and_then(|catalog| places(view, catalog));
    let Some(places) = places else {
        let message =
            "without a sound catalog nobody knows where a share of the records lies: all are read";
        findings.note("catalog.sqlite", message);
        return None;
    };
    let length = match share {
        Share::Nth { parts, .. } => (places.len() / parts).clamp(1, SHARE_LEAVES),
        _ => SHARE_LEAVES,
    };
    let end_of = |places_before: usize| match places_before.checked_sub(1) {
        None => START,
        Some(last) => places[last].0,
    };
    let region = |run: usize| {
        let (first, end) = (run * length, ((run + 1) * length).min(places.len()));
        Region {
            leaves: places[first..end].iter().map(|(_, leaf)| *leaf).collect(),
            from: end_of(first),
            to: (end < places.len()).then(|| end_of(end)),
        }
    };
    let runs = places.len().div_ceil(length);
    Some(match share {
        Share::Nth { parts, chosen } => (*chosen..runs).step_by(*parts).map(region).collect(),
        Share::All => (0..runs).map(region).collect(),
        Share::For { after, .. } => {
            let is_last = |(_, leaf): &(_, usize)| Some(*leaf as u64) == *after;
            let last = places.iter().position(is_last);
            let next = last
                .map(|last| last + 1)
                .filter(|next| *next < places.len());
            let start = next.map_or(0, |next| next / length);
            (start..runs).chain(0..start).map(region).collect()
        }
    })
}

/// Where the records of each leaf end, in the order in which they lie; `None` if that is not known of all.
fn places(view: &LogView, catalog: &Catalog) -> Option<Vec<(Position, usize)>> {
    let size = view.leaves.all.len();
    let rows = catalog.leaf_rows(0..size as u64).ok()?;
    if rows.len() != size {
        return None;
    }
    let is_erased = |row: &LeafRow| {
        let index = usize::try_from(row.leaf).unwrap_or(usize::MAX);
        view.leaves.erased_by(index).is_some() && row.metadata_at.is_none()
    };
    let place = |row: &LeafRow| Some((row.metadata_at?.end(), usize::try_from(row.leaf).ok()?));
    let rows = rows.iter().filter(|row| !is_erased(row));
    let mut places = rows.map(place).collect::<Option<Vec<_>>>()?;
    places.sort_unstable();
    Some(places)
}
