//! `Edge`: the rightmost tile of each kind, which is all of a log that a writer must know to go on.

use super::merkle::{empty_root, leaf_hash, node_hash};
use super::tile::{HASH_BYTES, TILE_WIDTH, TileId, TileKind, push_entry};
use crate::digest::Digest;

/// The right edge of a log's tiles.
#[derive(Debug, Clone, Default)]
pub struct Edge {
    size: u64,
    /// The bytes of the rightmost, not yet full entries tile.
    entries: Vec<u8>,
    /// For each level, the hashes in its rightmost, not yet full tile.
    rows: Vec<Vec<Digest>>,
}

impl Edge {
    /// The edge of a log of `size` leaves, from the contents of its partial tiles.
    pub fn new(size: u64, entries: Vec<u8>, rows: Vec<Vec<Digest>>) -> Edge {
        Edge {
            size,
            entries,
            rows,
        }
    }

    /// How many leaves the log has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes in the rightmost tile of `level`.
    pub fn row(&self, level: usize) -> &[Digest] {
        self.rows.get(level).map_or(&[], Vec::as_slice)
    }

    /// Adds a leaf; tiles that it fills go to `full`.
    pub fn push(&mut self, entry: &[u8], full: &mut impl FnMut(TileId, Vec<u8>)) {
        push_entry(&mut self.entries, entry);
        self.size += 1;
        if self.size.is_multiple_of(TILE_WIDTH) {
            let id = TileId {
                kind: TileKind::Entries,
                index: self.size / TILE_WIDTH - 1,
                width: TILE_WIDTH,
            };
            full(id, std::mem::take(&mut self.entries));
        }
        self.push_hash(leaf_hash(entry), full);
    }

    fn push_hash(&mut self, leaf_hash: Digest, full: &mut impl FnMut(TileId, Vec<u8>)) {
        let mut hash = leaf_hash;
        let mut count = self.size;
        for level in 0u8.. {
            if self.rows.len() == usize::from(level) {
                self.rows.push(Vec::new());
            }
            let row = &mut self.rows[usize::from(level)];
            row.push(hash);
            if !count.is_multiple_of(TILE_WIDTH) {
                return;
            }
            count /= TILE_WIDTH;
            let id = TileId {
                kind: TileKind::Hashes(level),
                index: count - 1,
                width: TILE_WIDTH,
            };
            full(id, hashes_to_bytes(row));
            hash = subtree(row);
            row.clear();
        }
    }

    /// The names of the partial tiles: none is empty.
    pub fn partial_ids(&self) -> Vec<TileId> {
        let mut ids = Vec::new();
        let mut count = self.size;
        let mut id = |kind, count: u64| {
            if !count.is_multiple_of(TILE_WIDTH) {
                ids.push(TileId {
                    kind,
                    index: count / TILE_WIDTH,
                    width: count % TILE_WIDTH,
                });
            }
        };
        id(TileKind::Entries, count);
        for level in 0u8.. {
            if count == 0 {
                break;
            }
            id(TileKind::Hashes(level), count);
            count /= TILE_WIDTH;
        }
        ids
    }

    /// The bytes of a tile that [`Edge::partial_ids`] named.
    pub fn partial(&self, id: TileId) -> Vec<u8> {
        match id.kind {
            TileKind::Entries => self.entries.clone(),
            TileKind::Hashes(level) => hashes_to_bytes(self.row(usize::from(level))),
        }
    }

    /// The root of the whole log: the subtrees of all rows, joined from the right.
    pub fn root(&self) -> Digest {
        let mut root = None;
        for row in &self.rows {
            let mut rest = row.as_slice();
            // Each one bit of the row's length is a perfect subtree; the smallest stands rightmost.
            while !rest.is_empty() {
                let (left, right) = rest.split_at(rest.len() - (1 << rest.len().trailing_zeros()));
                let subtree = subtree(right);
                root = Some(root.map_or(subtree, |root| node_hash(&subtree, &root)));
                rest = left;
            }
        }
        root.unwrap_or_else(empty_root)
    }
}

/// The root over a power of two of hashes.
fn subtree(hashes: &[Digest]) -> Digest {
    match hashes {
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(&subtree(left), &subtree(right))
        }
    }
}

fn hashes_to_bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The hashes in the bytes of a hash tile; `None` if the length is no multiple of a hash's.
pub fn hashes_from_bytes(bytes: &[u8]) -> Option<Vec<Digest>> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    rest.is_empty()
        .then(|| hashes.iter().copied().map(Digest::from_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::log::merkle::Frontier;

    #[test]
    fn the_edge_has_the_root_of_the_tree_at_every_size() {
        let mut edge = Edge::default();
        let mut frontier = Frontier::default();
        let mut full = 0;
        assert_eq!(edge.root(), frontier.root());
        for n in 0u32..70_000 {
            edge.push(&n.to_be_bytes(), &mut |_, _| full += 1);
            frontier.push(leaf_hash(&n.to_be_bytes()));
            if n < 2000 || n % 97 == 0 || (65_000..66_000).contains(&n) {
                assert_eq!(edge.root(), frontier.root(), "after leaf {n}");
            }
        }
        // 273 of entries, 273 of leaf hashes, one of tile roots.
        assert_eq!(full, 273 + 273 + 1);
        assert_eq!(edge.partial_ids().len(), 4);
    }
}
