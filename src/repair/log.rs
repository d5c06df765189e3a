//! The log: read as far as it is sound, and copied.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::archive::Paths;
use crate::archive::catalog::Catalog;
use crate::archive::keys;
use crate::archive::leaf::{Leaf, LeafKind};
use crate::archive::log::cosigned;
use crate::archive::log::key::{SigningKey, VerifierKey};
use crate::archive::log::note::Checkpoint;
use crate::archive::log::reader::{read_tile, read_verifier};
use crate::archive::log::tile::{
    HASH_BYTES, TILE_WIDTH, TileId, TileKind, level_count, push_entry, tiles_of,
};
use crate::archive::log::writer::repair_tiles;
use crate::archive::mending::{self, Entries};
use crate::archive::rotation::{self, Rotation};
use crate::digest::Digest;
use crate::durable;
use crate::identity::DocId;

use super::{Error, Telling};

/// Everybody may read a log.
const MODE: u32 = 0o644;

/// A log, as far as it can be read.
pub(super) struct Log {
    pub(super) checkpoint: Checkpoint,
    verifier: VerifierKey,
    /// The entries; `None` for one that is lost.
    entries: Vec<Option<Vec<u8>>>,
}

impl Log {
    /// The leaves that can be read, by the metadata blocks that they commit to, without those whose records were erased.
    pub(super) fn metadata_digests(&self) -> HashMap<Digest, u64> {
        let erasures = self
            .leaves()
            .filter(|(_, leaf)| leaf.kind == LeafKind::Erase);
        let erased: HashMap<DocId, u64> = erasures.map(|(index, leaf)| (leaf.doc, index)).collect();
        let is_left = |index: &u64, leaf: &Leaf| erased.get(&leaf.doc).is_none_or(|by| by <= index);
        let left = self.leaves().filter(|(index, leaf)| is_left(index, leaf));
        left.map(|(index, leaf)| (leaf.metadata, index)).collect()
    }

    /// Whether all leaves can be read.
    pub(super) fn is_whole(&self) -> bool {
        self.leaves().count() as u64 == self.checkpoint.size
    }

    fn leaves(&self) -> impl Iterator<Item = (u64, Leaf)> {
        let entries = (0u64..).zip(&self.entries);
        entries.filter_map(|(index, entry)| Some((index, Leaf::parse(entry.as_ref()?)?)))
    }
}

/// Reads the log under the archive's checkpoint, or else the one that was kept outside.
pub(super) fn read(paths: &Paths, telling: &mut Telling) -> Result<Log, Error> {
    let dir = paths.log();
    let kept = (dir.join("checkpoint"), paths.last_checkpoint());
    let own = || {
        Some(
            SigningKey::load(&keys::signing_key_path(paths))
                .ok()?
                .verifier(),
        )
    };
    let verifier = read_verifier(&dir).ok().or_else(own);
    let read = |path: &Path| {
        let note = fs::read_to_string(path).ok()?;
        Checkpoint::verify(&note, verifier.as_ref()?).ok()
    };
    let checkpoint = match read(&kept.0) {
        Some(checkpoint) => checkpoint,
        None => {
            let checkpoint = read(&kept.1);
            let checkpoint = checkpoint.ok_or(Error::NoCheckpoint {
                archive: kept.0,
                state: kept.1.clone(),
            })?;
            telling.tell(
                "log/checkpoint",
                format!("it is taken from {}", kept.1.display()),
            );
            checkpoint
        }
    };
    let catalog = Catalog::open_to_read(&paths.dir).ok();
    let mut entries = Vec::new();
    for id in tiles_of(TileKind::Entries, checkpoint.size) {
        entries.extend(read_entries(&dir, id, catalog.as_ref(), telling));
    }
    Ok(Log {
        checkpoint,
        verifier: verifier.expect("a checkpoint was verified"),
        entries,
    })
}

/// The entries of a tile, those made again that are damaged and proven.
fn read_entries(
    dir: &Path,
    id: TileId,
    catalog: Option<&Catalog>,
    telling: &mut Telling,
) -> Vec<Option<Vec<u8>>> {
    let Entries { entries, made, .. } = mending::read_entries(dir, id, catalog);
    let place = format!("log/{id}");
    if made > 0 {
        let message = format!(
            "{made} damaged entries are made again from the catalog; the log's hashes prove them"
        );
        telling.tell(&place, message);
    }
    let lost = entries.iter().filter(|entry| entry.is_none()).count();
    if lost > 0 {
        telling.tell(&place, format!("{lost} entries are lost"));
    }
    entries
}

/// Writes the log into the new folder `to`.
pub(super) fn copy(
    paths: &Paths,
    log: &Log,
    to: &Path,
    telling: &mut Telling,
) -> Result<(), Error> {
    let from = paths.log();
    for id in tiles_of(TileKind::Entries, log.checkpoint.size) {
        let first = usize::try_from(id.index * TILE_WIDTH).expect("the entries are in memory");
        let width = usize::try_from(id.width).expect("at most 256");
        let mut tile = Vec::new();
        let entries = log.entries[first..first + width].iter();
        // Behind a lost entry nothing has its place any more.
        for entry in entries.map_while(Option::as_ref) {
            push_entry(&mut tile, entry);
        }
        if !tile.is_empty() {
            write(to, &id.path(), &tile)?;
        }
    }
    write(
        to,
        Path::new("vkey"),
        format!("{}\n", log.verifier).as_bytes(),
    )?;
    write(to, Path::new("checkpoint"), log.checkpoint.note.as_bytes())?;
    for folder in [cosigned::FOLDER, rotation::FOLDER] {
        for entry in fs::read_dir(from.join(folder))
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = Path::new(folder).join(entry.file_name());
            let is_sound = folder == cosigned::FOLDER || Rotation::read(&entry.path()).is_ok();
            match fs::read(entry.path()) {
                Ok(bytes) if is_sound => write(to, &name, &bytes)?,
                _ => telling.tell(
                    format!("log/{}", name.display()),
                    "it is damaged and left out",
                ),
            }
        }
    }
    if let Err(error) = repair_tiles(to, &log.checkpoint) {
        // Where entries are lost the hashes are all that the tree is known by.
        telling.tell("log", format!("its hashes are copied as they are: {error}"));
        copy_hashes(&from, &log.checkpoint, to)?;
    }
    Ok(())
}

fn copy_hashes(from: &Path, checkpoint: &Checkpoint, to: &Path) -> Result<(), Error> {
    for level in 0..level_count(checkpoint.size) {
        for id in tiles_of(TileKind::Hashes(level), checkpoint.size) {
            if let Ok((_, mut bytes)) = read_tile(from, id) {
                bytes.truncate(usize::try_from(id.width).expect("at most 256") * HASH_BYTES);
                write(to, &id.path(), &bytes)?;
            }
        }
    }
    Ok(())
}

fn write(to: &Path, name: &Path, bytes: &[u8]) -> Result<(), Error> {
    let path = to.join(name);
    durable::create_folders(durable::folder_of(&path))
        .and_then(|()| durable::replace(&path, bytes, MODE))
        .map_err(Error::write(&path))
}
