//! `LogReader`: a log as its last checkpoint tells it, read without a lock while a writer goes on.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::error::LogError;
use super::hashes::Hashes;
use super::key::VerifierKey;
use super::merkle::{self, Frontier};
use super::note::Checkpoint;
use super::tile::{TILE_WIDTH, TileId, TileKind, split_entries, tiles_of};
use crate::digest::Digest;

/// Reads the entries that one checkpoint covers.
#[derive(Debug)]
pub struct LogReader {
    dir: PathBuf,
    verifier: VerifierKey,
    checkpoint: Checkpoint,
}

impl LogReader {
    /// Opens the log in `dir` under the verifier key that lies in it. A key that was handed on earlier proves more: see
    /// [`LogReader::open_with`].
    pub fn open(dir: &Path) -> Result<LogReader, LogError> {
        LogReader::open_with(dir, read_verifier(dir)?)
    }

    /// Opens the log in `dir`; its checkpoint must be signed by `verifier`.
    pub fn open_with(dir: &Path, verifier: VerifierKey) -> Result<LogReader, LogError> {
        let checkpoint = Checkpoint::read(&dir.join("checkpoint"), &verifier)?;
        Ok(LogReader::at(dir, verifier, checkpoint))
    }

    /// The log in `dir` as of a verified checkpoint, which may be an older one.
    pub fn at(dir: &Path, verifier: VerifierKey, checkpoint: Checkpoint) -> LogReader {
        LogReader {
            dir: dir.to_owned(),
            verifier,
            checkpoint,
        }
    }

    /// The checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The key it was verified with.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The leaf at `index`.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, LogError> {
        let size = self.checkpoint.size;
        self.entries(index..index.saturating_add(1))
            .next()
            .unwrap_or(Err(LogError::NoSuchLeaf { index, size }))
    }

    /// The leaves of `range`, as far as the checkpoint covers it, read tile by tile. After an error nothing more comes.
    pub fn entries(&self, range: Range<u64>) -> Entries<'_> {
        Entries {
            log: self,
            next: range.start,
            end: range.end.min(self.checkpoint.size),
            tile: Vec::new(),
            pending: Vec::new().into_iter(),
        }
    }

    /// The root that the first `size` entries make.
    pub fn root_of_entries(&self, size: u64) -> Result<Digest, LogError> {
        let mut frontier = Frontier::default();
        for entry in self.entries(0..self.covered(size)?) {
            frontier.push(merkle::leaf_hash(&entry?));
        }
        Ok(frontier.root())
    }

    /// The hashes of the first `size` leaves, made from the entries.
    pub fn leaf_hashes(&self, size: u64) -> Result<Vec<Digest>, LogError> {
        let entries = self.entries(0..self.covered(size)?);
        entries
            .map(|entry| Ok(merkle::leaf_hash(&entry?)))
            .collect()
    }

    /// The proof that leaf `index` is in the tree of the checkpoint.
    pub fn prove_inclusion(&self, index: u64) -> Result<Vec<Digest>, LogError> {
        let Checkpoint { size, root, .. } = self.checkpoint;
        let leaf = merkle::leaf_hash(&self.entry(index)?);
        let proof = Hashes::new(&self.dir, size).inclusion(index);
        if let Ok(proof) = proof
            && merkle::verify_inclusion(&leaf, index, size, &root, &proof)
        {
            return Ok(proof);
        }
        // A hash tile is damaged or gone: the entries make all of them.
        let hashes = self.leaf_hashes(size)?;
        let index_here = usize::try_from(index).unwrap_or(usize::MAX);
        merkle::prove_inclusion(&hashes, index_here).ok_or(LogError::NoSuchLeaf { index, size })
    }

    /// The root of the first `size` leaves, and the proof that the log of the checkpoint goes on from there.
    pub fn prove_consistency(&self, size: u64) -> Result<(Digest, Vec<Digest>), LogError> {
        self.covered(size)?;
        let now = &self.checkpoint;
        // Every log begins with nothing; that needs no proof.
        if size == 0 {
            return Ok((merkle::empty_root(), Vec::new()));
        }
        let mut hashes = Hashes::new(&self.dir, now.size);
        let from_tiles = hashes.consistency(size).and_then(|proof| {
            let root = Hashes::new(&self.dir, size).root(0, size)?;
            Ok((root, proof))
        });
        if let Ok((root, proof)) = from_tiles
            && merkle::verify_consistency(size, &root, now.size, &now.root, &proof)
        {
            return Ok((root, proof));
        }
        // A hash tile is damaged or gone: the entries make all of them.
        let hashes = self.leaf_hashes(now.size)?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let proof = merkle::prove_consistency(&hashes, size).unwrap_or_default();
        Ok((merkle::root(&hashes[..size]), proof))
    }

    fn covered(&self, size: u64) -> Result<u64, LogError> {
        if size > self.checkpoint.size {
            return Err(LogError::NoSuchLeaf {
                index: size - 1,
                size: self.checkpoint.size,
            });
        }
        Ok(size)
    }
}

/// The verifier key that lies in a log's folder.
pub fn read_verifier(dir: &Path) -> Result<VerifierKey, LogError> {
    let path = dir.join("vkey");
    let text = fs::read(&path).map_err(LogError::io("read the verifier key", &path))?;
    let text = String::from_utf8(text).map_err(|_| LogError::damaged(&path, "it is not UTF-8"))?;
    let line = text
        .strip_suffix('\n')
        .ok_or_else(|| LogError::damaged(&path, "no line feed at its end"))?;
    line.parse()
        .map_err(|error: super::key::ParseKeyError| LogError::damaged(&path, error.to_string()))
}

/// Leaves in order; see [`LogReader::entries`].
#[derive(Debug)]
pub struct Entries<'a> {
    log: &'a LogReader,
    next: u64,
    end: u64,
    tile: Vec<u8>,
    pending: std::vec::IntoIter<Range<usize>>,
}

impl Iterator for Entries<'_> {
    type Item = Result<Vec<u8>, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        if self.pending.as_slice().is_empty()
            && let Err(error) = self.load()
        {
            self.end = self.next;
            return Some(Err(error));
        }
        let range = self.pending.next()?;
        self.next += 1;
        Some(Ok(self.tile[range].to_vec()))
    }
}

impl Entries<'_> {
    /// Reads the tile that holds the next leaf.
    fn load(&mut self) -> Result<(), LogError> {
        let index = self.next / TILE_WIDTH;
        let first = index * TILE_WIDTH;
        let id = TileId {
            kind: TileKind::Entries,
            index,
            width: (self.log.checkpoint.size - first).min(TILE_WIDTH),
        };
        let (tile, mut ranges) = read_entries(&self.log.dir, id)?;
        self.tile = tile;
        ranges.drain(..usize::try_from(self.next - first).expect("below 256"));
        self.pending = ranges.into_iter();
        Ok(())
    }
}

/// The bytes of an entries tile, and where its entries stand in them.
pub fn read_entries(dir: &Path, id: TileId) -> Result<(Vec<u8>, Vec<Range<usize>>), LogError> {
    let (path, tile) = read_tile(dir, id)?;
    let mut entries = match split_entries(&tile) {
        Ok(entries) => entries,
        // What a longer tile holds beyond the width asked for is not ours to judge.
        Err(entries) if entries.len() as u64 >= id.width => entries,
        Err(entries) => {
            let what = format!("its entry {} is torn", entries.len());
            return Err(LogError::damaged(&path, what));
        }
    };
    let (found, wanted) = (entries.len() as u64, id.width);
    let exact = path.ends_with(id.path());
    if found < wanted || (exact && found > wanted) {
        let what = format!("it holds {found} entries where {wanted} belong");
        return Err(LogError::damaged(&path, what));
    }
    entries.truncate(usize::try_from(wanted).expect("at most 256"));
    Ok((tile, entries))
}

/// The bytes of a tile and where they were found: under its own name, or else as the beginning of the same tile grown
/// longer, which supersedes it.
pub fn read_tile(dir: &Path, id: TileId) -> Result<(PathBuf, Vec<u8>), LogError> {
    let exact = dir.join(id.path());
    let mut names = vec![id];
    let mut error = io::Error::from(io::ErrorKind::NotFound);
    // A writer may replace the longer tile by a still longer one between finding its name and reading it.
    for _ in 0..8 {
        for name in &names {
            let path = dir.join(name.path());
            match fs::read(&path) {
                Ok(bytes) => return Ok((path, bytes)),
                Err(found) => error = found,
            }
        }
        let gone = error.kind() == io::ErrorKind::NotFound;
        let longer = longer_tiles(dir, id);
        if !gone || id.is_full() || longer == names {
            break;
        }
        names = longer;
    }
    Err(LogError::io("read the tile", &exact)(error))
}

/// Names under which the tile may lie grown longer, the full one last: it comes after all partial ones.
fn longer_tiles(dir: &Path, id: TileId) -> Vec<TileId> {
    let mut longer = Vec::new();
    let partials = dir.join(id.path());
    let names = fs::read_dir(crate::durable::folder_of(&partials));
    for entry in names.into_iter().flatten().flatten() {
        let width = entry.file_name().to_str().and_then(|n| n.parse().ok());
        longer.extend(width.filter(|w| *w > id.width).map(|w| id.of_width(w)));
    }
    longer.push(id.of_width(TILE_WIDTH));
    longer
}

/// The names of all tiles that a log of `size` leaves has.
pub fn all_tiles(size: u64) -> impl Iterator<Item = TileId> {
    let levels = (0..super::tile::level_count(size)).map(TileKind::Hashes);
    std::iter::once(TileKind::Entries)
        .chain(levels)
        .flat_map(move |kind| tiles_of(kind, size))
}
