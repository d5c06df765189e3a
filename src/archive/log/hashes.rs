//! `Hashes`: the hashes of a log's tree from its hash tiles, as proofs need them: a few tiles whatever the log's size.

use std::path::Path;

use super::error::LogError;
use super::merkle::{self, empty_root, node_hash};
use super::reader::read_tile;
use super::tile::{HASH_BYTES, TILE_WIDTH, TileId, TileKind};
use crate::digest::Digest;

/// A full tile is a subtree of this height.
const TILE_HEIGHT: u32 = TILE_WIDTH.ilog2();

/// The tree over the first leaves of a log. The tiles are believed: what is made of them must be verified.
pub(super) struct Hashes<'a> {
    dir: &'a Path,
    size: u64,
    /// Of each level the tile that was read last.
    tiles: Vec<Option<(u64, Vec<Digest>)>>,
}

impl<'a> Hashes<'a> {
    /// The tree over the first `size` leaves of the log in `dir`.
    pub(super) fn new(dir: &'a Path, size: u64) -> Hashes<'a> {
        Hashes {
            dir,
            size,
            tiles: Vec::new(),
        }
    }

    /// MTH(D[start:end]) of RFC 6962, section 2.1, of a range that a split of the tree gives.
    pub(super) fn root(&mut self, start: u64, end: u64) -> Result<Digest, LogError> {
        match end - start {
            0 => Ok(empty_root()),
            width if width.is_power_of_two() => self.subtree(width.ilog2(), start >> width.ilog2()),
            width => {
                let middle = start + split(width);
                let left = self.root(start, middle)?;
                Ok(node_hash(&left, &self.root(middle, end)?))
            }
        }
    }

    /// PATH(index, D[0:size]) of RFC 6962, section 2.1.1, lowest node first. The leaf must be there.
    pub(super) fn inclusion(&mut self, index: u64) -> Result<Vec<Digest>, LogError> {
        let mut proof = Vec::new();
        let (mut start, mut end) = (0, self.size);
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                proof.push(self.root(middle, end)?);
                end = middle;
            } else {
                proof.push(self.root(start, middle)?);
                start = middle;
            }
        }
        proof.reverse();
        Ok(proof)
    }

    /// PROOF(old, D[0:size]) of RFC 6962, section 2.1.2, lowest node first. `old` must be above 0 and not more than the size.
    pub(super) fn consistency(&mut self, old: u64) -> Result<Vec<Digest>, LogError> {
        let mut proof = Vec::new();
        let (mut start, mut end) = (0, self.size);
        while end != old {
            let middle = start + split(end - start);
            if old <= middle {
                proof.push(self.root(middle, end)?);
                end = middle;
            } else {
                proof.push(self.root(start, middle)?);
                start = middle;
            }
        }
        // The verifier knows the root of the old tree if it is one subtree of the new.
        if start > 0 {
            proof.push(self.root(start, end)?);
        }
        proof.reverse();
        Ok(proof)
    }

    /// The root of the perfect subtree of this height that is number `index` of its kind.
    fn subtree(&mut self, height: u32, index: u64) -> Result<Digest, LogError> {
        let level = height / TILE_HEIGHT;
        let width = 1 << (height % TILE_HEIGHT);
        let first = index * width;
        let hashes = self.tile(level, first / TILE_WIDTH)?;
        let at = usize::try_from(first % TILE_WIDTH).expect("below 256");
        let width = usize::try_from(width).expect("below 256");
        Ok(merkle::root(&hashes[at..at + width]))
    }

    fn tile(&mut self, level: u32, index: u64) -> Result<&[Digest], LogError> {
        let at = level as usize;
        if self.tiles.len() <= at {
            self.tiles.resize(at + 1, None);
        }
        let known = self.tiles[at].take().filter(|(known, _)| *known == index);
        let tile = match known {
            Some(known) => known,
            None => (index, read_hashes(self.dir, self.size, level, index)?),
        };
        Ok(&self.tiles[at].insert(tile).1)
    }
}

/// The hashes of a tile, as many as a log of `size` leaves has in it.
fn read_hashes(dir: &Path, size: u64, level: u32, index: u64) -> Result<Vec<Digest>, LogError> {
    let items = size >> (level * TILE_HEIGHT);
    let id = TileId {
        kind: TileKind::Hashes(u8::try_from(level).expect("a size has 64 bits")),
        index,
        width: (items - index * TILE_WIDTH).min(TILE_WIDTH),
    };
    let (path, bytes) = read_tile(dir, id)?;
    let (hashes, _) = bytes.as_chunks::<HASH_BYTES>();
    let wanted = usize::try_from(id.width).expect("at most 256");
    let hashes = hashes.get(..wanted);
    let hashes = hashes.ok_or_else(|| LogError::damaged(&path, "it is too short"))?;
    Ok(hashes.iter().copied().map(Digest::from_bytes).collect())
}

/// The largest power of two below `width`, for widths of two and more: where RFC 6962 splits a tree.
fn split(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}
