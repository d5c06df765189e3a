//! Mending: what archive and log have lost is made again where something else proves it. The checkpoint is kept outside the
//! archive too; a damaged entry is known to the catalog, and its hash to the tree; the manifest follows from the log.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::archive::catalog::Catalog;
use crate::archive::leaf::Leaf;
use crate::archive::log::key::SigningKey;
use crate::archive::log::merkle::{self, Frontier};
use crate::archive::log::note::Checkpoint;
use crate::archive::log::reader::{LogReader, read_tile, read_verifier};
use crate::archive::log::tile::{
    HASH_BYTES, TILE_WIDTH, TileId, TileKind, push_entry, split_entries, tiles_of,
};
use crate::archive::{Error, MODE, Manifest, Paths};
use crate::durable;

/// The manifest of the archive in `dir`; one that follows from its log if that has leaves and the manifest is lost, with what
/// is wrong with the one that is there.
pub(crate) fn manifest(dir: &Path, now: Timestamp) -> Result<(Manifest, Option<Error>), Error> {
    let error = match Manifest::read(dir) {
        Ok(manifest) => return Ok((manifest, None)),
        // A format to come is no damage.
        Err(error @ Error::OtherFormat { .. }) => return Err(error),
        Err(error) => error,
    };
    let log = dir.join("log");
    // Without leaves it is an archive whose making was interrupted.
    let has_leaves = log.join("tile").join("entries").is_dir();
    match origin(&log).filter(|_| has_leaves) {
        Some(origin) => Ok((Manifest::of(&origin, now), Some(error))),
        None => Err(error),
    }
}

/// The log's origin, which is its key's name, from whichever of the two is there.
fn origin(log: &Path) -> Option<String> {
    let key = || Some(read_verifier(log).ok()?.name().to_owned());
    let note = fs::read_to_string(log.join("checkpoint")).unwrap_or_default();
    let checkpoint = Checkpoint::unverified(&note);
    checkpoint.map(|checkpoint| checkpoint.origin).or_else(key)
}

/// Makes checkpoint and entries of a log again that could not be opened with `key`, as far as they are damaged and what they
/// were is proven. The files that were written.
pub(super) fn mend_log(paths: &Paths, key: &SigningKey) -> Result<Vec<PathBuf>, Error> {
    let dir = paths.log();
    let path = dir.join("checkpoint");
    let verifier = key.verifier();
    let (checkpoint, is_kept) = match Checkpoint::read(&path, &verifier) {
        Ok(checkpoint) => (checkpoint, false),
        Err(_) => match Checkpoint::read(&paths.last_checkpoint(), &verifier) {
            Ok(checkpoint) => (checkpoint, true),
            Err(_) => return Ok(Vec::new()),
        },
    };
    let mut mended = mend_entries(paths, &checkpoint)?;
    let log = LogReader::at(&dir, verifier, checkpoint.clone());
    let is_this_log = log
        .root_of_entries(checkpoint.size)
        .is_ok_and(|root| root == checkpoint.root);
    if is_kept && is_this_log {
        write(&path, checkpoint.note.as_bytes())?;
        mended.push(path);
    }
    Ok(mended)
}

/// Entries that the tree's hashes prove are written; what no hash proves, for want of a sound tile of hashes, only if all entries
/// together make the signed root.
fn mend_entries(paths: &Paths, checkpoint: &Checkpoint) -> Result<Vec<PathBuf>, Error> {
    let dir = paths.log();
    let catalog = Catalog::open_to_read(&paths.dir).ok();
    let mut root = Some(Frontier::default());
    let (mut proven, mut unproven) = (Vec::new(), Vec::new());
    for id in tiles_of(TileKind::Entries, checkpoint.size) {
        let tile = read_entries(&dir, id, catalog.as_ref());
        let entries = match tile.is_proven {
            true => tile.entries.into_iter().collect::<Option<Vec<_>>>(),
            false => catalog.as_ref().and_then(|c| entries_from(c, id)),
        };
        let Some(entries) = entries else {
            root = None;
            continue;
        };
        let mut bytes = Vec::new();
        for entry in &entries {
            push_entry(&mut bytes, entry);
            if let Some(root) = &mut root {
                root.push(merkle::leaf_hash(entry));
            }
        }
        match tile.is_proven {
            true if tile.made > 0 => proven.push((dir.join(id.path()), bytes)),
            true => {}
            false => unproven.push((dir.join(id.path()), bytes)),
        }
    }
    if root.is_some_and(|root| root.root() == checkpoint.root) {
        proven.append(&mut unproven);
    }
    proven
        .iter()
        .try_for_each(|(path, bytes)| write(path, bytes))?;
    Ok(proven.into_iter().map(|(path, _)| path).collect())
}

/// The entries of a tile as the catalog knows them.
fn entries_from(catalog: &Catalog, id: TileId) -> Option<Vec<Vec<u8>>> {
    let first = id.index * TILE_WIDTH;
    let leaves = first..first + id.width;
    leaves.map(|leaf| entry_from(catalog, leaf)).collect()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || -> io::Result<()> {
        durable::create_folders(durable::folder_of(path))?;
        durable::replace(path, bytes, MODE)
    };
    write().map_err(|source| Error::io("write", path, source))
}

/// The entries of a tile.
pub(crate) struct Entries {
    /// `None` for one that is lost.
    pub(crate) entries: Vec<Option<Vec<u8>>>,
    /// So many were damaged and are made again.
    pub(crate) made: usize,
    /// Whether the tile of hashes proves all of them.
    is_proven: bool,
}

/// Reads the entries of a tile. Each is what the tile of hashes says, or is made again from the catalog so that it is; where the
/// hashes are lost, or nothing makes them, it is taken as it stands there.
pub(crate) fn read_entries(dir: &Path, id: TileId, catalog: Option<&Catalog>) -> Entries {
    let read = |id| read_tile(dir, id).map_or_else(|_| Vec::new(), |(_, bytes)| bytes);
    let bytes = read(id);
    let ranges = split_entries(&bytes).unwrap_or_else(|whole| whole);
    let hashes = read(TileId {
        kind: TileKind::Hashes(0),
        ..id
    });
    let (hashes, _) = hashes.as_chunks::<HASH_BYTES>();
    let (mut made, mut is_proven) = (0, true);
    let mut entry = |at: usize| {
        let stands = ranges.get(at).map(|range| bytes[range.clone()].to_vec());
        let Some(hash) = hashes.get(at) else {
            is_proven = false;
            return stands;
        };
        let is_right = |entry: &Vec<u8>| merkle::leaf_hash(entry).as_bytes() == hash;
        if stands.as_ref().is_some_and(is_right) {
            return stands;
        }
        let index = id.index * TILE_WIDTH + at as u64;
        let known = catalog.and_then(|catalog| entry_from(catalog, index));
        match known.filter(is_right) {
            Some(known) => {
                made += 1;
                Some(known)
            }
            None => {
                is_proven = false;
                stands
            }
        }
    };
    let width = usize::try_from(id.width).expect("at most 256");
    let entries = (0..width).map(&mut entry).collect();
    Entries {
        entries,
        made,
        is_proven,
    }
}

/// The entry of a leaf as the catalog knows it.
fn entry_from(catalog: &Catalog, index: u64) -> Option<Vec<u8>> {
    let row = catalog.leaf_rows(index..index + 1).ok()?.pop()?;
    let leaf = Leaf {
        previous: catalog.leaf_before(&row.doc, index).ok()?,
        capture: row.capture,
        doc: row.doc,
        kind: row.kind,
        metadata: row.metadata,
        version: row.version,
    };
    Some(leaf.to_bytes())
}
