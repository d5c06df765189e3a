//! `Rotation`: how a log came to a new signing key, so that checkpoints of before stay verifiable and whoever trusts the old
//! key can trust the new one.
//!
//! A leaf of the kind `key` names both keys. The checkpoint that covers it first is signed by both; the proof that the leaf is
//! under that checkpoint is kept as `log/rotations/INDEX.tlog-proof`: the old key's last word, and the only one on the new key.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;

use crate::archive::catalog::Catalog;
use crate::archive::keys;
use crate::archive::leaf::{Leaf, LeafKind};
use crate::archive::log::key::{SigningKey, VerifierKey};
use crate::archive::log::note::Checkpoint;
use crate::archive::log::proof::{LogProof, ProofError};
use crate::archive::log::reader::LogReader;
use crate::archive::metadata::{Event, MetadataBlock};
use crate::archive::warc::Record;
use crate::archive::{Error, Paths, segment};
use crate::digest::Digest;
use crate::durable;

/// The folder in the log's.
pub const FOLDER: &str = "rotations";
const SUFFIX: &str = ".tlog-proof";

/// A change of the key that signs a log, proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The leaf that tells of it.
    pub index: u64,
    /// The key of before; it signed this.
    pub old: VerifierKey,
    /// The key of from then on; it signed this too.
    pub new: VerifierKey,
}

/// Why a file does not prove a change of keys.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// It cannot be read.
    #[error("cannot read it")]
    Read(#[from] std::io::Error),
    /// It is no proof, or not signed by both keys.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// It proves something else.
    #[error("it does not tell of a change of keys")]
    Other,
}

impl Rotation {
    /// Reads and verifies a proof.
    pub fn parse(text: &str) -> Result<Rotation, RotationError> {
        let proof = LogProof::parse(text)?;
        let extra = proof.extra.as_deref().unwrap_or_default();
        let (entry, block) = split(extra).ok_or(RotationError::Other)?;
        let leaf = Leaf::parse(entry).ok_or(RotationError::Other)?;
        let record = match MetadataBlock::<IgnoredAny>::parse(block) {
            Ok(MetadataBlock::Event(event)) if leaf.metadata == Digest::of(block) => match *event {
                Event::Key(record) if leaf.kind == LeafKind::Key => record,
                _ => return Err(RotationError::Other),
            },
            _ => return Err(RotationError::Other),
        };
        let key = |text: &str| text.parse().map_err(|_| RotationError::Other);
        let (old, new): (VerifierKey, VerifierKey) = (key(&record.old)?, key(&record.new)?);
        for key in [&old, &new] {
            proof.verify(entry, std::slice::from_ref(key))?;
        }
        Ok(Rotation {
            index: proof.index,
            old,
            new,
        })
    }

    /// Reads and verifies the proof in a file.
    pub fn read(path: &Path) -> Result<Rotation, RotationError> {
        Rotation::parse(&fs::read_to_string(path)?)
    }
}

/// Entry and block, as they stand in a proof's extra data.
pub fn split(extra: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = extra.iter().position(|byte| *byte == b'\n')?;
    Some((&extra[..at], &extra[at + 1..]))
}

/// The file that proves the change of keys that leaf `index` tells of.
pub fn path(log: &Path, index: u64) -> PathBuf {
    log.join(FOLDER).join(format!("{index}{SUFFIX}"))
}

/// The proven changes of a log's key, oldest first. What cannot be read is `check`'s business.
pub fn read_all(log: &Path) -> Vec<Rotation> {
    let entries = fs::read_dir(log.join(FOLDER))
        .into_iter()
        .flatten()
        .flatten();
    let read = entries.filter_map(|entry| Rotation::read(&entry.path()).ok());
    let mut all: Vec<Rotation> = read.collect();
    all.sort_by_key(|rotation| rotation.index);
    all
}

/// The keys that a log had, as far as they are proven, up to the one that it has: `current`, which is the last.
pub fn keys_until(log: &Path, current: &VerifierKey) -> Vec<VerifierKey> {
    let mut keys = vec![current.clone()];
    for rotation in read_all(log).iter().rev() {
        if keys.last() == Some(&rotation.new) {
            keys.push(rotation.old.clone());
        }
    }
    keys.reverse();
    keys
}

/// The keys that `trusted` ones lead to: each was named by one that was trusted before.
pub fn keys_from(mut trusted: Vec<VerifierKey>, rotations: &[Rotation]) -> Vec<VerifierKey> {
    for rotation in rotations {
        if trusted.contains(&rotation.old) && !trusted.contains(&rotation.new) {
            trusted.push(rotation.new.clone());
        }
    }
    trusted
}

/// Brings a change of keys to its end that the checkpoint tells of: keeps its proof, puts the new key in the old one's place and
/// gives it back. A new key that the checkpoint does not know is taken away: that change never was.
pub(super) fn finish(paths: &Paths, catalog: &Catalog) -> Result<Option<SigningKey>, Error> {
    let pending = keys::pending_key_path(paths);
    if !pending.exists() {
        return Ok(None);
    }
    let key = SigningKey::load(&pending)?;
    let log_dir = paths.log();
    let checkpoint = log_dir.join("checkpoint");
    let note = fs::read_to_string(&checkpoint);
    let note = note.map_err(|source| Error::io("read", &checkpoint, source))?;
    let Ok(checkpoint) = Checkpoint::verify(&note, &key.verifier()) else {
        remove(&pending)?;
        return Ok(None);
    };
    // The leaf was committed by itself: it is the last.
    let index = checkpoint.size.saturating_sub(1);
    let log = LogReader::at(&log_dir, key.verifier(), checkpoint);
    let proof = LogProof {
        extra: Some(extra(paths, catalog, &log, index)?),
        index,
        hashes: log.prove_inclusion(index)?,
        note,
    };
    let file = path(&log_dir, index);
    let folder = durable::folder_of(&file);
    durable::create_folders(folder)
        .and_then(|()| durable::replace(&file, proof.to_text().as_bytes(), 0o644))
        .map_err(|source| Error::io("write", &file, source))?;
    let current = keys::signing_key_path(paths);
    fs::rename(&pending, &current)
        .and_then(|()| durable::sync_folder(durable::folder_of(&current)))
        .map_err(|source| Error::io("replace the signing key", &current, source))?;
    let vkey = log_dir.join("vkey");
    durable::replace(&vkey, format!("{}\n", key.verifier()).as_bytes(), 0o644)
        .map_err(|source| Error::io("write", &vkey, source))?;
    Ok(Some(key))
}

/// The leaf's entry, LF, and the block of its metadata record.
fn extra(paths: &Paths, catalog: &Catalog, log: &LogReader, index: u64) -> Result<Vec<u8>, Error> {
    let at = catalog
        .metadata_at(index)?
        .ok_or(Error::LeafLost { index })?;
    let bytes = segment::read(&paths.dir, at)?;
    let record = Record::parse(&bytes).map_err(|_| Error::LeafLost { index })?;
    let mut extra = log.entry(index)?;
    extra.push(b'\n');
    extra.extend(record.block);
    Ok(extra)
}

fn remove(path: &Path) -> Result<(), Error> {
    fs::remove_file(path)
        .and_then(|()| durable::sync_folder(durable::folder_of(path)))
        .map_err(|source| Error::io("remove", path, source))
}
