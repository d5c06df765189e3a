//! One file taken in on request, without a watched folder: `add`, standard input, the control socket.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::digest::Digest;
use crate::durable;
use crate::submission::{ClaimId, Declared, Reason, ReasonCode, Signature, Source, Submission};

use super::claim::{ReadError, read_opened, too_large};
use super::error::Error;
use super::glob::Ignore;
use super::options::Options;
use super::scan::{Oddity, Walk};
use super::sidecar::{self, Sidecar};

/// The root of files that came by `add`.
pub const ADD: &str = "add";
/// The root of what came by standard input.
pub const STDIN: &str = "stdin";

/// One request to take something in.
#[derive(Debug, Clone)]
pub struct Request {
    /// The claim.
    pub claim: ClaimId,
    /// When it was made.
    pub received_at: Timestamp,
    /// Larger files are refused.
    pub bytes_max: u64,
}

/// Opens the file at `path` (absolute; a link on the way is followed, since a person named it), with a submission that has
/// everything but the bytes, its sidecar's word included if there is one. The source stays untouched.
pub fn open_file(path: &Path, request: Request) -> Result<(File, Submission), ReadError> {
    // Looked at before it is opened: to open a device may do something to it.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        let message = "it is neither a file nor a folder; nothing was read";
        return Err(ReadError::Permanent(Reason::new(
            ReasonCode::NotAFile,
            message,
        )));
    }
    let (file, metadata) = durable::open_regular_through_links(path).map_err(unreadable)?;
    let submission = Submission {
        signature: Some(Signature::of(&metadata)),
        declared: declared_beside(path)?,
        ..submission(ADD, path, Vec::new(), request)
    };
    Ok((file, submission))
}

/// The submission of [`open_file`] with the bytes of its file, which stands at its start.
pub fn read_file(
    file: &File,
    submission: Submission,
    bytes_max: u64,
) -> Result<Submission, ReadError> {
    let signature = submission.signature.ok_or(ReadError::Changed)?;
    let raw = read_opened(file, &signature, bytes_max).map_err(|error| match error {
        ReadError::Transient(error) => unreadable(error),
        other => other,
    })?;
    Ok(Submission {
        raw_digest: Digest::of(&raw),
        raw,
        ..submission
    })
}

/// Opens and reads the file at `path`.
pub fn submit_file(path: &Path, request: Request) -> Result<Submission, ReadError> {
    let bytes_max = request.bytes_max;
    let (file, submission) = open_file(path, request)?;
    read_file(&file, submission, bytes_max)
}

fn unreadable(error: io::Error) -> ReadError {
    let message = format!("cannot read it: {error}");
    ReadError::Permanent(Reason::new(ReasonCode::Unreadable, message))
}

/// Takes in bytes that are here already. Without a path of their own (standard input) their digest names them, so that two
/// different inputs are not versions of one document.
pub fn submit_bytes(path: &Path, raw: Vec<u8>, request: Request) -> Result<Submission, ReadError> {
    let size = raw.len() as u64;
    if size > request.bytes_max {
        return Err(ReadError::Permanent(too_large(size, request.bytes_max)));
    }
    let is_stdin = path == Path::new("-");
    let root = if is_stdin { STDIN } else { ADD };
    let mut submission = submission(root, path, raw, request);
    if is_stdin {
        submission.source.path = submission.raw_digest.to_hex().into();
    }
    Ok(submission)
}

fn submission(root: &str, path: &Path, raw: Vec<u8>, request: Request) -> Submission {
    Submission {
        claim: request.claim,
        source: Source {
            root: root.to_owned(),
            path: path.to_owned(),
        },
        signature: None,
        raw_digest: Digest::of(&raw),
        raw,
        declared: Declared::default(),
        received_at: request.received_at,
        part: 0,
    }
}

fn declared_beside(path: &Path) -> Result<Declared, ReadError> {
    let beside = sidecar::path_of(path);
    let Ok(metadata) = fs::symlink_metadata(&beside) else {
        return Ok(Declared::default());
    };
    match sidecar::read(&beside, &Signature::of(&metadata))? {
        Sidecar::Good(declared) => Ok(declared),
        // Here a person waits for the answer: better told than archived without it.
        Sidecar::Bad(reason) => Err(ReadError::Permanent(reason)),
        Sidecar::Gone => Ok(Declared::default()),
    }
}

/// Whether `path` is named as the sidecar of a file that is there.
pub fn is_sidecar_of_a_file(path: &Path) -> bool {
    sidecar::article_of(path).is_some_and(|article| article.is_file())
}

/// The articles in a folder and below, for [`submit_file`].
#[derive(Debug, Default)]
pub struct Listing {
    /// Regular files, sorted; ignored names and sidecars are not among them.
    pub files: Vec<PathBuf>,
    /// What cannot be listed, with the error.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// Lists the articles in `folder`, leaving alone what an inbox with these options would.
pub fn list(folder: &Path, options: &Options) -> Result<Listing, Error> {
    let ignore = Ignore::new(options)?;
    let mut listing = Listing::default();
    let mut walk = Walk {
        root: folder,
        ignore: &ignore,
        on_folder: &mut |_, _| {},
    };
    let files = &mut listing.files;
    let walked = walk.run(Path::new(""), |path, _| {
        if sidecar::article_of(&path).is_none() {
            files.push(folder.join(path));
        }
    });
    files.sort();
    for (path, oddity) in walked.odd {
        if let Oddity::Unreadable(error) = oddity {
            let path = folder.join(path);
            listing
                .unreadable
                .push((path, format!("cannot list it: {error}")));
        }
    }
    Ok(listing)
}
