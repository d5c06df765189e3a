//! Traces: what lies in an inbox, its `done` and its `failed` of a document that is erased.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use crate::digest::Digest;
use crate::submission::{ClaimId, Source};

use super::error::Error;
use super::options::{Options, Release};
use super::release::digest_of;
use super::sidecar;

/// What is known of files that are to go.
#[derive(Debug, Clone, Default)]
pub struct Traces {
    /// They were archived by these attempts.
    pub claims: HashSet<ClaimId>,
    /// They were found here, and had these bytes.
    pub sources: Vec<(Source, Digest)>,
    /// They have these bytes, of this length, which nothing else may have.
    pub raws: BTreeSet<(u64, Digest)>,
}

/// Deletes what of `traces` lies in the folders of one inbox, and says how many files that were.
pub fn remove(options: &Options, traces: &Traces) -> Result<usize, Error> {
    let mut removed = 0;
    for day in entries(&options.done)? {
        for file in if is_folder(&day) {
            entries(&day)?
        } else {
            vec![day]
        } {
            if traces.has_claim(&file) || traces.has_bytes(&file)? {
                removed += remove_with_sidecar(&file)?;
            }
        }
    }
    for folder in entries(&options.failed)? {
        let files = if is_folder(&folder) {
            entries(&folder)?
        } else {
            Vec::new()
        };
        let mut is_trace = traces.has_claim(&folder);
        for file in &files {
            is_trace = is_trace || traces.has_bytes(file)?;
        }
        if is_trace {
            removed += files.len();
            fs::remove_dir_all(&folder).map_err(Error::io("delete", &folder))?;
        }
    }
    if options.release == Release::Keep {
        removed += remove_kept(options, traces)?;
    }
    Ok(removed)
}

/// Files that stay in the inbox when they are archived: they would be taken again.
fn remove_kept(options: &Options, traces: &Traces) -> Result<usize, Error> {
    let mut removed = 0;
    for (source, raw) in &traces.sources {
        let mut parts = source.path.components();
        let is_inside = parts.all(|part| matches!(part, Component::Normal(_)));
        let path = options.path.join(&source.path);
        let is_here = source.root == options.name && is_inside && is_within(&options.path, &path);
        if is_here && has_digest(&path, raw)? {
            removed += remove_with_sidecar(&path)?;
        }
    }
    Ok(removed)
}

impl Traces {
    /// Whether a name begins with one of the claims.
    fn has_claim(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().as_bytes();
        let claim = name.split(|&byte| byte == b'-').next().unwrap_or_default();
        let claim = std::str::from_utf8(claim).ok().and_then(ClaimId::parse);
        claim.is_some_and(|claim| self.claims.contains(&claim))
    }

    fn has_bytes(&self, path: &Path) -> Result<bool, Error> {
        let length = fs::symlink_metadata(path).map_or(0, |file| file.len());
        for (_, raw) in self.raws.iter().filter(|(bytes, _)| *bytes == length) {
            if has_digest(path, raw)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn has_digest(path: &Path, digest: &Digest) -> Result<bool, Error> {
    match digest_of(path) {
        Ok(found) => Ok(found.as_ref() == Some(digest)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        // A link to somewhere else is nobody's copy.
        Err(_) if fs::symlink_metadata(path).is_ok_and(|file| file.is_symlink()) => Ok(false),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

fn remove_with_sidecar(path: &Path) -> Result<usize, Error> {
    let mut removed = 0;
    for path in [path.to_owned(), sidecar::path_of(path)] {
        match fs::remove_file(&path) {
            Ok(()) => removed += 1,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("delete", &path)(error)),
        }
    }
    Ok(removed)
}

/// Not through a link: what it leads to is not ours.
fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Whether no link leads from the inbox to somewhere else.
fn is_within(inbox: &Path, path: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    let folder = path.parent().and_then(real);
    folder.is_some_and(|folder| real(inbox).is_some_and(|inbox| folder.starts_with(inbox)))
}

/// What lies in a folder; nothing if it is not there.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    match fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| Ok(entry.map_err(Error::io("list", folder))?.path()))
            .collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::io("list", folder)(error)),
    }
}
