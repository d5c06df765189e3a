//! `LogWriter`: adds leaves to a log and signs what it has become. There is one at a time; the archive's lock sees to that.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::edge::{Edge, hashes_from_bytes};
use super::error::LogError;
use super::key::{SigningKey, VerifierKey};
use super::merkle::leaf_hash;
use super::note::Checkpoint;
use super::reader::{all_tiles, read_entries, read_tile};
use super::tile::{
    ENTRY_BYTES_MAX, HASH_BYTES, TILE_WIDTH, TileId, TileKind, level_count, tiles_of,
};
use crate::digest::Digest;
use crate::durable;

/// Everybody may read a log.
const MODE: u32 = 0o644;

/// Adds leaves to a log.
#[derive(Debug)]
pub struct LogWriter {
    dir: PathBuf,
    key: SigningKey,
    /// The key that takes its place with the next checkpoint.
    next_key: Option<SigningKey>,
    edge: Edge,
    /// What stands in `checkpoint`.
    checkpoint: Checkpoint,
    /// What was signed last; it differs from `checkpoint` if replacing that file failed, with or without effect.
    signed: Checkpoint,
    /// Partial tiles that newer ones supersede as soon as these are committed.
    superseded: Vec<TileId>,
    /// Tiles beyond the checkpoint that a crash left: gone before the next leaf is written.
    left_over: Vec<TileId>,
    repaired: Vec<PathBuf>,
}

impl LogWriter {
    /// Makes an empty log in `dir`, with a signed checkpoint of size 0. Never touches a log that is there.
    pub fn create(dir: &Path, key: SigningKey) -> Result<LogWriter, LogError> {
        durable::create_folders(dir).map_err(LogError::io("create the folder", dir))?;
        for name in ["checkpoint", "tile"] {
            let path = dir.join(name);
            if path.exists() {
                let source = io::ErrorKind::AlreadyExists.into();
                return Err(LogError::io("create a new log over", &path)(source));
            }
        }
        write_verifier(dir, &key)?;
        let edge = Edge::default();
        let checkpoint = Checkpoint::sign(0, edge.root(), &key);
        write_checkpoint(dir, &checkpoint)?;
        Ok(LogWriter {
            dir: dir.to_owned(),
            key,
            next_key: None,
            edge,
            signed: checkpoint.clone(),
            checkpoint,
            superseded: Vec::new(),
            left_over: Vec::new(),
            repaired: Vec::new(),
        })
    }

    /// Opens a log to go on after its checkpoint, which must be signed by `key`. Refuses a log whose tiles do not make the
    /// signed root; hash tiles that are missing or wrong are first made again from the entries.
    pub fn open(dir: &Path, key: SigningKey) -> Result<LogWriter, LogError> {
        let verifier = key.verifier();
        let checkpoint = Checkpoint::read(&dir.join("checkpoint"), &verifier)?;
        let mut repaired = Vec::new();
        let vkey = dir.join("vkey");
        if fs::read(&vkey).ok().as_deref() != Some(format!("{verifier}\n").as_bytes()) {
            write_verifier(dir, &key)?;
            repaired.push(vkey);
        }
        let found = find_tiles(dir)?;
        let edge = match load_edge(dir, &checkpoint, &found)? {
            Some(edge) => edge,
            None => rebuild(dir, &checkpoint, &mut repaired)?,
        };
        write_partials(dir, &edge, &found)?;
        let left_over = clear(dir, checkpoint.size, &found);
        Ok(LogWriter {
            dir: dir.to_owned(),
            key,
            next_key: None,
            edge,
            signed: checkpoint.clone(),
            checkpoint,
            superseded: Vec::new(),
            left_over,
            repaired,
        })
    }

    /// How many leaves the log has, those not yet committed included.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The last committed checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The public half of the key that signs.
    pub fn verifier(&self) -> VerifierKey {
        self.key.verifier()
    }

    /// Lets the next checkpoint be signed by `key` too, and those after it by `key` alone.
    pub fn change_key(&mut self, key: SigningKey) {
        self.next_key = Some(key);
    }

    /// Signs with `key` from now on; the checkpoint that is there bears its signature already.
    pub fn adopt_key(&mut self, key: SigningKey) {
        self.key = key;
    }

    /// Files that were missing or wrong and were made again by [`LogWriter::open`].
    pub fn repaired(&self) -> &[PathBuf] {
        &self.repaired
    }

    /// Adds leaves, all or none, and returns the index of the first. They are durable when this returns, and count when they
    /// are committed.
    pub fn append(&mut self, entries: &[Vec<u8>]) -> Result<u64, LogError> {
        if let Some(entry) = entries.iter().find(|entry| entry.len() > ENTRY_BYTES_MAX) {
            return Err(LogError::TooLong(entry.len()));
        }
        let first = self.edge.size();
        for id in std::mem::take(&mut self.left_over) {
            remove_tile(&self.dir, id);
        }
        let mut edge = self.edge.clone();
        let mut files = Vec::new();
        for entry in entries {
            edge.push(entry, &mut |id, bytes| files.push((id, bytes)));
        }
        let (before, after) = (self.edge.partial_ids(), edge.partial_ids());
        let grown = after.iter().filter(|id| !before.contains(id));
        files.extend(grown.map(|id| (*id, edge.partial(*id))));
        write_tiles(&self.dir, files)?;
        let superseded = before.into_iter().filter(|id| !after.contains(id));
        self.superseded.extend(superseded);
        self.edge = edge;
        Ok(first)
    }

    /// Signs the log as it is now and makes that its checkpoint.
    pub fn commit(&mut self) -> Result<Checkpoint, LogError> {
        if self.edge.size() == self.checkpoint.size {
            return Ok(self.checkpoint.clone());
        }
        self.refuse_foreign_checkpoint()?;
        self.signed = Checkpoint::sign(self.edge.size(), self.edge.root(), &self.key);
        if let Some(next) = &self.next_key {
            self.signed = self.signed.also_by(next);
        }
        write_checkpoint(&self.dir, &self.signed)?;
        self.checkpoint = self.signed.clone();
        if let Some(next) = self.next_key.take() {
            self.key = next;
        }
        for id in std::mem::take(&mut self.superseded) {
            remove_tile(&self.dir, id);
        }
        Ok(self.checkpoint.clone())
    }

    /// Signing on from here while the file says something else would fork the log.
    fn refuse_foreign_checkpoint(&self) -> Result<(), LogError> {
        let path = self.dir.join("checkpoint");
        let ours = [&self.checkpoint, &self.signed];
        // The very bytes that were signed need not be verified again.
        let note = fs::read(&path);
        if note.is_ok_and(|note| ours.iter().any(|c| c.note.as_bytes() == note)) {
            return Ok(());
        }
        let found = Checkpoint::read(&path, &self.key.verifier())?;
        if ours.contains(&&found) {
            return Ok(());
        }
        Err(LogError::ChangedUnderneath {
            path,
            expected: self.checkpoint.size,
            found: found.size,
        })
    }
}

fn write_verifier(dir: &Path, key: &SigningKey) -> Result<(), LogError> {
    let path = dir.join("vkey");
    let text = format!("{}\n", key.verifier());
    durable::replace(&path, text.as_bytes(), MODE)
        .map_err(LogError::io("write the verifier key", &path))
}

fn write_checkpoint(dir: &Path, checkpoint: &Checkpoint) -> Result<(), LogError> {
    let path = dir.join("checkpoint");
    durable::replace(&path, checkpoint.note.as_bytes(), MODE)
        .map_err(LogError::io("write the checkpoint", &path))
}

fn write_tiles(dir: &Path, tiles: Vec<(TileId, Vec<u8>)>) -> Result<(), LogError> {
    let tiles = tiles.into_iter();
    let files: Vec<_> = tiles.map(|(id, b)| (dir.join(id.path()), b)).collect();
    for (path, _) in &files {
        let folder = durable::folder_of(path);
        durable::create_folders(folder).map_err(LogError::io("create the folder", folder))?;
    }
    durable::replace_all(&files, MODE).map_err(LogError::io("write tiles to", &dir.join("tile")))
}

/// Takes a tile away. If that fails it stays until the log is opened again, and harms nobody.
fn remove_tile(dir: &Path, id: TileId) {
    let path = dir.join(id.path());
    drop(fs::remove_file(&path));
    if !id.is_full() {
        // Refused by the system while other partial tiles are in it.
        drop(fs::remove_dir(durable::folder_of(&path)));
    }
}

/// All tiles there are; of hash tiles with their lengths. Temporary files that a crash left are taken away.
fn find_tiles(dir: &Path) -> Result<BTreeMap<TileId, Option<u64>>, LogError> {
    let mut tiles = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        let doing = "list the folder";
        for entry in fs::read_dir(&folder).map_err(LogError::io(doing, &folder))? {
            let entry = entry.map_err(LogError::io(doing, &folder))?;
            let path = entry.path();
            let kind = entry.file_type();
            if kind.map_err(LogError::io("examine", &path))?.is_dir() {
                folders.push(path);
            } else if durable::is_temporary(&entry.file_name()) {
                drop(fs::remove_file(&path));
            } else if let Some(id) = path.strip_prefix(dir).ok().and_then(Path::to_str)
                && let Some(id) = TileId::parse(id)
            {
                // There are thousands: what need not be asked of each is not.
                let length = match id.kind {
                    TileKind::Entries => None,
                    TileKind::Hashes(_) => entry.metadata().ok().map(|metadata| metadata.len()),
                };
                tiles.insert(id, length);
            }
        }
    }
    Ok(tiles)
}

/// The right edge at the checkpoint's size, from the tiles. `None` if the hash tiles do not make the signed root, or one is
/// missing; an error if the entries of the edge cannot be read, for those cannot be made again.
fn load_edge(
    dir: &Path,
    checkpoint: &Checkpoint,
    found: &BTreeMap<TileId, Option<u64>>,
) -> Result<Option<Edge>, LogError> {
    let size = checkpoint.size;
    let (entries, leaf_hashes) = load_entries(dir, size)?;
    let complete = all_tiles(size).all(|id| match id.kind {
        TileKind::Entries => true,
        TileKind::Hashes(_) => found.get(&id) == Some(&Some(id.width * HASH_BYTES as u64)),
    });
    if !complete {
        return Ok(None);
    }
    let mut rows = Vec::new();
    for level in 0..level_count(size) {
        let last = tiles_of(TileKind::Hashes(level), size).last();
        let Some(last) = last.filter(|id| !id.is_full()) else {
            rows.push(Vec::new());
            continue;
        };
        let row = read_tile(dir, last).ok();
        match row.and_then(|(_, bytes)| hashes_from_bytes(&bytes)) {
            Some(row) => rows.push(row),
            None => return Ok(None),
        }
    }
    let edge = Edge::new(size, entries, rows);
    let right = edge.root() == checkpoint.root && edge.row(0) == leaf_hashes;
    Ok(right.then_some(edge))
}

/// The bytes of the rightmost, partial entries tile, and the hashes of the leaves in it; both empty if it is full.
fn load_entries(dir: &Path, size: u64) -> Result<(Vec<u8>, Vec<Digest>), LogError> {
    let last = tiles_of(TileKind::Entries, size).last();
    let Some(last) = last.filter(|id| !id.is_full()) else {
        return Ok((Vec::new(), Vec::new()));
    };
    let (mut tile, ranges) = read_entries(dir, last)?;
    let hashes = ranges.iter().map(|range| leaf_hash(&tile[range.clone()]));
    let hashes = hashes.collect();
    tile.truncate(ranges.last().map_or(0, |range| range.end));
    Ok((tile, hashes))
}

/// Makes hash tiles of the log in `dir` that are missing or wrong again from the entries, if these make the signed root.
pub fn repair_tiles(dir: &Path, checkpoint: &Checkpoint) -> Result<Vec<PathBuf>, LogError> {
    let mut repaired = Vec::new();
    rebuild(dir, checkpoint, &mut repaired)?;
    Ok(repaired)
}

/// Makes the hash tiles again from the entries, if these make the signed root. Reads the entries twice rather than hold the
/// tiles of a large log in memory.
fn rebuild(
    dir: &Path,
    checkpoint: &Checkpoint,
    repaired: &mut Vec<PathBuf>,
) -> Result<Edge, LogError> {
    let edge = replay(dir, checkpoint.size, &mut |_, _| Ok(()))?;
    let computed = edge.root();
    if computed != checkpoint.root {
        return Err(LogError::WrongRoot {
            path: dir.to_owned(),
            size: checkpoint.size,
            signed: checkpoint.root,
            computed,
        });
    }
    let mut restore = |id: TileId, bytes: Vec<u8>| {
        let path = dir.join(id.path());
        let keep = id.kind == TileKind::Entries || fs::read(&path).is_ok_and(|old| old == bytes);
        if !keep {
            write_tiles(dir, vec![(id, bytes)])?;
            repaired.push(path);
        }
        Ok(())
    };
    replay(dir, checkpoint.size, &mut restore)?;
    for id in edge.partial_ids() {
        restore(id, edge.partial(id))?;
    }
    Ok(edge)
}

/// Pushes all entries, tile by tile, and gives away the full tiles that come of it.
fn replay(
    dir: &Path,
    size: u64,
    full: &mut impl FnMut(TileId, Vec<u8>) -> Result<(), LogError>,
) -> Result<Edge, LogError> {
    let mut edge = Edge::default();
    for id in tiles_of(TileKind::Entries, size) {
        let (tile, ranges) = read_entries(dir, id)?;
        let mut tiles = Vec::new();
        for range in ranges {
            edge.push(&tile[range], &mut |id, bytes| tiles.push((id, bytes)));
        }
        for (id, bytes) in tiles {
            full(id, bytes)?;
        }
    }
    Ok(edge)
}

/// Puts the partial tiles of the checkpoint under their own names if a crash left only longer ones.
fn write_partials(
    dir: &Path,
    edge: &Edge,
    found: &BTreeMap<TileId, Option<u64>>,
) -> Result<(), LogError> {
    let missing = edge.partial_ids().into_iter();
    let missing = missing.filter(|id| id.kind == TileKind::Entries && !found.contains_key(id));
    write_tiles(dir, missing.map(|id| (id, edge.partial(id))).collect())
}

/// Takes away partial tiles that others supersede (a crash came between commit and clearing). Returns the tiles that lie
/// beyond `size`: these stay until a leaf is written, because they are evidence if the checkpoint is an old one that a
/// backup brought back.
fn clear(dir: &Path, size: u64, found: &BTreeMap<TileId, Option<u64>>) -> Vec<TileId> {
    let mut beyond = Vec::new();
    for id in found.keys() {
        let items = match id.kind {
            TileKind::Entries => size,
            TileKind::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
        };
        if id.index.saturating_mul(TILE_WIDTH).saturating_add(id.width) > items {
            beyond.push(*id);
        } else if !id.is_full() {
            let full = id.of_width(TILE_WIDTH);
            let current = id.of_width(items.saturating_sub(id.index * TILE_WIDTH).min(TILE_WIDTH));
            // The full tile may be the damaged one: then this is the last copy of its beginning.
            if *id != current && (current != full || found.contains_key(&full)) {
                remove_tile(dir, *id);
            }
        }
    }
    beyond
}
