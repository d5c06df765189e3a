//! `Cosigned`: a checkpoint with the cosignatures that witnesses gave for it, kept as `log/cosigned/SIZE`.
//!
//! Checkpoints carry no time, cosignatures do: these files are what shows to others since when a leaf has been there.

use std::fs;
use std::path::{Path, PathBuf};

use super::cosignature::{Cosignature, WitnessKey};
use super::error::LogError;
use super::note::{self, Checkpoint};
use crate::durable;

/// The folder in the log's.
pub const FOLDER: &str = "cosigned";

/// A checkpoint and its cosignatures.
#[derive(Debug, Clone)]
pub struct Cosigned {
    checkpoint: Checkpoint,
    /// Cosignatures that were kept, as they stand in the file; nobody verified them.
    kept: Vec<String>,
    cosignatures: Vec<Cosignature>,
}

impl Cosigned {
    /// What was kept for a checkpoint of the log in `log`.
    pub fn read(log: &Path, checkpoint: &Checkpoint) -> Cosigned {
        let kept = fs::read_to_string(path(log, checkpoint.size)).unwrap_or_default();
        // Of another checkpoint of this size nothing holds for this one.
        let lines = match (note::split(&kept), note::split(&checkpoint.note)) {
            (Ok((text, lines)), Ok((ours, _))) if text == ours => {
                let lines = lines
                    .filter_map(Result::ok)
                    .map(|line| line.line.to_owned());
                lines
                    .filter(|line| !has_line(&checkpoint.note, line))
                    .collect()
            }
            _ => Vec::new(),
        };
        Cosigned {
            checkpoint: checkpoint.clone(),
            kept: lines,
            cosignatures: Vec::new(),
        }
    }

    /// The sizes of the checkpoints that were cosigned, in their order.
    pub fn sizes(log: &Path) -> Vec<u64> {
        let names = fs::read_dir(log.join(FOLDER))
            .into_iter()
            .flatten()
            .flatten();
        let size = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?;
            let size: u64 = name.parse().ok()?;
            (size.to_string() == name).then_some(size)
        };
        let mut sizes: Vec<u64> = names.filter_map(size).collect();
        sizes.sort_unstable();
        sizes
    }

    /// How many leaves the checkpoint had that this witness cosigned last; 0 if there is none.
    pub fn last_size(log: &Path, witness: &WitnessKey) -> u64 {
        let cosigned = |size: &u64| {
            let note = fs::read_to_string(path(log, *size)).unwrap_or_default();
            matches!(witness.find(&note), Ok(Some(_)))
        };
        let sizes = Cosigned::sizes(log).into_iter().rev();
        sizes.into_iter().find(cosigned).unwrap_or_default()
    }

    /// The verified cosignatures.
    pub fn cosignatures(&self) -> &[Cosignature] {
        &self.cosignatures
    }

    /// Verifies what was kept of this witness; whether there is something.
    pub fn take_in(&mut self, witness: &WitnessKey) -> bool {
        match witness.find(&self.note()) {
            Ok(Some(cosignature)) => {
                self.cosignatures.push(cosignature);
                true
            }
            _ => false,
        }
    }

    /// Adds a cosignature.
    pub fn add(&mut self, cosignature: Cosignature) {
        self.kept.push(cosignature.line.clone());
        self.cosignatures.push(cosignature);
    }

    /// The checkpoint's note with all cosignatures.
    pub fn note(&self) -> String {
        let mut note = self.checkpoint.note.clone();
        for line in &self.kept {
            note.push_str(line);
            note.push('\n');
        }
        note
    }

    /// Keeps it in the log's folder.
    pub fn write(&self, log: &Path) -> Result<(), LogError> {
        let path = path(log, self.checkpoint.size);
        let folder = durable::folder_of(&path);
        durable::create_folders(folder).map_err(LogError::io("create the folder", folder))?;
        durable::replace(&path, self.note().as_bytes(), 0o644)
            .map_err(LogError::io("write the cosigned checkpoint", &path))
    }
}

/// The oldest cosigned checkpoint that covers the leaf `index`: the one that shows for the longest time that it is there.
pub fn first_covering(log: &Path, index: u64) -> Option<String> {
    let size = Cosigned::sizes(log)
        .into_iter()
        .find(|size| *size > index)?;
    fs::read_to_string(path(log, size)).ok()
}

fn has_line(note: &str, line: &str) -> bool {
    note.lines().any(|other| other == line)
}

fn path(log: &Path, size: u64) -> PathBuf {
    log.join(FOLDER).join(size.to_string())
}
