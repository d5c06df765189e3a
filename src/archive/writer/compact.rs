//! Sealed segments take the place of hot ones.
//!
//! ```text
//! sealed segments written to temporary files, fsynced, read back, compared       crate::archive::seal, any thread
//! they get their names: digest, second copy of the dictionary, segment
//! catalog transaction: the records are there now
//! the old segments are deleted
//! ```
//!
//! Until the transaction the old segments are where everything is, and sealed ones that nobody knows are taken away at the
//! next start; after it the old ones are. Neither holds what the other has not.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;

use crate::archive::Error;
use crate::archive::catalog::{Catalog, HighWater};
use crate::archive::seal::{self, FileState, Kind, Plan, SealedFile, Sealing};
use crate::archive::segment::{self, Location, Position, SEALED_FOLDER, SegmentId};
use crate::archive::{MODE, dictionary};
use crate::durable;

use super::{ArchiveWriter, Open, Step, step};

/// What was sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compaction {
    /// The new segments.
    pub sealed: Vec<SegmentId>,
    /// So many segments are no more.
    pub replaced: usize,
    /// So many records were moved.
    pub records: u64,
    /// Bytes that the old segments took.
    pub bytes_before: u64,
    /// Bytes that the new ones take, the second copies of their dictionaries included.
    pub bytes_after: u64,
    /// Segments that were left as they are, and why.
    pub refused: Vec<(SegmentId, String)>,
}

impl ArchiveWriter {
    /// Seals all segments that are full; with `all` the one that is being written to, too.
    pub fn compact(&mut self, all: bool, now: Timestamp) -> Result<Compaction, Error> {
        self.compact_while(all, now, &mut || true)
    }

    /// The same, as long as `go_on` says so; it is asked before each record that is read, written or compared.
    pub fn compact_while(
        &mut self,
        all: bool,
        now: Timestamp,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Compaction, Error> {
        let plan = self.plan_sealing(all, u64::MAX, now)?;
        match seal::build(&plan, go_on)? {
            Some(sealing) => self.take_over(sealing),
            None => Ok(Compaction::default()),
        }
    }

    /// The segments that can be sealed now, as many of the oldest as have `bytes_max` bytes together, but always one. With
    /// `all` a new segment is begun, so that the one that is being written to is among them.
    pub fn plan_sealing(
        &mut self,
        all: bool,
        bytes_max: u64,
        now: Timestamp,
    ) -> Result<Plan, Error> {
        let (archive, manifest) = (self.paths.dir.clone(), self.manifest.clone());
        let open = self.opened()?;
        if all && open.end.offset > 0 {
            open.begin_segment()?;
            open.catalog.set_high_water(HighWater {
                leaves: open.log.size(),
                end: open.end,
            })?;
        }
        let mut segments = Vec::new();
        let mut bytes = 0;
        for segment in segment::list(&archive)? {
            if matches!(segment, SegmentId::Sealed(_)) || segment >= open.end.segment {
                continue;
            }
            let path = segment::path(&archive, segment);
            let state = FileState::of(&path);
            let state = state.map_err(|source| Error::io("examine segment", &path, source))?;
            bytes += state.bytes;
            if bytes > bytes_max && !segments.is_empty() {
                break;
            }
            segments.push((segment, state));
        }
        Ok(Plan {
            archive,
            manifest,
            segments,
            now,
            erased: BTreeSet::new(),
        })
    }

    /// Gives sealed segments their names, and deletes what they replace.
    pub fn take_over(&mut self, sealing: Sealing) -> Result<Compaction, Error> {
        self.opened()?;
        self.replace(sealing, &|_| Ok(()))
    }

    /// The same; `also` is part of the catalog's transaction.
    pub(super) fn replace(
        &mut self,
        mut sealing: Sealing,
        also: &dyn Fn(&Catalog) -> Result<(), Error>,
    ) -> Result<Compaction, Error> {
        let mut done = Compaction {
            refused: std::mem::take(&mut sealing.refused),
            ..Compaction::default()
        };
        if sealing.files.is_empty() {
            return Ok(done);
        }
        let dir = self.paths.dir.clone();
        for (segment, state) in &sealing.replaced {
            let path = segment::path(&dir, *segment);
            if FileState::of(&path).ok() != Some(*state) {
                return Err(Error::io(
                    "seal what was read of segment",
                    &path,
                    io::Error::other("it has changed since"),
                ));
            }
            done.bytes_before += state.bytes;
        }
        // Taken out: if an error leaves this function, it is gone, and the next call recovers.
        let mut open = self.open.take().expect("it was just opened");
        let fault = self.faults.pop_front();
        let first = open.first_sealed_number(sealing.files.len())?;
        done.sealed = (first..)
            .take(sealing.files.len())
            .map(SegmentId::Sealed)
            .collect();
        done.replaced = sealing.replaced.len();
        step(fault, Step::PlaceSealed, || {
            let mut files = done.sealed.iter().zip(&sealing.files);
            files.try_for_each(|(segment, file)| place(&dir, *segment, file))
        })?;
        open.catalog.begin()?;
        for (segment, file) in done.sealed.iter().zip(&sealing.files) {
            done.records += move_records(&open.catalog, *segment, file)?;
            let copy = dictionary::copy_path(&segment::path(&dir, *segment));
            done.bytes_after += file.bytes + fs::metadata(copy).map_or(0, |copy| copy.len());
        }
        for (segment, _) in &sealing.replaced {
            open.catalog.remove_segment(*segment)?;
        }
        also(&open.catalog)?;
        open.catalog.set_high_water(HighWater {
            leaves: open.log.size(),
            end: open.end,
        })?;
        step(fault, Step::CommitMoves, || open.catalog.commit())?;
        step(fault, Step::RemoveReplaced, || {
            let replaced = sealing.replaced.iter().map(|(segment, _)| *segment);
            remove(&dir, replaced)
        })?;
        self.open = Some(open);
        Ok(done)
    }
}

impl Open {
    /// From here on records go into a new segment.
    pub(super) fn begin_segment(&mut self) -> Result<(), Error> {
        let number = segment::next_number(&segment::list(&self.dir)?);
        self.end = Position {
            segment: SegmentId::Hot(number.max(self.end.segment.number() + 1)),
            offset: 0,
        };
        self.segment = None;
        Ok(())
    }

    /// The number of the first of `count` new sealed segments. If nothing is written to the hot one yet, that gets a number
    /// behind them: a number is never given twice, for by it is told what a sealed segment replaces.
    fn first_sealed_number(&mut self, count: usize) -> Result<u32, Error> {
        let mut segments = segment::list(&self.dir)?;
        if self.end.offset > 0 {
            return Ok(segment::next_number(&segments));
        }
        segments.retain(|segment| *segment != self.end.segment);
        remove(&self.dir, [self.end.segment])?;
        self.segment = None;
        let first = segment::next_number(&segments);
        let count = u32::try_from(count).expect("far fewer segments than numbers");
        self.end.segment = SegmentId::Hot(first + count);
        Ok(first)
    }
}

/// Gives a sealed segment its name. The segment itself comes last: what belongs to it is then there.
fn place(dir: &Path, segment: SegmentId, file: &SealedFile) -> Result<(), Error> {
    let path = segment::path(dir, segment);
    let error = |source| Error::io("place sealed segment", &path, source);
    let name = segment::file_name(segment.number());
    let digest = format!("{}  {name}\n", file.digest.to_hex());
    let digest_path = seal::digest_path(dir, segment.number());
    durable::replace(&digest_path, digest.as_bytes(), MODE).map_err(error)?;
    fs::rename(&file.dictionary, dictionary::copy_path(&path)).map_err(error)?;
    durable::rename_new(&file.segment, &path).map_err(error)?;
    durable::sync_folder(durable::folder_of(&path)).map_err(error)
}

/// Tells the catalog where the records are now, and says how many they are.
fn move_records(catalog: &Catalog, segment: SegmentId, file: &SealedFile) -> Result<u64, Error> {
    catalog.add_segment(segment)?;
    let mut records = 0;
    for one in &file.moves {
        let place = |kind| {
            let found = one.records.iter().find(|(piece, _)| piece.kind == kind);
            found.map(|(piece, to)| (piece, Location { segment, ..*to }))
        };
        let text = place(Kind::Text).map(|(_, to)| to);
        let (_, metadata) = place(Kind::Metadata).expect("a leaf has a metadata record");
        catalog.move_leaf(one.leaf, text, metadata)?;
        if let Some((piece, to)) = place(Kind::Raw) {
            catalog.move_raw(&piece.content, piece.raw_at(), to)?;
        }
        records += one.records.len() as u64;
    }
    Ok(records)
}

/// Deletes segments, with what lies beside them.
fn remove(dir: &Path, segments: impl IntoIterator<Item = SegmentId>) -> Result<(), Error> {
    for segment in segments {
        let path = segment::path(dir, segment);
        let mut files = vec![path.clone()];
        if let SegmentId::Sealed(number) = segment {
            files.push(dictionary::copy_path(&path));
            files.push(seal::digest_path(dir, number));
        }
        for file in files {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("remove the old segment", &file, error));
                }
                _ => {}
            }
        }
        let folder = durable::folder_of(&path);
        durable::sync_folder(folder).map_err(|e| Error::io("fsync the folder", folder, e))?;
    }
    Ok(())
}

/// Takes away what an interrupted sealing left of what it had not finished: temporary files, and sealed segments that the
/// catalog does not know while all that they replace is there.
pub(super) fn undo(dir: &Path, catalog: &Catalog) -> Result<(), Error> {
    let folder = dir.join(SEALED_FOLDER);
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        if durable::is_temporary(&entry.file_name()) {
            drop(fs::remove_file(entry.path()));
        }
    }
    let (known, there) = (catalog.segments()?, segment::list(dir)?);
    let unknown = there
        .iter()
        .filter(|one| matches!(one, SegmentId::Sealed(_)) && known.binary_search(one).is_err());
    let is_there = |number: &u32| there.iter().any(|other| other.number() == *number);
    for segment in unknown {
        let replaced = seal::replaced_by(dir, *segment);
        if !replaced.now.is_empty() && replaced.now.iter().all(is_there) {
            remove(dir, [*segment])?;
        }
    }
    Ok(())
}

/// Deletes the segments that an interrupted sealing replaced and had not deleted yet: the catalog has no record in them, and a
/// sealed segment says that it replaces them.
pub(super) fn finish(dir: &Path, open: &Open) -> Result<(), Error> {
    let (known, there) = (open.catalog.segments()?, segment::list(dir)?);
    let idle: Vec<SegmentId> = there
        .iter()
        .filter(|one| **one != open.end.segment && known.binary_search(one).is_err())
        .copied()
        .collect();
    if idle.is_empty() {
        return Ok(());
    }
    let sealed = known
        .iter()
        .filter(|one| matches!(one, SegmentId::Sealed(_)));
    let replaced = sealed.flat_map(|segment| seal::replaced_by(dir, *segment).now);
    let replaced: BTreeSet<u32> = replaced.collect();
    remove(
        dir,
        idle.into_iter()
            .filter(|segment| replaced.contains(&segment.number())),
    )
}
