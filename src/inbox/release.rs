//! Release: what becomes of a source once it is archived, and of the `done` folder after a while.
//!
//! A file is let go only as the one that was read: what is found changed is a new submission and stays. Between the look and
//! the move another file may take the name, so what was moved is looked at again, and put back if it is not the one.
//!
//! ```text
//! done, same file system     rename to done/<date>/<claim>-<name>, never replacing
//! done, another              rename to .faircopy-<claim> beside it; copy to a temporary name in done, fsync, rename; unlink
//! delete                     rename to .faircopy-<claim> beside it; unlink
//! ```
//!
//! Every step can be repeated after a crash: the names follow from the claim.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::digest::{Digest, DigestHasher};
use crate::durable;
use crate::submission::{ClaimId, Signature};

use super::error::Error;
use super::glob::OWN_PREFIX;
use super::lease::{self, Writer};
use super::names::{done_name, fresh_name};
use super::options::{Options, Release};
use super::scan::is_absence;
use super::sidecar;

/// What became of a source.
#[derive(Debug)]
pub enum Released {
    /// It lies in the `done` folder.
    Moved(PathBuf),
    /// It was deleted.
    Deleted,
    /// It stays, by policy.
    Kept,
    /// It changed since it was read: the late bytes are a new submission.
    Changed,
    /// It is not there any more.
    Gone,
    /// Its sidecar could not be used, and lies in quarantine; the article was released.
    BadSidecar,
    /// It could not be released; it is tried again.
    Postponed(io::Error),
}

/// Where one source goes.
pub(super) struct Way<'a> {
    pub(super) claim: &'a ClaimId,
    pub(super) path: &'a Path,
    pub(super) signature: &'a Signature,
    pub(super) policy: Release,
    /// The folder of its day in `done`.
    pub(super) folder: &'a Path,
}

impl Way<'_> {
    /// Lets the source go. The folders in `touched` are the caller's to sync.
    pub(super) fn release(&self, touched: &mut Vec<PathBuf>) -> io::Result<Released> {
        let aside = self.aside();
        if aside.exists() {
            // A release that did not end.
            return self.finish_aside(&aside, touched);
        }
        match fs::symlink_metadata(self.path) {
            Ok(metadata) if metadata.is_file() && Signature::of(&metadata) == *self.signature => {}
            Ok(_) => return Ok(Released::Changed),
            Err(error) if is_absence(&error) => {
                // Moved before a crash, perhaps; then the folders may not be durable yet.
                self.touch(touched);
                return Ok(Released::Gone);
            }
            Err(error) => return Err(error),
        }
        if self.policy == Release::Keep {
            return Ok(Released::Kept);
        }
        if durable::open_regular_without_links(self.path)
            .is_ok_and(|file| lease::writer(&file) == Writer::Present)
        {
            // Its late bytes would land in the moved file and never be archived.
            return Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "still open for writing by another process",
            ));
        }
        if self.policy == Release::Delete {
            return self.step_aside(&aside, touched);
        }
        durable::create_folders(self.folder)?;
        let target = self.folder.join(done_name(self.claim, self.path));
        match durable::rename_new(self.path, &target) {
            Ok(()) if self.is_the_one(&target)? => {
                self.touch(touched);
                Ok(Released::Moved(target))
            }
            Ok(()) => self.put_back(&target),
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                self.step_aside(&aside, touched)
            }
            Err(error) if is_absence(&error) => Ok(Released::Gone),
            Err(error) => Err(error),
        }
    }

    fn step_aside(&self, aside: &Path, touched: &mut Vec<PathBuf>) -> io::Result<Released> {
        durable::rename_new(self.path, aside)?;
        match self.is_the_one(aside)? {
            true => self.finish_aside(aside, touched),
            false => self.put_back(aside),
        }
    }

    fn finish_aside(&self, aside: &Path, touched: &mut Vec<PathBuf>) -> io::Result<Released> {
        if !self.is_the_one(aside)? {
            return self.put_back(aside);
        }
        let released = match self.policy {
            Release::Done => {
                durable::create_folders(self.folder)?;
                let target = self.folder.join(done_name(self.claim, self.path));
                if !target.exists() {
                    copy_through(aside, &target)?;
                }
                durable::sync_folder(self.folder)?;
                Released::Moved(target)
            }
            Release::Delete => Released::Deleted,
            // The policy was another one when it stepped aside.
            Release::Keep => return self.put_back(aside),
        };
        fs::remove_file(aside)?;
        self.touch(touched);
        Ok(released)
    }

    /// The file that was renamed is not the one that was read: somebody was faster. It gets its name back.
    fn put_back(&self, from: &Path) -> io::Result<Released> {
        put_in(from, self.path, self.claim)?;
        Ok(Released::Changed)
    }

    /// Whether the renamed file is the one of the signature. (Renaming changes ctime.)
    fn is_the_one(&self, path: &Path) -> io::Result<bool> {
        let found = Signature::of(&fs::symlink_metadata(path)?);
        let expected = self.signature;
        Ok((found.device, found.inode, found.size, found.mtime_ns)
            == (
                expected.device,
                expected.inode,
                expected.size,
                expected.mtime_ns,
            ))
    }

    fn aside(&self) -> PathBuf {
        let kind = match sidecar::article_of(self.path) {
            Some(_) => "sidecar",
            None => "article",
        };
        let name = format!("{OWN_PREFIX}{}-{kind}", self.claim);
        self.path.with_file_name(name)
    }

    fn touch(&self, touched: &mut Vec<PathBuf>) {
        touched.push(durable::folder_of(self.path).to_owned());
        if self.policy == Release::Done {
            touched.push(self.folder.to_owned());
        }
    }
}

/// Copies to a name that appears only when the copy is whole and durable.
pub(super) fn copy_through(from: &Path, to: &Path) -> io::Result<()> {
    // Short, whatever the length of the name; and the same after a crash.
    let digest = Digest::of(to.as_os_str().as_bytes()).to_hex();
    let temporary = to.with_file_name(format!("{OWN_PREFIX}{}", &digest[..32]));
    match fs::remove_file(&temporary) {
        Err(error) if !is_absence(&error) => return Err(error),
        _ => {}
    }
    durable::copy_new(from, &temporary)?;
    durable::rename_new(&temporary, to)
}

/// Puts a file at `to`, or beside it under a fresh name if that is taken. Returns where it is.
pub(super) fn put_in(from: &Path, to: &Path, claim: &ClaimId) -> io::Result<PathBuf> {
    for n in 0..100_u32 {
        let to = match n {
            0 => to.to_owned(),
            n => fresh_name(to, claim, n),
        };
        let result = match durable::rename_new(from, &to) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                match to.try_exists()? {
                    true => Err(io::ErrorKind::AlreadyExists.into()),
                    false => copy_through(from, &to).and_then(|()| fs::remove_file(from)),
                }
            }
            result => result,
        };
        match result {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => {
                result?;
                durable::sync_folder(durable::folder_of(&to))?;
                durable::sync_folder(durable::folder_of(from))?;
                return Ok(to);
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// What a purge of `done` did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Files that were deleted: the archive holds their bytes.
    pub deleted: usize,
    /// Files that are old enough and stay, since the archive does not hold these bytes.
    pub not_archived: Vec<PathBuf>,
}

/// Deletes from `done` what is older than `done_keep`, each file only once the archive is found to hold its very bytes, a
/// sidecar only with its article. (Sidecars that came late stay: the archive holds what they say, not their bytes.) Files
/// and folders that are not named as ours are left alone. Takes as long as reading the old files does; a `None` ends it.
pub fn purge(
    options: &Options,
    now: Timestamp,
    holds_raw: &mut dyn FnMut(&Digest) -> Option<bool>,
) -> Result<Purged, Error> {
    let mut purged = Purged::default();
    let Some(keep) = options.done_keep else {
        return Ok(purged);
    };
    let Ok(limit) = now.checked_sub(keep) else {
        return Ok(purged);
    };
    // The whole of its last day must be old enough.
    let limit = TimeZone::UTC.to_datetime(limit).date();
    let done = &options.done;
    for entry in fs::read_dir(done).map_err(Error::io("list", done))? {
        let entry = entry.map_err(Error::io("list", done))?;
        let day = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<Date>().ok());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && day.is_some_and(|day| day < limit) {
            purge_day(&entry.path(), holds_raw, &mut purged)?;
        }
    }
    Ok(purged)
}

fn purge_day(
    folder: &Path,
    holds_raw: &mut dyn FnMut(&Digest) -> Option<bool>,
    purged: &mut Purged,
) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        if !is_ours(&path) || sidecar::article_of(&path).is_some() {
            continue;
        }
        let Some(digest) = digest_of(&path).map_err(Error::io("read", &path))? else {
            continue;
        };
        match holds_raw(&digest) {
            Some(true) => {}
            Some(false) => {
                purged.not_archived.push(path);
                continue;
            }
            None => return Ok(()),
        }
        fs::remove_file(&path).map_err(Error::io("delete", &path))?;
        purged.deleted += 1;
        let sidecar = sidecar::path_of(&path);
        if sidecar.is_file() {
            fs::remove_file(&sidecar).map_err(Error::io("delete", &sidecar))?;
            purged.deleted += 1;
        }
    }
    // Succeeds when nothing is left in it.
    drop(fs::remove_dir(folder));
    Ok(())
}

/// Whether the name begins with a claim.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let claim = name.split(|&byte| byte == b'-').next();
    claim
        .and_then(|claim| std::str::from_utf8(claim).ok())
        .and_then(ClaimId::parse)
        .is_some()
}

/// The digest of a regular file; nothing of what is none.
pub(super) fn digest_of(path: &Path) -> io::Result<Option<Digest>> {
    use std::io::Read;
    let mut file = match durable::open_regular(path) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Ok(None),
        result => result?,
    };
    let mut hasher = DigestHasher::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Some(hasher.finish())),
            n => hasher.update(&buffer[..n]),
        }
    }
}
