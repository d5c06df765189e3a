//! `Claim`: one file that the intake has taken in hand; and how its bytes are read.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::durable;
use crate::submission::{ClaimId, Reason, ReasonCode, Signature, Source};

use super::scan::is_absence;
use super::spool::{Intent, Marks};

/// One file in hand; its intent is durable. Give it back to the intake, whatever became of it: as archived, failed, deferred
/// or changed.
#[derive(Debug)]
pub struct Claim {
    pub(super) intent: Intent,
    /// Index of its root in the intake.
    pub(super) root: usize,
    /// The file.
    pub(super) path: PathBuf,
    pub(super) bytes_max: u64,
    pub(super) marks: Arc<Marks>,
    /// It held many documents, and perhaps more than those: the file itself is not deleted.
    pub(super) is_container: bool,
}

/// Why a claim could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no longer the file that was claimed: give it back with `changed`.
    #[error("the file changed since it was claimed")]
    Changed,
    /// The system could not read it now: give it back with `deferred`.
    #[error("cannot read the file now")]
    Transient(#[source] io::Error),
    /// It can never be archived as it is: give it back with `failed`.
    #[error(transparent)]
    Permanent(Reason),
}

impl Claim {
    /// The claim's name.
    pub fn id(&self) -> &ClaimId {
        &self.intent.claim
    }

    /// Where the file was found.
    pub fn source(&self) -> &Source {
        &self.intent.source
    }

    /// The file's state when it was claimed.
    pub fn signature(&self) -> &Signature {
        &self.intent.signature
    }

    /// The same, of a file that held many documents.
    pub fn of_container(self) -> Claim {
        Claim {
            is_container: true,
            ..self
        }
    }

    /// How often it was claimed, this time included.
    pub fn attempts(&self) -> u32 {
        self.intent.attempts
    }
}

/// The bytes of the file at `path`, if it is the one of `signature` before and after.
pub(super) fn read_unchanged(
    path: &Path,
    signature: &Signature,
    bytes_max: u64,
) -> Result<Vec<u8>, ReadError> {
    let file = durable::open_regular(path).map_err(|error| classify(path, error))?;
    read_opened(&unchanged(file, signature)?, signature, bytes_max)
}

/// The same for a file in an inbox, where no folder may have become a link since the scan.
pub(super) fn read_in_inbox(
    path: &Path,
    signature: &Signature,
    bytes_max: u64,
) -> Result<Vec<u8>, ReadError> {
    read_opened(&open_in_inbox(path, signature)?, signature, bytes_max)
}

/// Opens the file at `path` in an inbox, if it is the one of `signature`.
pub(super) fn open_in_inbox(path: &Path, signature: &Signature) -> Result<File, ReadError> {
    let file = durable::open_regular_without_links(path).map_err(|error| classify(path, error))?;
    unchanged(file, signature)
}

/// `file`, if it is the one of `signature`.
fn unchanged(file: File, signature: &Signature) -> Result<File, ReadError> {
    match Signature::of(&file.metadata().map_err(ReadError::Transient)?) == *signature {
        true => Ok(file),
        false => Err(ReadError::Changed),
    }
}

/// The bytes of an open file that was the one of `signature` when it was opened, if it still is afterwards.
pub(super) fn read_opened(
    file: &File,
    signature: &Signature,
    bytes_max: u64,
) -> Result<Vec<u8>, ReadError> {
    if signature.size > bytes_max {
        return Err(ReadError::Permanent(too_large(signature.size, bytes_max)));
    }
    let bytes = read_exactly(file, signature.size).map_err(ReadError::Transient)?;
    let metadata = file.metadata().map_err(ReadError::Transient)?;
    match bytes {
        Some(bytes) if Signature::of(&metadata) == *signature => Ok(bytes),
        _ => Err(ReadError::Changed),
    }
}

/// All bytes of `file` if there are `size` of them, and never more memory than that.
fn read_exactly(file: &File, size: u64) -> io::Result<Option<Vec<u8>>> {
    let capacity = usize::try_from(size).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut bytes = Vec::new();
    // One more, so that the end is seen without growing.
    bytes.try_reserve_exact(capacity.saturating_add(1))?;
    file.take(size + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() == capacity).then_some(bytes))
}

pub(super) fn too_large(size: u64, bytes_max: u64) -> Reason {
    let message = format!(
        "the file has {size} bytes, more than the limit of {bytes_max} (file_bytes_max); raise the limit and retry"
    );
    Reason::new(ReasonCode::TooLarge, message)
}

/// A name that is gone, or that no longer names a regular file, is for the next scan to judge; all else may pass.
fn classify(path: &Path, error: io::Error) -> ReadError {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => ReadError::Transient(error),
        Ok(_) => ReadError::Changed,
        Err(gone) if is_absence(&gone) => ReadError::Changed,
        Err(_) => ReadError::Transient(error),
    }
}
