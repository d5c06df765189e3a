//! The segments' files: whether they are there, as long as the catalog says, and what lies beside sealed ones.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;

use crate::archive::catalog::Catalog;
use crate::archive::segment::{self, SegmentId};
use crate::archive::{dictionary, seal};
use crate::check::problem::{Code, Findings, chain};
use crate::durable;

/// The segments of an archive.
pub(super) struct Segments {
    /// Those that are there and count.
    pub(super) there: Vec<SegmentId>,
    /// Numbers of those that sealed ones replace.
    pub(super) replaced: BTreeSet<u32>,
}

/// Checks that all segments are there, and what can be seen without reading their records; those sealed ones that are due
/// against their digests.
pub(super) fn check(
    dir: &Path,
    catalog: Option<&Catalog>,
    is_due: &dyn Fn(u32) -> bool,
    findings: &mut Findings,
) -> Segments {
    let mut segments = Segments {
        there: Vec::new(),
        replaced: BTreeSet::new(),
    };
    match segment::list(dir) {
        Ok(there) => segments.there = there,
        Err(error) => {
            findings.problem(Code::SegmentMissing, segment::FOLDER, chain(&error));
            return segments;
        }
    }
    let known = catalog.and_then(|catalog| catalog.segments().ok());
    segments.look_for_replaced(dir, known.as_deref(), findings);
    tell_missing(&segments, known.as_deref(), findings);
    tell_short(dir, catalog, findings);
    for segment in &segments.there {
        if let SegmentId::Sealed(number) = segment {
            check_sealed(dir, *number, findings);
            if is_due(*number) {
                check_digest(dir, *number, findings);
            }
        }
    }
    tell_strangers(dir, findings);
    segments
}

impl Segments {
    /// Looks which segments are replaced by others. Of both being there a crash is the reason, and no problem: the next start
    /// takes away what does not count.
    fn look_for_replaced(
        &mut self,
        dir: &Path,
        known: Option<&[SegmentId]>,
        findings: &mut Findings,
    ) {
        let is_known = |segment: &SegmentId| known.is_none_or(|known| known.contains(segment));
        let strange = self.there.iter().any(|segment| !is_known(segment));
        let missing = || known.is_none() && self.there.len() < highest(&self.there) as usize;
        if !strange && !missing() {
            return;
        }
        let there = self.there.clone();
        let is_there = |number: &u32| there.iter().any(|other| other.number() == *number);
        let mut replaced = BTreeSet::new();
        self.there.retain(|segment| {
            if !matches!(segment, SegmentId::Sealed(_)) {
                return true;
            }
            let replaces = seal::replaced_by(dir, *segment);
            if !is_known(segment) && !replaces.now.is_empty() && replaces.now.iter().all(is_there) {
                let message = "an interrupted `compact` left it; the next start takes it away";
                findings.note(segment.to_string(), message);
                return false;
            }
            replaced.extend(replaces.all());
            true
        });
        for segment in self
            .there
            .iter()
            .filter(|one| replaced.contains(&one.number()))
        {
            let message = "it is replaced by a sealed segment; the next start takes it away";
            findings.note(segment.to_string(), message);
        }
        self.replaced = replaced;
    }
}

fn highest(segments: &[SegmentId]) -> u32 {
    segment::next_number(segments) - 1
}

/// Tells which segments should be there. Without a catalog each number must be that of a segment, or of one that was replaced.
fn tell_missing(segments: &Segments, known: Option<&[SegmentId]>, findings: &mut Findings) {
    let there = &segments.there;
    let missing: Vec<SegmentId> = match known {
        Some(known) => known.to_vec(),
        None => (1..=highest(there))
            .filter(|number| !segments.replaced.contains(number))
            .filter(|number| !there.contains(&SegmentId::Sealed(*number)))
            .map(SegmentId::Hot)
            .collect(),
    };
    for segment in missing.iter().filter(|segment| !there.contains(segment)) {
        findings.problem(Code::SegmentMissing, segment.to_string(), "it is not there");
    }
}

fn tell_short(dir: &Path, catalog: Option<&Catalog>, findings: &mut Findings) {
    let ends = catalog.and_then(|catalog| catalog.segment_ends().ok());
    for end in ends.unwrap_or_default() {
        let length = fs::metadata(segment::path(dir, end.segment)).map(|file| file.len());
        if let Some(length) = length.ok().filter(|length| *length < end.offset) {
            let place = format!("{}@{length}", end.segment);
            let message = format!("it ends here, its committed records end at {}", end.offset);
            findings.problem(Code::SegmentShort, place, message);
        }
    }
}

/// Checks the dictionary of a sealed segment, its second copy, and that there is a digest of the whole.
fn check_sealed(dir: &Path, number: u32, findings: &mut Findings) {
    let segment = SegmentId::Sealed(number);
    let path = segment::path(dir, segment);
    // Not to be opened is told where the records are read.
    let Ok(file) = File::open(&path) else { return };
    let own = dictionary::read_own(&file);
    let copy = dictionary::read_copy(&path);
    let copy_place = format!("{}/{number:06}.dict.zst", segment::SEALED_FOLDER);
    if let Err(error) = &own {
        let place = format!("{segment}@0");
        findings.problem(Code::DictionaryBad, place, chain(error));
    }
    match &copy {
        Err(error) => findings.problem(Code::DictionaryCopyBad, copy_place, chain(error)),
        Ok(copy) if own.as_ref().is_ok_and(|own| own != copy) => {
            let message = "it is not the dictionary of its segment";
            findings.problem(Code::DictionaryCopyBad, copy_place, message);
        }
        Ok(_) => {}
    }
    if let Err(why) = read_digest(dir, number) {
        let place = format!("{}/{number:06}.sha256", segment::SEALED_FOLDER);
        findings.problem(Code::SealedDigestBad, place, why);
    }
}

/// Compares a whole sealed segment with the digest beside it. What cannot be read is told elsewhere.
pub(super) fn check_digest(dir: &Path, number: u32, findings: &mut Findings) {
    let segment = SegmentId::Sealed(number);
    let file = File::open(segment::path(dir, segment));
    let (Ok(file), Ok(named)) = (file, read_digest(dir, number)) else {
        return;
    };
    match seal::digest_of(&file) {
        Ok(found) if found.to_hex() == named => {}
        Ok(found) => {
            let message = format!("its digest is {}, sealed was {named}", found.to_hex());
            findings.problem(Code::SealedUnlike, segment.to_string(), message);
        }
        Err(error) => findings.problem(Code::SegmentMissing, segment.to_string(), chain(&error)),
    }
}

/// The digest beside a sealed segment, in hexadecimal digits.
fn read_digest(dir: &Path, number: u32) -> Result<String, String> {
    let text = fs::read_to_string(seal::digest_path(dir, number)).map_err(|e| chain(&e))?;
    let name = segment::file_name(number);
    let digest = text
        .strip_suffix('\n')
        .and_then(|line| line.split_once("  "));
    match digest {
        Some((digest, of)) if of == name && digest.len() == 64 => Ok(digest.to_owned()),
        _ => Err(format!("it is not a line of sha256sum about {name}")),
    }
}

/// Tells what else lies in the segments' folders.
fn tell_strangers(dir: &Path, findings: &mut Findings) {
    let mut ours: Vec<String> = Vec::new();
    for segment in segment::list(dir).unwrap_or_default() {
        ours.push(segment.to_string());
        if let SegmentId::Sealed(number) = segment {
            ours.push(format!("{}/{number:06}.dict.zst", segment::SEALED_FOLDER));
            ours.push(format!("{}/{number:06}.sha256", segment::SEALED_FOLDER));
        }
    }
    for folder in [segment::FOLDER, segment::SEALED_FOLDER] {
        for entry in fs::read_dir(dir.join(folder))
            .into_iter()
            .flatten()
            .flatten()
        {
            let place = format!("{folder}/{}", entry.file_name().to_string_lossy());
            let is_temporary =
                folder == segment::SEALED_FOLDER && durable::is_temporary(&entry.file_name());
            if !ours.contains(&place) && !is_temporary {
                findings.note(place, "not a segment");
            }
        }
    }
}
