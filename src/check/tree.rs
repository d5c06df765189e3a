//! The log's tree, computed anew from entries and hash tiles.
//!
//! Each stretch of 256 leaves is told three times: by its entries, by its tile of leaf hashes, and by one hash on the level
//! above. The signed root says which of them to believe, so that damage is named where it is and not where it shows.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::archive::leaf::Leaf;
use crate::archive::log::merkle::{self, Frontier};
use crate::archive::log::reader::read_tile;
use crate::archive::log::tile::{
    HASH_BYTES, TILE_WIDTH, TileId, TileKind, split_entries, tiles_of,
};
use crate::check::log::{LeafView, LogView};
use crate::check::problem::{Code, Findings, chain};
use crate::digest::Digest;
use crate::identity::DocId;

/// The tree as it is computed anew, tile after tile.
pub(super) struct Tree<'a> {
    dir: &'a Path,
    /// Where the kept checkpoint ends.
    kept_size: Option<u64>,
    pub(super) kept_root: Option<Digest>,
    /// Over the roots of full tiles.
    tiles: Frontier,
    /// The hashes of the rightmost tile of each level above the leaves.
    rows: Vec<Vec<Digest>>,
    /// The rightmost, partial tile, as its entries tell it and as its hashes do.
    rest: Option<(Option<Digest>, Option<Digest>)>,
    /// Where entries and hashes do not agree.
    disputes: Vec<Dispute>,
    /// Hash tiles above the leaves that are not as computed.
    unfit: Vec<(Code, String, String)>,
    /// The tile of level 1 that was read last.
    above: Option<(u64, Vec<Digest>)>,
    pub(super) view: LogView,
    size: u64,
    chains: HashMap<DocId, Chain>,
    /// Leaves that do not follow: told after the tiles.
    unfit_leaves: Vec<(String, Option<DocId>, String)>,
}

/// A document's leaves so far.
struct Chain {
    doc: u32,
    last: u64,
    captures: u32,
    versions: u32,
}

/// A stretch of 256 leaves whose entries and hashes do not agree.
struct Dispute {
    entries: Told,
    hashes: Told,
    believed: Believed,
}

/// What one of the two says.
struct Told {
    path: PathBuf,
    /// What is wrong with it if the other is right: where, and in words. `None` in place of the offset: the whole file.
    offset: Option<u64>,
    fault: String,
    /// It could not be read as what it should be.
    torn: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Believed {
    Entries,
    Hashes,
    /// Both are lost; the level above gave the hash, or nothing did.
    Neither,
}

/// An entries tile as it was read.
struct EntriesRead {
    path: PathBuf,
    bytes: Vec<u8>,
    ranges: Vec<Range<usize>>,
    hashes: Vec<Digest>,
    /// As many entries as there should be, and nothing torn.
    whole: Result<(), String>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(dir: &'a Path, size: u64, kept_size: Option<u64>) -> Tree<'a> {
        Tree {
            dir,
            kept_size,
            kept_root: (kept_size == Some(0)).then(merkle::empty_root),
            tiles: Frontier::default(),
            rows: Vec::new(),
            rest: None,
            disputes: Vec::new(),
            unfit: Vec::new(),
            above: None,
            view: LogView::default(),
            size,
            chains: HashMap::new(),
            unfit_leaves: Vec::new(),
        }
    }

    /// Adds the stretch of leaves that the entries tile `id` holds.
    pub(super) fn add(&mut self, id: TileId) {
        let entries = read_entries(self.dir, id);
        let hashes_id = TileId {
            kind: TileKind::Hashes(0),
            ..id
        };
        let (hashes_path, hashes) = read_hashes(self.dir, hashes_id);
        let from_entries = entries.whole.is_ok().then(|| merkle::root(&entries.hashes));
        let from_hashes = hashes.as_ref().ok().map(|hashes| merkle::root(hashes));

        let above = id.is_full().then(|| self.above(id.index)).flatten();
        let believed = match (from_entries, from_hashes) {
            (Some(a), Some(b)) if a == b => Believed::Entries,
            (Some(a), Some(b)) if above == Some(b) && above != Some(a) => Believed::Hashes,
            (Some(_), _) => Believed::Entries,
            (None, Some(_)) => Believed::Hashes,
            (None, None) => Believed::Neither,
        };
        let leaf_hashes = match believed {
            Believed::Entries => entries.hashes.clone(),
            Believed::Hashes => hashes.clone().unwrap_or_default(),
            Believed::Neither => Vec::new(),
        };
        self.note_kept_root(id, &leaf_hashes);
        self.read_leaves(id, &entries, &leaf_hashes, believed);
        if from_entries.is_none() || from_entries != from_hashes {
            let faults = (hashes_path, hashes.as_ref());
            self.disputes
                .push(dispute(self.dir, &entries, faults, believed));
        }
        if id.is_full() {
            let root = match believed {
                Believed::Entries => from_entries,
                Believed::Hashes => from_hashes,
                Believed::Neither => above,
            };
            // A hash that nobody tells makes a root that nobody signed, and so it is found.
            self.push_tile(root.unwrap_or_else(merkle::empty_root));
        } else {
            self.rest = Some((from_entries, from_hashes));
        }
    }

    /// The hash of full tile `index` according to the level above.
    fn above(&mut self, index: u64) -> Option<Digest> {
        let parent = index / TILE_WIDTH;
        if self
            .above
            .as_ref()
            .is_none_or(|(known, _)| *known != parent)
        {
            let full_tiles = self.size / TILE_WIDTH;
            let id = TileId {
                kind: TileKind::Hashes(1),
                index: parent,
                width: (full_tiles - parent * TILE_WIDTH).min(TILE_WIDTH),
            };
            let (_, hashes) = read_hashes(self.dir, id);
            self.above = Some((parent, hashes.unwrap_or_default()));
        }
        let (_, hashes) = self.above.as_ref()?;
        let at = usize::try_from(index % TILE_WIDTH).expect("below 256");
        hashes.get(at).copied()
    }

    /// Adds the root of a full tile to the levels above, and compares those of their tiles that it fills.
    fn push_tile(&mut self, root: Digest) {
        self.tiles.push(root);
        let mut hash = root;
        let mut index = self.tiles.size();
        for level in 1u8.. {
            let at = usize::from(level - 1);
            if self.rows.len() == at {
                self.rows.push(Vec::new());
            }
            self.rows[at].push(hash);
            if !index.is_multiple_of(TILE_WIDTH) {
                return;
            }
            index /= TILE_WIDTH;
            let row = std::mem::take(&mut self.rows[at]);
            self.compare_row(level, index - 1, &row);
            hash = merkle::root(&row);
        }
    }

    fn compare_row(&mut self, level: u8, index: u64, row: &[Digest]) {
        let id = TileId {
            kind: TileKind::Hashes(level),
            index,
            width: row.len() as u64,
        };
        let (path, hashes) = read_hashes(self.dir, id);
        let place = place(self.dir, &path);
        match hashes {
            Err(why) => self.unfit.push((Code::HashTileMissing, place, why)),
            Ok(hashes) => {
                if let Some(at) = first_difference(&hashes, row) {
                    let place = format!("{place}@{}", at * HASH_BYTES);
                    let message = format!("hash {at} is not that of the tile below");
                    self.unfit.push((Code::HashTileWrong, place, message));
                }
            }
        }
    }

    /// Remembers the root at the kept checkpoint's size.
    fn note_kept_root(&mut self, id: TileId, leaf_hashes: &[Digest]) {
        let first = id.index * TILE_WIDTH;
        let Some(within) = self.kept_size.and_then(|kept| kept.checked_sub(first)) else {
            return;
        };
        let within = usize::try_from(within).unwrap_or(usize::MAX);
        if (1..=leaf_hashes.len()).contains(&within) {
            let part = merkle::root(&leaf_hashes[..within]);
            self.kept_root = Some(self.tiles.root_before(Some(part)));
        }
    }

    /// Reads the leaves whose entries are believed.
    fn read_leaves(
        &mut self,
        id: TileId,
        entries: &EntriesRead,
        believed_hashes: &[Digest],
        believed: Believed,
    ) {
        for at in 0..usize::try_from(id.width).expect("at most 256") {
            let sound = believed == Believed::Entries
                || entries
                    .hashes
                    .get(at)
                    .is_some_and(|hash| believed_hashes.get(at) == Some(hash));
            let Some(range) = entries.ranges.get(at).filter(|_| sound) else {
                self.view.leaves.push(None);
                continue;
            };
            let place = format!("{}@{}", place(self.dir, &entries.path), range.start - 2);
            let leaf = self.read_leaf(&entries.bytes[range.clone()], place);
            self.view.leaves.push(leaf);
        }
    }

    fn read_leaf(&mut self, entry: &[u8], place: String) -> Option<LeafView> {
        let index = self.view.leaves.len();
        let Some(leaf) = Leaf::parse(entry) else {
            let message = format!("leaf {index} is of no known kind");
            self.unfit_leaves.push((place, None, message));
            return None;
        };
        let (doc, capture) = leaf.capture();
        let (doc_id, metadata) = (doc.clone(), leaf.metadata());
        let version = match leaf {
            Leaf::Capture { version, .. } => Some(version),
            Leaf::MetadataRevision { .. } => None,
        };
        let previous = match leaf {
            Leaf::Capture { previous, .. } | Leaf::MetadataRevision { previous, .. } => previous,
        };
        let doc = self.follow(&doc_id, index as u64, previous, (capture, version), place);
        self.view.by_metadata.insert(metadata, index);
        Some(LeafView {
            doc,
            capture,
            version,
            metadata,
        })
    }

    /// Checks that a leaf goes on from its document's leaf before. Gaps that lost leaves leave are not held against it.
    fn follow(
        &mut self,
        doc: &DocId,
        index: u64,
        previous: Option<u64>,
        (capture, version): (u32, Option<u32>),
        place: String,
    ) -> u32 {
        let leaves = &self.view.leaves;
        let docs = &mut self.view.docs;
        let lost = |index: u64| {
            let leaf = usize::try_from(index).ok().and_then(|at| leaves.get(at));
            matches!(leaf, Some(None))
        };
        let after_loss = previous.is_some_and(lost);
        let chain = self.chains.entry(doc.clone()).or_insert_with(|| {
            docs.push(doc.clone());
            Chain {
                doc: u32::try_from(docs.len() - 1).expect("leaves are fewer"),
                last: index,
                captures: 0,
                versions: 0,
            }
        });
        let before = (chain.last != index).then_some(chain.last);
        let fits = match version {
            Some(version) => {
                capture == chain.captures + 1 && (1..=chain.versions + 1).contains(&version)
            }
            None => (1..=chain.captures).contains(&capture),
        };
        if !after_loss && (previous != before || !fits) {
            let message = format!(
                "leaf {index} (capture {capture}, previous leaf {previous:?}) does not follow from the document's leaf \
                 before it ({before:?}, with {} captures)",
                chain.captures
            );
            self.unfit_leaves.push((place, Some(doc.clone()), message));
        }
        chain.last = index;
        chain.captures = chain.captures.max(capture);
        chain.versions = chain.versions.max(version.unwrap_or(0));
        chain.doc
    }

    /// Compares with the signed root, and tells what is wrong.
    pub(super) fn finish(&mut self, signed: Option<Digest>, findings: &mut Findings) {
        let rows = std::mem::take(&mut self.rows);
        let mut tiles = self.tiles.size();
        for (level, row) in (1u8..).zip(&rows) {
            if !row.is_empty() {
                self.compare_row(level, tiles / TILE_WIDTH, row);
            }
            tiles /= TILE_WIDTH;
        }
        // The rightmost tile has no hash above it: the signed root alone says whom to believe.
        let alternatives = match self.rest {
            None => vec![(Believed::Entries, self.tiles.root())],
            Some((entries, hashes)) => [(Believed::Entries, entries), (Believed::Hashes, hashes)]
                .into_iter()
                .filter_map(|(side, rest)| Some((side, self.tiles.root_before(Some(rest?)))))
                .collect(),
        };
        let right = signed.and_then(|signed| alternatives.iter().find(|(_, root)| *root == signed));
        if let Some((side, _)) = right
            && let Some((entries, hashes)) = self.rest
            && entries != hashes
            && let Some(dispute) = self.disputes.last_mut()
        {
            dispute.believed = *side;
            if *side == Believed::Hashes {
                self.retract_rest(findings);
            }
        }
        if let (Some(signed), None) = (signed, right) {
            let computed = alternatives.first().map(|(_, root)| root.to_string());
            let computed = computed.unwrap_or_else(|| "unknown, entries are lost".to_owned());
            let message = format!(
                "the root of its {} leaves is {computed}; signed is {signed}",
                self.size
            );
            findings.problem(Code::RootWrong, "log/checkpoint", message);
        }
        for dispute in &self.disputes {
            dispute.tell(self.dir, findings);
        }
        for (code, place, message) in self.unfit.drain(..) {
            findings.problem(code, place, message);
        }
        for (place, doc, message) in self.unfit_leaves.drain(..) {
            findings.problem_of(Code::LeafUnfit, place, doc, message);
        }
    }

    /// The entries of the rightmost tile were believed, but its hashes are right: reads the leaves again by these.
    fn retract_rest(&mut self, findings: &mut Findings) {
        let Some(id) = tiles_of(TileKind::Entries, self.size).last() else {
            return;
        };
        let first = usize::try_from(id.index * TILE_WIDTH).expect("as many leaves are in memory");
        let entries = read_entries(self.dir, id);
        let hashes_id = TileId {
            kind: TileKind::Hashes(0),
            ..id
        };
        let Ok(hashes) = read_hashes(self.dir, hashes_id).1 else {
            return;
        };
        let mut lost = 0;
        for (at, leaf) in self.view.leaves.iter_mut().enumerate().skip(first) {
            if entries.hashes.get(at - first) != hashes.get(at - first) {
                if let Some(leaf) = leaf.take() {
                    self.view.by_metadata.remove(&leaf.metadata);
                }
                lost += 1;
            }
        }
        if lost > 0 {
            // What the wrong entries seemed to say of their chains says nothing.
            let wrong = format!("{}@", place(self.dir, &entries.path));
            self.unfit_leaves
                .retain(|(place, ..)| !place.starts_with(&wrong));
            let message = format!(
                "{lost} of its leaves cannot be read; their records are not judged by them"
            );
            findings.note(place(self.dir, &entries.path), message);
        }
    }
}

impl Dispute {
    fn tell(&self, dir: &Path, findings: &mut Findings) {
        let told = |told: &Told| match told.offset {
            Some(offset) => format!("{}@{offset}", place(dir, &told.path)),
            None => place(dir, &told.path),
        };
        let entries_code = |entries: &Told| match entries.torn {
            true => Code::EntriesMissing,
            false => Code::EntryChanged,
        };
        let hashes_code = |hashes: &Told| match hashes.torn {
            true => Code::HashTileMissing,
            false => Code::HashTileWrong,
        };
        let (entries, hashes) = (&self.entries, &self.hashes);
        if self.believed != Believed::Entries {
            findings.problem(entries_code(entries), told(entries), entries.fault.clone());
        }
        if self.believed != Believed::Hashes {
            findings.problem(hashes_code(hashes), told(hashes), hashes.fault.clone());
        }
    }
}

fn dispute(
    dir: &Path,
    entries: &EntriesRead,
    (hashes_path, hashes): (PathBuf, Result<&Vec<Digest>, &String>),
    believed: Believed,
) -> Dispute {
    let at = hashes
        .ok()
        .and_then(|hashes| first_difference(&entries.hashes, hashes));
    let first = entries
        .ranges
        .len()
        .checked_sub(1)
        .map(|last| at.unwrap_or(last).min(last));
    let offset = first.map(|at| (entries.ranges[at].start - 2) as u64);
    let wrong = hashes.map_or(0, |hashes| {
        let pairs = entries.hashes.iter().zip(hashes);
        pairs.filter(|(a, b)| a != b).count()
    });
    let changed = format!(
        "entry {} of it is not the one that was signed, {wrong} are not in all",
        at.unwrap_or(0)
    );
    Dispute {
        entries: Told {
            path: entries.path.clone(),
            offset: offset.filter(|_| !entries.bytes.is_empty()),
            fault: entries.whole.clone().err().unwrap_or(changed),
            torn: entries.whole.is_err(),
        },
        hashes: Told {
            offset: at.map(|at| (at * HASH_BYTES) as u64),
            fault: match (hashes, at) {
                (Err(why), _) => why.clone(),
                (Ok(_), at) => format!(
                    "hash {} is not that of its entry in {}",
                    at.unwrap_or(0),
                    place(dir, &entries.path)
                ),
            },
            torn: hashes.is_err(),
            path: hashes_path,
        },
        believed,
    }
}

fn read_entries(dir: &Path, id: TileId) -> EntriesRead {
    let width = usize::try_from(id.width).expect("at most 256");
    let (path, bytes) = match read_tile(dir, id) {
        Ok(found) => found,
        Err(error) => {
            return EntriesRead {
                path: dir.join(id.path()),
                bytes: Vec::new(),
                ranges: Vec::new(),
                hashes: Vec::new(),
                whole: Err(chain(&error)),
            };
        }
    };
    let exact = path == dir.join(id.path());
    let (mut ranges, torn) = match split_entries(&bytes) {
        Ok(ranges) => (ranges, false),
        Err(ranges) => (ranges, true),
    };
    let found = ranges.len();
    let whole = if found < width || exact && (torn || found > width) {
        let torn = if torn { ", and then a torn one" } else { "" };
        Err(format!(
            "it holds {found} entries{torn}, where {width} belong"
        ))
    } else {
        Ok(())
    };
    ranges.truncate(width);
    let hashes = ranges
        .iter()
        .map(|range| merkle::leaf_hash(&bytes[range.clone()]));
    EntriesRead {
        hashes: hashes.collect(),
        path,
        bytes,
        ranges,
        whole,
    }
}

/// The hashes of a tile and the file they come from, or why there are none.
fn read_hashes(dir: &Path, id: TileId) -> (PathBuf, Result<Vec<Digest>, String>) {
    let (path, bytes) = match read_tile(dir, id) {
        Ok(found) => found,
        Err(error) => return (dir.join(id.path()), Err(chain(&error))),
    };
    let width = usize::try_from(id.width).expect("at most 256");
    let exact = path == dir.join(id.path());
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if hashes.len() < width || exact && (hashes.len() > width || !rest.is_empty()) {
        let message = format!(
            "it has {} bytes, where {} belong",
            bytes.len(),
            width * HASH_BYTES
        );
        return (path, Err(message));
    }
    let hashes = hashes[..width].iter().copied().map(Digest::from_bytes);
    (path, Ok(hashes.collect()))
}

fn first_difference(a: &[Digest], b: &[Digest]) -> Option<usize> {
    let common = a.len().min(b.len());
    (0..common)
        .find(|at| a[*at] != b[*at])
        .or((a.len() != b.len()).then_some(common))
}

/// `log/tile/0/000` for a file of the log.
fn place(dir: &Path, path: &Path) -> String {
    let path = path.strip_prefix(dir).unwrap_or(path);
    format!("log/{}", path.display())
}
