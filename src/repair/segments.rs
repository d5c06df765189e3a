//! Writing what is kept: each segment under its number, frame by frame.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use jiff::Timestamp;

use crate::archive::frame::{self, SealedCompressor};
use crate::archive::segment::{self, Location, SegmentId};
use crate::archive::warc::Record;
use crate::archive::{Manifest, dictionary, seal, writer};
use crate::digest::{Digest, DigestHasher};
use crate::durable;

use super::plan::{Kept, Plan};
use super::{Error, Telling};

/// Writes the segments of the archive `from` into the new one `to`. How many records there are.
pub(super) fn write(
    from: &Path,
    to: &Path,
    plan: &Plan,
    manifest: &Manifest,
    now: Timestamp,
    telling: &mut Telling,
) -> Result<u64, Error> {
    let folder = to.join(segment::FOLDER);
    durable::create_folders(&folder).map_err(Error::write(&folder))?;
    let mut records = 0;
    for (segment, kept) in &plan.segments {
        let path = segment::path(to, *segment);
        let folder = durable::folder_of(&path);
        durable::create_folders(folder).map_err(Error::write(folder))?;
        let mut output = Output::create(&path)?;
        let compressor = match segment {
            SegmentId::Hot(_) => None,
            SegmentId::Sealed(_) => {
                let Some(dictionary) = read_dictionary(from, *segment) else {
                    drop(fs::remove_file(&path));
                    telling.tell(segment, "both copies of its dictionary are damaged: none of its records can be read");
                    continue;
                };
                output.write(&dictionary::to_frame(&dictionary.packed))?;
                let copy = dictionary::copy_path(&path);
                durable::replace(&copy, &dictionary.packed, 0o644).map_err(Error::write(&copy))?;
                Some(SealedCompressor::new(&dictionary.bytes))
            }
        };
        records += copy_records(from, *segment, kept, manifest, now, &mut output, compressor)?;
        let digest = output.finish()?;
        if let SegmentId::Sealed(number) = segment {
            let path = seal::digest_path(to, *number);
            let line = format!("{}  {}\n", digest.to_hex(), segment::file_name(*number));
            durable::replace(&path, line.as_bytes(), 0o644).map_err(Error::write(&path))?;
        }
    }
    fill_gaps(from, to, plan, manifest, now, telling)?;
    Ok(records)
}

fn copy_records(
    from: &Path,
    segment: SegmentId,
    kept: &[Kept],
    manifest: &Manifest,
    now: Timestamp,
    output: &mut Output,
    mut compressor: Option<SealedCompressor>,
) -> Result<u64, Error> {
    let path = segment::path(from, segment);
    let error = |source| crate::archive::Error::io("read", &path, source);
    let file = File::open(&path).map_err(error)?;
    let mut pack = |record: &[u8]| match &mut compressor {
        Some(compressor) => compressor.compress(record),
        None => frame::compress(&[record]),
    };
    let mut records = 0;
    if !begins_with_warcinfo(from, kept)? {
        let info = writer::warcinfo(manifest, &segment::file_name(segment.number()), now);
        output.write(&pack(&info.parts().concat()))?;
        records += 1;
    }
    for record in kept {
        match &record.becomes {
            Some(bytes) => output.write(&pack(bytes))?,
            None => {
                let mut frame = vec![0; usize::try_from(record.at.length).expect("it was read")];
                file.read_exact_at(&mut frame, record.at.offset)
                    .map_err(error)?;
                output.write(&frame)?;
            }
        }
        records += 1;
    }
    Ok(records)
}

fn begins_with_warcinfo(from: &Path, kept: &[Kept]) -> Result<bool, Error> {
    let Some(first) = kept.first() else {
        return Ok(false);
    };
    let bytes = segment::read(from, first.at)?;
    Ok(Record::parse(&bytes).is_ok_and(|record| record.kind() == "warcinfo"))
}

/// A dictionary, unpacked and as it is stored.
struct Stored {
    bytes: Vec<u8>,
    packed: Vec<u8>,
}

fn read_dictionary(from: &Path, segment: SegmentId) -> Option<Stored> {
    let path = segment::path(from, segment);
    let own = File::open(&path).and_then(|file| dictionary::read_own(&file));
    let bytes = own.or_else(|_| dictionary::read_copy(&path)).ok()?;
    Some(Stored {
        packed: frame::compress_tightly(&bytes),
        bytes,
    })
}

/// Where a segment is missing, its number is kept by an empty one: numbers go up without a gap.
fn fill_gaps(
    from: &Path,
    to: &Path,
    plan: &Plan,
    manifest: &Manifest,
    now: Timestamp,
    telling: &mut Telling,
) -> Result<(), Error> {
    let there: BTreeSet<u32> = plan.segments.iter().map(|(s, _)| s.number()).collect();
    let hot = plan
        .segments
        .iter()
        .filter(|(s, _)| matches!(s, SegmentId::Hot(_)));
    let last = hot.map(|(segment, _)| segment.number()).max().unwrap_or(0);
    let sealed = plan.segments.iter().map(|(segment, _)| *segment);
    let replaced: BTreeSet<u32> = sealed
        .flat_map(|segment| seal::replaced_by(from, segment).all())
        .collect();
    for number in (1..last).filter(|n| !there.contains(n) && !replaced.contains(n)) {
        let segment = SegmentId::Hot(number);
        telling.tell(segment, "it is missing, with all its records");
        let mut output = Output::create(&segment::path(to, segment))?;
        let info = writer::warcinfo(manifest, &segment::file_name(number), now);
        output.write(&frame::compress(&info.parts()))?;
        output.finish()?;
    }
    Ok(())
}

/// Writes what belongs to no capture any more, each under its digest. How much it is.
pub(super) fn salvage(from: &Path, folder: &Path, plan: &Plan) -> Result<u64, Error> {
    let mut count = 0;
    for (at, digest, kind) in &plan.orphans {
        let Some(block) = block(from, *at) else {
            continue;
        };
        durable::create_folders(folder).map_err(Error::write(folder))?;
        let path = folder.join(format!("{}.{kind}", digest.to_hex()));
        durable::replace(&path, &block, 0o644).map_err(Error::write(&path))?;
        count += 1;
    }
    Ok(count)
}

fn block(from: &Path, at: Location) -> Option<Vec<u8>> {
    let bytes = segment::read(from, at).ok()?;
    Some(Record::parse(&bytes).ok()?.block.to_vec())
}

/// A file in the making, and the digest of what is in it.
struct Output {
    path: std::path::PathBuf,
    file: BufWriter<File>,
    digest: DigestHasher,
}

impl Output {
    fn create(path: &Path) -> Result<Output, Error> {
        let file = File::create_new(path).map_err(Error::write(path))?;
        Ok(Output {
            path: path.to_owned(),
            file: BufWriter::new(file),
            digest: DigestHasher::default(),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.digest.update(bytes);
        self.file.write_all(bytes).map_err(Error::write(&self.path))
    }

    fn finish(mut self) -> Result<Digest, Error> {
        let flushed = self.file.flush();
        flushed
            .and_then(|()| self.file.get_ref().sync_all())
            .and_then(|()| durable::sync_folder(durable::folder_of(&self.path)))
            .map_err(Error::write(&self.path))?;
        Ok(self.digest.finish())
    }
}
