//! The log: its signature, what its leaves say, and how it follows from a checkpoint kept elsewhere.

use std::fs;
use std::path::Path;

use crate::archive::leaf::LeafKind;
use crate::archive::log::cosignature::WitnessKey;
use crate::archive::log::cosigned;
use crate::archive::log::key::VerifierKey;
use crate::archive::log::note::{Checkpoint, NoteError};
use crate::archive::log::reader::{LogReader, read_tile, read_verifier};
use crate::archive::log::tile::{TILE_WIDTH, TileId, TileKind, split_entries, tiles_of};
use crate::archive::rotation::{self, Rotation};
use crate::check::leaves::Leaves;
use crate::check::problem::{Code, Findings, chain};
use crate::check::tree::Tree;
use crate::durable;

/// What the log says, as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct LogView {
    /// How many leaves were judged.
    pub(super) size: u64,
    /// The origin that the checkpoint names.
    pub(super) origin: Option<String>,
    /// What the leaves say.
    pub(super) leaves: Leaves,
}

/// What the caller knows of the log from elsewhere.
pub(super) struct Elsewhere<'a> {
    /// The key that must have signed.
    pub(super) verifier: Option<&'a VerifierKey>,
    /// A checkpoint that was kept.
    pub(super) checkpoint: Option<&'a Path>,
    /// Keys of witnesses.
    pub(super) witnesses: &'a [WitnessKey],
}

/// Checks the log of the archive in `archive`.
pub(super) fn check(archive: &Path, elsewhere: &Elsewhere, findings: &mut Findings) -> LogView {
    let dir = archive.join("log");
    let rotations = rotation::read_all(&dir);
    let verifier = verifier(&dir, elsewhere.verifier, &rotations, findings);
    // First of all: what a daemon adds from now on is not judged.
    let checkpoint = checkpoint(&dir, verifier.as_ref(), findings);
    note_strangers(&dir, findings);
    let keys = verifier.iter();
    let keys: Vec<_> = keys
        .flat_map(|key| rotation::keys_until(&dir, key))
        .collect();
    let kept = kept(elsewhere.checkpoint, &keys, findings);

    let size = checkpoint.as_ref().map_or_else(
        // Without a checkpoint nothing says where the log ends: all entries that are there are judged.
        || entries_found(&dir),
        |checkpoint| checkpoint.size,
    );
    let mut tree = Tree::new(&dir, size, kept.as_ref().map(|kept| kept.size));
    for id in tiles_of(TileKind::Entries, size) {
        tree.add(id);
    }
    tree.finish(checkpoint.as_ref().map(|c| c.root), findings);
    compare_with_kept(&tree, kept.as_ref(), size, findings);
    check_rotations(&dir, &tree, findings);
    if let Some(checkpoint) = &checkpoint {
        check_cosigned(&dir, checkpoint, &keys, elsewhere.witnesses, findings);
    }

    LogView {
        size,
        origin: checkpoint.map(|checkpoint| checkpoint.origin),
        leaves: tree.leaves,
    }
}

fn verifier(
    dir: &Path,
    expected: Option<&VerifierKey>,
    rotations: &[Rotation],
    findings: &mut Findings,
) -> Option<VerifierKey> {
    match read_verifier(dir) {
        Ok(found) => {
            let keys = expected.map(|key| rotation::keys_from(vec![key.clone()], rotations));
            // Whoever trusts a key of before trusts the one that it led to.
            if keys.as_ref().is_some_and(|keys| keys.contains(&found)) {
                return Some(found);
            }
            if expected.is_some() {
                let message = format!("{found} lies in the archive, another key is expected");
                findings.problem(Code::OtherKey, "log/vkey", message);
            }
            Some(expected.cloned().unwrap_or(found))
        }
        Err(error) => {
            findings.problem(Code::VerifierBad, "log/vkey", chain(&error));
            expected.cloned()
        }
    }
}

/// The checkpoint; if its signature cannot be verified that is a problem, but what it says is still compared.
fn checkpoint(
    dir: &Path,
    verifier: Option<&VerifierKey>,
    findings: &mut Findings,
) -> Option<Checkpoint> {
    let place = "log/checkpoint";
    let note = match fs::read(dir.join("checkpoint")) {
        Ok(bytes) => bytes,
        Err(error) => {
            findings.problem(
                Code::CheckpointMissing,
                place,
                format!("cannot read it: {error}"),
            );
            return None;
        }
    };
    let Ok(note) = String::from_utf8(note) else {
        findings.problem(Code::CheckpointBad, place, "it is not UTF-8");
        return None;
    };
    let Some(verifier) = verifier else {
        // The missing key was reported; a checkpoint that cannot be read at all is one more problem.
        let checkpoint = Checkpoint::unverified(&note);
        if checkpoint.is_none() {
            findings.problem(Code::CheckpointBad, place, "it is no checkpoint");
        }
        return checkpoint;
    };
    match Checkpoint::verify(&note, verifier) {
        Ok(checkpoint) => Some(checkpoint),
        Err(error) => {
            let code = match error {
                NoteError::NotSigned(_) => Code::OtherKey,
                _ => Code::CheckpointBad,
            };
            findings.problem(code, place, chain(&error));
            Checkpoint::unverified(&note)
        }
    }
}

fn kept(path: Option<&Path>, keys: &[VerifierKey], findings: &mut Findings) -> Option<Checkpoint> {
    let path = path?;
    let message = match fs::read_to_string(path) {
        Err(error) => format!("cannot read it: {error}"),
        Ok(_) if keys.is_empty() => "there is no verifier key to verify it with".to_owned(),
        Ok(note) => match Checkpoint::verify_by_any(&note, keys) {
            Ok(checkpoint) => return Some(checkpoint),
            Err(error) => chain(&error),
        },
    };
    findings.problem(Code::KeptUnusable, path.display().to_string(), message);
    None
}

fn compare_with_kept(tree: &Tree, kept: Option<&Checkpoint>, size: u64, findings: &mut Findings) {
    let Some(kept) = kept else { return };
    let place = "log/checkpoint";
    if kept.size > size {
        let message = format!(
            "the log has {size} leaves, the checkpoint kept elsewhere signs {}",
            kept.size
        );
        findings.problem(Code::LogShrunk, place, message);
    } else if tree.kept_root.is_some_and(|root| root != kept.root) {
        let message = format!(
            "its first {} leaves have another root than the checkpoint kept elsewhere signs, {}",
            kept.size, kept.root
        );
        findings.problem(Code::LogForked, place, message);
    } else if tree.kept_root.is_none() {
        let message = format!(
            "the entries around leaf {} are lost: the checkpoint kept elsewhere cannot be compared",
            kept.size
        );
        findings.problem(Code::KeptUnusable, place, message);
    }
}

/// Whether each change of the key that a leaf tells of is proven to those who have the old key.
fn check_rotations(dir: &Path, tree: &Tree, findings: &mut Findings) {
    for (index, leaf) in tree.leaves.all.iter().enumerate() {
        if leaf.is_none_or(|leaf| leaf.kind != LeafKind::Key) {
            continue;
        }
        let file = rotation::path(dir, index as u64);
        let message = match Rotation::read(&file) {
            Ok(rotation) if rotation.index == index as u64 => continue,
            Ok(rotation) => format!("it is about leaf {}", rotation.index),
            Err(error) => chain(&error),
        };
        let name = file.strip_prefix(dir).unwrap_or(&file).display();
        findings.problem(Code::RotationBad, format!("log/{name}"), message);
    }
}

/// Whether the checkpoints that witnesses cosigned are whole, and the log goes on from them.
fn check_cosigned(
    dir: &Path,
    checkpoint: &Checkpoint,
    keys: &[VerifierKey],
    witnesses: &[WitnessKey],
    findings: &mut Findings,
) {
    let Some(key) = keys.last() else { return };
    let log = LogReader::at(dir, key.clone(), checkpoint.clone());
    let folder = dir.join(cosigned::FOLDER);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if durable::is_temporary(&entry.file_name()) {
            continue;
        }
        let place = format!("log/{}/{name}", cosigned::FOLDER);
        let note = fs::read_to_string(entry.path()).unwrap_or_default();
        let verified = Checkpoint::verify_by_any(&note, keys).and_then(|cosigned| {
            witnesses
                .iter()
                .try_for_each(|witness| witness.find(&note).map(drop))?;
            Ok(cosigned)
        });
        match verified {
            Err(error) => findings.problem(Code::CosignedBad, place, chain(&error)),
            Ok(cosigned) if cosigned.size.to_string() != name => {
                let message = format!("it is of {} leaves", cosigned.size);
                findings.problem(Code::CosignedBad, place, message);
            }
            Ok(cosigned) if cosigned.size > checkpoint.size => {
                let message = format!(
                    "witnesses have seen it, the log has {} leaves",
                    checkpoint.size
                );
                findings.problem(Code::LogShrunk, place, message);
            }
            Ok(cosigned) => {
                let now = log.prove_consistency(cosigned.size);
                // Where the log is damaged that is told already.
                if now.is_ok_and(|(root, _)| root != cosigned.root) {
                    let message = "the log has another root there than witnesses have seen";
                    findings.problem(Code::LogForked, place, message);
                }
            }
        }
    }
}

/// Says which files are none of the log's. Tiles beyond the checkpoint are a writer's business, and so are its temporary
/// files.
fn note_strangers(dir: &Path, findings: &mut Findings) {
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path
                .strip_prefix(dir)
                .unwrap_or(&path)
                .display()
                .to_string();
            let known = matches!(name.as_str(), "vkey" | "checkpoint")
                || [cosigned::FOLDER, rotation::FOLDER]
                    .iter()
                    .any(|folder| name.starts_with(&format!("{folder}/")))
                || TileId::parse(&name).is_some()
                || durable::is_temporary(&entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if !known {
                findings.note(format!("log/{name}"), "not a file of the log");
            }
        }
    }
}

/// How many entries lie there without a gap.
fn entries_found(dir: &Path) -> u64 {
    let mut size = 0;
    for id in tiles_of(TileKind::Entries, u64::MAX) {
        // Of a tile that is not full, the longest there is, which the name of the shortest leads to.
        let full = read_tile(dir, id);
        let tile = full.or_else(|_| read_tile(dir, id.of_width(longest_partial(dir, id))));
        let Ok((_, tile)) = tile else { break };
        let entries = split_entries(&tile).unwrap_or_else(|entries| entries);
        size += entries.len() as u64;
        if entries.len() as u64 != TILE_WIDTH {
            break;
        }
    }
    size
}

fn longest_partial(dir: &Path, id: TileId) -> u64 {
    let folder = dir.join(id.of_width(1).path());
    let names = fs::read_dir(durable::folder_of(&folder));
    let widths = names.into_iter().flatten().flatten();
    let widths = widths.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    widths.max().unwrap_or(1)
}
