//! The log's tree, computed anew from entries and hash tiles.
//!
//! Each stretch of 256 leaves is told three times: by its entries, by its tile of leaf hashes, and by one hash on the level
//! above. The signed root says which of them to believe, so that damage is named where it is and not where it shows.

use std::path::Path;

use crate::archive::log::merkle::{self, Frontier};
use crate::archive::log::tile::{HASH_BYTES, TILE_WIDTH, TileId, TileKind};
use crate::check::leaves::Leaves;
use crate::check::problem::{Code, Findings};
use crate::check::stretch::{Believed, Stretch, first_difference, read_hashes};
use crate::digest::Digest;

/// The tree, growing stretch by stretch.
pub(super) struct Tree<'a> {
    dir: &'a Path,
    size: u64,
    /// Where a checkpoint kept elsewhere ends, and the root there.
    kept_size: Option<u64>,
    pub(super) kept_root: Option<Digest>,
    /// Over the roots of full tiles.
    tiles: Frontier,
    /// The hashes of the rightmost tile of each level above the leaves.
    rows: Vec<Vec<Digest>>,
    /// The rightmost stretch, if it is not full.
    rest: Option<Stretch>,
    /// The tile of level 1 that was read last.
    above: Option<(u64, Vec<Digest>)>,
    /// What is wrong with tiles: told after what is wrong with the root.
    faults: Vec<(Code, String, String)>,
    pub(super) leaves: Leaves,
}

impl<'a> Tree<'a> {
    /// The tree of the log in `dir`, of which the first `size` leaves are judged.
    pub(super) fn new(dir: &'a Path, size: u64, kept_size: Option<u64>) -> Tree<'a> {
        Tree {
            dir,
            size,
            kept_size,
            kept_root: (kept_size == Some(0)).then(merkle::empty_root),
            tiles: Frontier::default(),
            rows: Vec::new(),
            rest: None,
            above: None,
            faults: Vec::new(),
            leaves: Leaves::default(),
        }
    }

    /// Adds the stretch of leaves that the entries tile `id` holds.
    pub(super) fn add(&mut self, id: TileId) {
        let stretch = Stretch::read(self.dir, id);
        if !id.is_full() {
            // It has no hash above it: the signed root alone says which side to believe.
            self.rest = Some(stretch);
            return;
        }
        let above = self.above(id.index);
        let roots = [Believed::Entries, Believed::Hashes].map(|side| stretch.root(side));
        let believed = match roots {
            [Some(entries), Some(hashes)] if entries != hashes && above == Some(hashes) => {
                Believed::Hashes
            }
            [Some(_), _] => Believed::Entries,
            [None, Some(_)] => Believed::Hashes,
            [None, None] => Believed::Neither,
        };
        self.take(&stretch, believed);
        // If nobody tells the hash, the root is one that nobody signed, and so it is found.
        let root = stretch.root(believed).or(above);
        self.push_tile(root.unwrap_or_else(merkle::empty_root));
    }

    /// Takes in a stretch of which one side is believed.
    fn take(&mut self, stretch: &Stretch, believed: Believed) {
        let [entries, hashes] =
            [Believed::Entries, Believed::Hashes].map(|side| stretch.root(side));
        if entries.is_none() || entries != hashes {
            self.faults.extend(stretch.faults(believed));
        }
        let first = stretch.id.index * TILE_WIDTH;
        let within = self.kept_size.and_then(|kept| kept.checked_sub(first));
        let within = within.map(|within| usize::try_from(within).unwrap_or(usize::MAX));
        let hashes = stretch.hashes(believed);
        if let Some(within) = within.filter(|within| (1..=hashes.len()).contains(within)) {
            let part = merkle::root(&hashes[..within]);
            self.kept_root = Some(self.tiles.root_before(Some(part)));
        }
        for leaf in stretch.leaves(believed) {
            self.leaves.push(leaf);
        }
    }

    /// The hash of full tile `index` according to the level above.
    fn above(&mut self, index: u64) -> Option<Digest> {
        let parent = index / TILE_WIDTH;
        let known = self.above.take().filter(|(known, _)| *known == parent);
        let (_, hashes) = self.above.insert(known.unwrap_or_else(|| {
            let full_tiles = self.size / TILE_WIDTH;
            let id = TileId {
                kind: TileKind::Hashes(1),
                index: parent,
                width: (full_tiles - parent * TILE_WIDTH).min(TILE_WIDTH),
            };
            (parent, read_hashes(self.dir, id).1.unwrap_or_default())
        }));
        let at = usize::try_from(index % TILE_WIDTH).expect("below 256");
        hashes.get(at).copied()
    }

    /// Adds the root of a full tile to the levels above, and compares those of their tiles that it fills.
    fn push_tile(&mut self, root: Digest) {
        self.tiles.push(root);
        let mut hash = root;
        let mut count = self.tiles.size();
        for level in 1u8.. {
            let at = usize::from(level - 1);
            if self.rows.len() == at {
                self.rows.push(Vec::new());
            }
            self.rows[at].push(hash);
            if !count.is_multiple_of(TILE_WIDTH) {
                return;
            }
            count /= TILE_WIDTH;
            let row = std::mem::take(&mut self.rows[at]);
            self.compare_row(level, count - 1, &row);
            hash = merkle::root(&row);
        }
    }

    /// Compares a hash tile above the leaves with what the tiles below it make.
    fn compare_row(&mut self, level: u8, index: u64, row: &[Digest]) {
        let id = TileId {
            kind: TileKind::Hashes(level),
            index,
            width: row.len() as u64,
        };
        let (place, hashes) = read_hashes(self.dir, id);
        let fault = match hashes.map(|hashes| first_difference(&hashes, row)) {
            Ok(None) => return,
            Ok(Some(at)) => {
                let place = format!("{place}@{}", at * HASH_BYTES);
                let message = format!("hash {at} is not that of the tile below");
                (Code::HashTileWrong, place, message)
            }
            Err(why) => (Code::HashTileMissing, place, why),
        };
        self.faults.push(fault);
    }

    /// Compares with the signed root, and tells what is wrong.
    pub(super) fn finish(&mut self, signed: Option<Digest>, findings: &mut Findings) {
        let mut tiles = self.tiles.size();
        for (level, row) in (1u8..).zip(std::mem::take(&mut self.rows)) {
            tiles /= TILE_WIDTH;
            if !row.is_empty() {
                self.compare_row(level, tiles, &row);
            }
        }
        let computed = match self.rest.take() {
            Some(rest) => self.finish_rest(&rest, signed),
            None => Some(self.tiles.root()),
        };
        if let Some(signed) = signed.filter(|signed| computed != Some(*signed)) {
            let computed = computed.map_or("unknown, for entries are lost".to_owned(), |root| {
                root.to_string()
            });
            let size = self.size;
            let message =
                format!("the root of its {size} leaves is {computed}; signed is {signed}");
            findings.problem(Code::RootWrong, "log/checkpoint", message);
        }
        for (code, place, message) in self.faults.drain(..) {
            findings.problem(code, place, message);
        }
        self.leaves.finish(findings);
    }

    /// Takes in the rightmost stretch by the side that makes the signed root, and gives the root that it makes.
    fn finish_rest(&mut self, rest: &Stretch, signed: Option<Digest>) -> Option<Digest> {
        let sides = [Believed::Entries, Believed::Hashes];
        let roots = sides.map(|side| Some(self.tiles.root_before(Some(rest.root(side)?))));
        let signed = roots
            .iter()
            .position(|root| signed.is_some() && *root == signed);
        let side = signed.or_else(|| roots.iter().position(Option::is_some));
        self.take(rest, side.map_or(Believed::Neither, |side| sides[side]));
        side.and_then(|side| roots[side])
    }
}
