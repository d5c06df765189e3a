//! Quarantine: files that cannot be archived, and their way back.
//!
//! ```text
//! failed/<claim>/reason.json     why, and where the file came from
//! failed/<claim>/<name>          the file, and its sidecar
//! ```
//!
//! `reason.json` is written first, then the file moves; a start after a crash between the two finishes the move. Under policy
//! `keep` the file stays in the inbox and the folder holds the reason alone; it is not taken again until it changes or is retried.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::durable;
use crate::submission::{ClaimId, Reason, Signature, Source, path_text};

use super::error::Error;
use super::options::Options;
use super::release::put_in;
use super::scan::is_absence;
use super::sidecar;

const REASON_FILE: &str = "reason.json";

/// One file in quarantine: its `reason.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Names it.
    pub claim: ClaimId,
    /// Why.
    #[serde(flatten)]
    pub reason: Reason,
    /// What was being done: `read`, `decode`, `sidecar`...
    pub stage: String,
    /// How often the file was claimed.
    pub attempts: u32,
    /// Where it came from.
    #[serde(flatten)]
    pub source: Source,
    /// Its name in the quarantine folder, as path text; none if it stayed in the inbox (policy `keep`).
    pub file: Option<String>,
    /// The same of its sidecar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sidecar: Option<String>,
    /// The file's state in the inbox.
    pub signature: Signature,
    /// When it was given up.
    pub failed_at: Timestamp,
}

/// What is about to go into quarantine.
pub(super) struct Failing<'a> {
    pub(super) claim: &'a ClaimId,
    pub(super) source: Source,
    pub(super) path: &'a Path,
    pub(super) signature: &'a Signature,
    pub(super) has_sidecar: bool,
    pub(super) attempts: u32,
    pub(super) stage: &'a str,
    pub(super) reason: Reason,
}

/// Puts a file into quarantine. False if it is not the one that failed any more; then nothing is done.
pub(super) fn put(
    failed: &Path,
    stays: bool,
    failing: Failing<'_>,
    now: Timestamp,
) -> io::Result<bool> {
    if !is_still(failing.path, failing.signature)? {
        return Ok(false);
    }
    let stored = |path: &Path| (!stays).then(|| path_text::to_text(Path::new(&stored_name(path))));
    let sidecar = sidecar::path_of(failing.path);
    let quarantined = Quarantined {
        claim: failing.claim.clone(),
        reason: failing.reason,
        stage: failing.stage.to_owned(),
        attempts: failing.attempts,
        source: failing.source,
        file: stored(failing.path),
        sidecar: stored(&sidecar).filter(|_| failing.has_sidecar),
        signature: *failing.signature,
        failed_at: now,
    };
    let folder = failed.join(failing.claim.as_str());
    durable::create_folders(&folder)?;
    let bytes = serde_json::to_vec_pretty(&quarantined)?;
    durable::replace(&folder.join(REASON_FILE), &bytes, 0o640)?;
    move_in(&folder, &quarantined, failing.path)
}

/// Moves file and sidecar in. What took the file's name at the last moment gets it back.
fn move_in(folder: &Path, quarantined: &Quarantined, path: &Path) -> io::Result<bool> {
    if let Some(name) = &quarantined.file {
        let target = folder.join(path_text::from_text(name));
        put_in(path, &target, &quarantined.claim)?;
        let found = Signature::of(&fs::symlink_metadata(&target)?);
        let expected = &quarantined.signature;
        if (found.size, found.mtime_ns) != (expected.size, expected.mtime_ns) {
            put_in(&target, path, &quarantined.claim)?;
            dissolve(folder)?;
            return Ok(false);
        }
    }
    if let Some(name) = &quarantined.sidecar {
        let target = folder.join(path_text::from_text(name));
        match put_in(&sidecar::path_of(path), &target, &quarantined.claim) {
            Err(error) if !is_absence(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(true)
}

fn stored_name(path: &Path) -> std::ffi::OsString {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    if name == REASON_FILE {
        name.push(".file");
    }
    name
}

fn is_still(path: &Path, signature: &Signature) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_file() && Signature::of(&metadata) == *signature),
        Err(error) if is_absence(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes a quarantine folder away that holds nothing but its reason.
fn dissolve(folder: &Path) -> io::Result<()> {
    match fs::remove_file(folder.join(REASON_FILE)) {
        Err(error) if !is_absence(&error) => return Err(error),
        _ => {}
    }
    // Fails, and rightly, if something else was put there.
    drop(fs::remove_dir(folder));
    durable::sync_folder(durable::folder_of(folder))
}

/// All that is in the quarantine folder `failed`, oldest first. A missing folder is an empty one.
pub fn list(failed: &Path) -> Result<Vec<Quarantined>, Error> {
    let mut all = Vec::new();
    for claim in claims(failed)? {
        all.extend(read(failed, &claim)?);
    }
    Ok(all)
}

/// What is in the quarantine of these inboxes, given up last first, below a claim if one is given: so many at most. And how
/// many there are in all.
pub fn newest(
    inboxes: &[Options],
    below: Option<&ClaimId>,
    max: usize,
) -> Result<(Vec<Quarantined>, usize), Error> {
    let mut all = Vec::new();
    // Inboxes may share a folder.
    let folders: BTreeSet<&PathBuf> = inboxes.iter().map(|inbox| &inbox.failed).collect();
    for failed in folders {
        let claims = claims(failed)?.into_iter();
        all.extend(claims.map(|claim| (claim, failed)));
    }
    let count = all.len();
    // Claims begin with their time.
    all.sort_by(|a, b| b.cmp(a));
    let mut found = Vec::new();
    let wanted = all.into_iter();
    for (claim, failed) in wanted.filter(|(claim, _)| below.is_none_or(|below| claim < below)) {
        if found.len() == max {
            break;
        }
        found.extend(read(failed, &claim)?);
    }
    Ok((found, count))
}

/// The reason that stands in a quarantine folder, if one does.
fn read(failed: &Path, claim: &ClaimId) -> Result<Option<Quarantined>, Error> {
    let path = failed.join(claim.as_str()).join(REASON_FILE);
    match fs::read(&path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(Error::io("read", &path)(error)),
    }
}

/// The claims that have a folder in quarantine.
pub(super) fn claims(failed: &Path) -> Result<Vec<ClaimId>, Error> {
    let entries = match fs::read_dir(failed) {
        Err(error) if is_absence(&error) => return Ok(Vec::new()),
        result => result.map_err(Error::io("list", failed))?,
    };
    let mut claims = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("list", failed))?;
        claims.extend(entry.file_name().to_str().and_then(ClaimId::parse));
    }
    claims.sort();
    Ok(claims)
}

/// Finishes what a crash left half done in the quarantine of one root, and returns what is there of it.
pub(super) fn recover(failed: &Path, root: &str, inbox: &Path) -> Result<Vec<Quarantined>, Error> {
    let mut all = list(failed)?;
    all.retain(|quarantined| quarantined.source.root == root);
    let mut kept = Vec::with_capacity(all.len());
    for quarantined in all {
        let folder = failed.join(quarantined.claim.as_str());
        let is_whole = match &quarantined.file {
            Some(name) => fs::symlink_metadata(folder.join(path_text::from_text(name))).is_ok(),
            None => true,
        };
        if is_whole || finish(&folder, &quarantined, inbox).map_err(Error::io("finish", &folder))? {
            kept.push(quarantined);
        }
    }
    Ok(kept)
}

/// The file is not in its folder: it has not moved yet, or went back already.
fn finish(folder: &Path, quarantined: &Quarantined, inbox: &Path) -> io::Result<bool> {
    let path = inbox.join(&quarantined.source.path);
    if is_still(&path, &quarantined.signature)? {
        return move_in(folder, quarantined, &path);
    }
    dissolve(folder)?;
    Ok(false)
}

/// Which files are to be retried.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// All of them.
    All,
    /// Those of these claims.
    Claims(&'a [ClaimId]),
}

/// A file that went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retried {
    /// Its claim in quarantine.
    pub claim: ClaimId,
    /// Where it came from.
    pub source: Source,
    /// Where it is now; another name than before if that was taken.
    pub path: PathBuf,
}

/// Sends quarantined files back to where they came from, or beside it as `name~<claim>.ext` if that name is taken. Works with
/// or without a running daemon, which notices by its watch. The file is new to it: no earlier death counts.
pub fn retry(options: &[Options], which: Which<'_>) -> Result<Vec<Retried>, Error> {
    let mut retried = Vec::new();
    for root in options {
        for quarantined in list(&root.failed)? {
            let is_wanted = match which {
                Which::All => true,
                Which::Claims(claims) => claims.contains(&quarantined.claim),
            };
            if is_wanted && quarantined.source.root == root.name {
                retried.push(retry_one(root, quarantined)?);
            }
        }
    }
    if let Which::Claims(claims) = which {
        let is_known = |claim: &ClaimId| retried.iter().any(|one| one.claim == *claim);
        if let Some(unknown) = claims.iter().find(|claim| !is_known(claim)) {
            return Err(Error::NoSuchClaim(unknown.to_string()));
        }
    }
    Ok(retried)
}

fn retry_one(root: &Options, quarantined: Quarantined) -> Result<Retried, Error> {
    let folder = root.failed.join(quarantined.claim.as_str());
    let path = root.path.join(&quarantined.source.path);
    let path = send_back(&folder, &quarantined, path).map_err(Error::io("send back", &folder))?;
    dissolve(&folder).map_err(Error::io("delete", &folder))?;
    Ok(Retried {
        claim: quarantined.claim,
        source: quarantined.source,
        path,
    })
}

fn send_back(folder: &Path, quarantined: &Quarantined, path: PathBuf) -> io::Result<PathBuf> {
    let Some(name) = &quarantined.file else {
        return Ok(path);
    };
    durable::create_folders(durable::folder_of(&path))?;
    let path = put_in(
        &folder.join(path_text::from_text(name)),
        &path,
        &quarantined.claim,
    )?;
    if let Some(name) = &quarantined.sidecar {
        let sidecar = folder.join(path_text::from_text(name));
        match put_in(&sidecar, &sidecar::path_of(&path), &quarantined.claim) {
            Err(error) if !is_absence(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(path)
}
