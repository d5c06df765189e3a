//! The scan: walks a folder and says what is there. It opens no file, enters no link, and changes nothing.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::submission::Signature;

use super::glob::Ignore;
use super::watch::Inode;

/// What is at a path below a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A regular file.
    File(Signature),
    /// A folder to look into.
    Folder(Inode),
    /// Something that is left alone.
    Odd(Oddity),
}

/// Why something in an inbox is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Oddity {
    /// It matches an ignore pattern.
    Ignored,
    /// It is neither file nor folder; it is never opened.
    Special(&'static str),
    /// A folder that cannot be listed.
    Unreadable(String),
}

/// One walk through a root or a part of it.
pub(super) struct Walk<'a> {
    pub(super) root: &'a Path,
    pub(super) ignore: &'a Ignore,
    /// Called for each folder before its names are read: the place to watch it.
    pub(super) on_folder: &'a mut dyn FnMut(&Path, Inode),
}

/// What a walk found besides files.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Everything that is left alone.
    pub(super) odd: BTreeMap<PathBuf, Oddity>,
    /// Files and folders that were looked at.
    pub(super) looked_at: usize,
}

impl Walked {
    /// Whether `path` lies in a folder that could not be listed, so that its absence says nothing.
    pub(super) fn is_hidden(&self, path: &Path) -> bool {
        let unreadable =
            |folder: &Path| matches!(self.odd.get(folder), Some(Oddity::Unreadable(_)));
        !self.odd.is_empty() && path.ancestors().skip(1).any(unreadable)
    }
}

impl Walk<'_> {
    /// Walks the folder at `start` below the root (empty: the root itself); `visit` gets each regular file.
    pub(super) fn run(
        &mut self,
        start: &Path,
        mut visit: impl FnMut(PathBuf, Signature),
    ) -> Walked {
        let mut walked = Walked::default();
        let mut folders = vec![start.to_owned()];
        while let Some(folder) = folders.pop() {
            let listed = self.list(&folder, |path, found| {
                walked.looked_at += 1;
                match found {
                    Found::File(signature) => visit(path, signature),
                    Found::Folder(_) => folders.push(path),
                    Found::Odd(oddity) => drop(walked.odd.insert(path, oddity)),
                }
            });
            match listed {
                Ok(()) => {}
                // It went away meanwhile, or was replaced by something that the next look will see.
                Err(error) if is_absence(&error) => {}
                Err(error) => {
                    let oddity = Oddity::Unreadable(error.to_string());
                    drop(walked.odd.insert(folder, oddity));
                }
            }
        }
        walked
    }

    fn list(&mut self, folder: &Path, mut visit: impl FnMut(PathBuf, Found)) -> io::Result<()> {
        let absolute = join(self.root, folder);
        let metadata = match folder.as_os_str().is_empty() {
            true => fs::metadata(&absolute)?,
            false => fs::symlink_metadata(&absolute)?,
        };
        if !metadata.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        (self.on_folder)(&absolute, inode_of(&metadata));
        for entry in fs::read_dir(&absolute)? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            // Does not follow links. A name that went away meanwhile is no news.
            match entry.metadata() {
                Ok(metadata) => {
                    let found = judge(&path, &metadata, self.ignore);
                    visit(path, found);
                }
                Err(error) if is_absence(&error) => {}
                Err(error) => visit(path, Found::Odd(Oddity::Unreadable(error.to_string()))),
            }
        }
        Ok(())
    }
}

/// Looks at one path below the root; `None` if nothing is there.
pub(super) fn look(root: &Path, path: &Path, ignore: &Ignore) -> io::Result<Option<Found>> {
    match fs::symlink_metadata(join(root, path)) {
        Ok(metadata) => Ok(Some(judge(path, &metadata, ignore))),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn judge(path: &Path, metadata: &Metadata, ignore: &Ignore) -> Found {
    let kind = metadata.file_type();
    if ignore.matches(path, kind.is_dir()) {
        return Found::Odd(Oddity::Ignored);
    }
    if kind.is_file() {
        return Found::File(Signature::of(metadata));
    }
    if kind.is_dir() {
        return Found::Folder(inode_of(metadata));
    }
    Found::Odd(Oddity::Special(if kind.is_symlink() {
        "symbolic link"
    } else if kind.is_fifo() {
        "FIFO"
    } else if kind.is_socket() {
        "socket"
    } else {
        "device"
    }))
}

/// Device and inode in `metadata`.
pub(super) fn inode_of(metadata: &Metadata) -> Inode {
    (metadata.dev(), metadata.ino())
}

/// `root` itself for the empty path: a trailing slash would follow a link.
pub(super) fn join(root: &Path, path: &Path) -> PathBuf {
    match path.as_os_str().is_empty() {
        true => root.to_owned(),
        false => root.join(path),
    }
}

/// Whether the error says that nothing can be there. (No file has a name that is too long, so no article a sidecar of that name.)
pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}
