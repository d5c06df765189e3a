//! `Stretch`: up to 256 leaves as the log tells them twice, by their entries and by a tile of their hashes.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::archive::log::merkle;
use crate::archive::log::reader::read_tile;
use crate::archive::log::tile::{HASH_BYTES, TileId, TileKind, split_entries};
use crate::check::problem::{Code, chain};
use crate::digest::Digest;

/// Which of the two to believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Believed {
    Entries,
    Hashes,
    /// Both are lost.
    Neither,
}

/// Up to 256 leaves, as they were read.
pub(super) struct Stretch {
    /// The tile of entries.
    pub(super) id: TileId,
    entries: Entries,
    hashes_place: String,
    hashes: Result<Vec<Digest>, String>,
}

struct Entries {
    place: String,
    bytes: Vec<u8>,
    ranges: Vec<Range<usize>>,
    hashes: Vec<Digest>,
    /// As many entries as there should be, and nothing torn.
    whole: Result<(), String>,
}

impl Stretch {
    /// Reads the stretch that the entries tile `id` holds, from the log in `dir`.
    pub(super) fn read(dir: &Path, id: TileId) -> Stretch {
        let hashes_id = TileId {
            kind: TileKind::Hashes(0),
            ..id
        };
        let (hashes_place, hashes) = read_hashes(dir, hashes_id);
        Stretch {
            id,
            entries: read_entries(dir, id),
            hashes_place,
            hashes,
        }
    }

    /// The root over the leaves according to one of the two.
    pub(super) fn root(&self, by: Believed) -> Option<Digest> {
        match by {
            Believed::Entries => {
                let entries = &self.entries;
                entries.whole.is_ok().then(|| merkle::root(&entries.hashes))
            }
            Believed::Hashes => self.hashes.as_ref().ok().map(|hashes| merkle::root(hashes)),
            Believed::Neither => None,
        }
    }

    /// The hashes of the leaves according to one of the two.
    pub(super) fn hashes(&self, by: Believed) -> &[Digest] {
        match by {
            Believed::Entries => &self.entries.hashes,
            Believed::Hashes => self.hashes.as_deref().unwrap_or_default(),
            Believed::Neither => &[],
        }
    }

    /// The leaves, each with its place; `None` for one that is lost if `by` is believed.
    pub(super) fn leaves(&self, by: Believed) -> impl Iterator<Item = Option<(&[u8], String)>> {
        let believed = self.hashes(by);
        let entries = &self.entries;
        (0..width(self.id)).map(move |at| {
            let hash = entries.hashes.get(at)?;
            let range = entries.ranges[at].clone();
            let place = format!("{}@{}", entries.place, range.start - ENTRY_LENGTH_BYTES);
            (believed.get(at) == Some(hash)).then(|| (&entries.bytes[range], place))
        })
    }

    /// What is wrong with the one that is not believed; with both, if neither is.
    pub(super) fn faults(&self, believed: Believed) -> Vec<(Code, String, String)> {
        let hashes = self.hashes.as_ref();
        let hashes = hashes.map_or(&[][..], Vec::as_slice);
        let at = match self.hashes.is_ok() {
            true => first_difference(&self.entries.hashes, hashes),
            false => None,
        };
        let mut faults = Vec::new();
        if believed != Believed::Entries {
            faults.push(self.fault_of_entries(at, hashes));
        }
        if believed != Believed::Hashes {
            faults.push(self.fault_of_hashes(at));
        }
        faults
    }

    fn fault_of_entries(&self, at: Option<usize>, hashes: &[Digest]) -> (Code, String, String) {
        let entries = &self.entries;
        // If all that are there are right, the damage is behind them.
        let last = entries.ranges.len().checked_sub(1);
        let entry = last.map(|last| at.unwrap_or(last).min(last));
        let place = match entry.map(|at| entries.ranges[at].start - ENTRY_LENGTH_BYTES) {
            Some(offset) => format!("{}@{offset}", entries.place),
            None => entries.place.clone(),
        };
        let pairs = entries.hashes.iter().zip(hashes);
        let wrong = pairs.filter(|(a, b)| a != b).count();
        match &entries.whole {
            Err(why) => (Code::EntriesMissing, place, why.clone()),
            Ok(()) => {
                let entry = entry.unwrap_or_default();
                let message = format!(
                    "entry {entry} of this tile is not the one that was signed; {wrong} of its entries are not in all"
                );
                (Code::EntryChanged, place, message)
            }
        }
    }

    fn fault_of_hashes(&self, at: Option<usize>) -> (Code, String, String) {
        match &self.hashes {
            Err(why) => (
                Code::HashTileMissing,
                self.hashes_place.clone(),
                why.clone(),
            ),
            Ok(_) => {
                let at = at.unwrap_or_default();
                let place = format!("{}@{}", self.hashes_place, at * HASH_BYTES);
                let message = format!(
                    "hash {at} is not that of its entry in {}",
                    self.entries.place
                );
                (Code::HashTileWrong, place, message)
            }
        }
    }
}

/// Before each entry stands its length.
const ENTRY_LENGTH_BYTES: usize = 2;

fn read_entries(dir: &Path, id: TileId) -> Entries {
    let (path, bytes) = match read_tile(dir, id) {
        Ok(found) => found,
        Err(error) => {
            return Entries {
                place: place(dir, &dir.join(id.path())),
                bytes: Vec::new(),
                ranges: Vec::new(),
                hashes: Vec::new(),
                whole: Err(chain(&error)),
            };
        }
    };
    let (mut ranges, torn) = match split_entries(&bytes) {
        Ok(ranges) => (ranges, false),
        Err(ranges) => (ranges, true),
    };
    let (found, wanted) = (ranges.len(), width(id));
    let exact = path == dir.join(id.path());
    let whole = if found < wanted || exact && (torn || found > wanted) {
        let torn = if torn { ", and then a torn one" } else { "" };
        Err(format!(
            "it holds {found} entries{torn}, where {wanted} belong"
        ))
    } else {
        Ok(())
    };
    ranges.truncate(wanted);
    let entries = ranges.iter().map(|range| &bytes[range.clone()]);
    Entries {
        hashes: entries.map(merkle::leaf_hash).collect(),
        place: place(dir, &path),
        bytes,
        ranges,
        whole,
    }
}

/// The place of a hash tile, and its hashes or why there are none.
pub(super) fn read_hashes(dir: &Path, id: TileId) -> (String, Result<Vec<Digest>, String>) {
    let (path, bytes): (PathBuf, _) = match read_tile(dir, id) {
        Ok(found) => found,
        Err(error) => return (place(dir, &dir.join(id.path())), Err(chain(&error))),
    };
    let wanted = width(id);
    let exact = path == dir.join(id.path());
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if hashes.len() < wanted || exact && (hashes.len() > wanted || !rest.is_empty()) {
        let belong = wanted * HASH_BYTES;
        let message = format!("it has {} bytes, where {belong} belong", bytes.len());
        return (place(dir, &path), Err(message));
    }
    let hashes = hashes[..wanted].iter().copied().map(Digest::from_bytes);
    (place(dir, &path), Ok(hashes.collect()))
}

/// Where two rows of hashes part, if they do.
pub(super) fn first_difference(a: &[Digest], b: &[Digest]) -> Option<usize> {
    let common = a.len().min(b.len());
    let differs = (0..common).find(|at| a[*at] != b[*at]);
    differs.or((a.len() != b.len()).then_some(common))
}

fn width(id: TileId) -> usize {
    usize::try_from(id.width).expect("at most 256")
}

/// `log/tile/0/000` for a file of the log.
fn place(dir: &Path, path: &Path) -> String {
    let path = path.strip_prefix(dir).unwrap_or(path);
    format!("log/{}", path.display())
}
