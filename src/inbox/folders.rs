//! The folders of an intake must lie apart: else what is released or archived would be taken in again.

use std::path::{Path, PathBuf};

use crate::durable;

use super::error::Error;
use super::options::{IntakeOptions, Options, Release};
use super::scan::inode_of;

/// One folder and what it is for.
struct Folder {
    role: String,
    path: PathBuf,
    /// Folders of the same kind may be one and the same (`done` and `failed` of several inboxes).
    shared_as: Option<&'static str>,
}

/// Checks that names are good and folders lie apart, without opening anything.
pub fn validate(roots: &[Options], intake: &IntakeOptions, archive: &Path) -> Result<(), Error> {
    check(roots, &intake.spool, archive).map(drop)
}

/// Checks names and folders; returns the resolved inbox, done and failed folder of each root.
pub(super) fn check(
    roots: &[Options],
    spool: &Path,
    archive: &Path,
) -> Result<Vec<[PathBuf; 3]>, Error> {
    check_names(roots)?;
    let mut folders = vec![
        folder("the spool", spool, None)?,
        folder("the archive", archive, None)?,
    ];
    let mut resolved = Vec::new();
    for root in roots {
        let name = &root.name;
        let inbox = folder(&format!("inbox {name:?}"), &root.path, None)?;
        let done = folder(
            &format!("done folder of {name:?}"),
            &root.done,
            Some("done"),
        )?;
        let failed = folder(
            &format!("failed folder of {name:?}"),
            &root.failed,
            Some("failed"),
        )?;
        resolved.push([inbox.path.clone(), done.path.clone(), failed.path.clone()]);
        folders.push(inbox);
        if root.release == Release::Done {
            folders.push(done);
        }
        folders.push(failed);
    }
    for (n, a) in folders.iter().enumerate() {
        if let Some(b) = folders[..n].iter().find(|b| overlap(a, b)) {
            return Err(Error::Overlap {
                a_role: a.role.clone(),
                a: a.path.clone(),
                b_role: b.role.clone(),
                b: b.path.clone(),
            });
        }
    }
    Ok(resolved)
}

fn check_names(roots: &[Options]) -> Result<(), Error> {
    for (n, root) in roots.iter().enumerate() {
        let name = &root.name;
        let problem = if name.is_empty() {
            "is empty"
        } else if name.contains(['/', ':']) || name.contains(char::is_control) {
            "contains a slash, a colon or a control character"
        } else if ["add", "stdin"].contains(&name.as_str()) {
            "is reserved for submissions that come by no inbox"
        } else if roots[..n].iter().any(|other| other.name == *name) {
            "is used twice"
        } else {
            continue;
        };
        return Err(Error::Name {
            name: name.clone(),
            problem,
        });
    }
    Ok(())
}

fn folder(role: &str, path: &Path, shared_as: Option<&'static str>) -> Result<Folder, Error> {
    Ok(Folder {
        role: role.to_owned(),
        path: resolve(path)?,
        shared_as,
    })
}

/// Without links, as far as the path exists.
fn resolve(path: &Path) -> Result<PathBuf, Error> {
    let path = std::path::absolute(path).map_err(Error::io("resolve", path))?;
    match path.canonicalize() {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let parent = durable::folder_of(&path);
            match path.file_name() {
                Some(name) => Ok(resolve(parent)?.join(name)),
                None => Ok(path),
            }
        }
        Err(error) => Err(Error::io("resolve", &path)(error)),
    }
}

fn overlap(a: &Folder, b: &Folder) -> bool {
    let are_one = a.path == b.path || is_same_inode(&a.path, &b.path);
    if are_one {
        return a.shared_as.is_none() || a.shared_as != b.shared_as;
    }
    a.path.starts_with(&b.path) || b.path.starts_with(&a.path)
}

/// A folder mounted twice has two paths.
fn is_same_inode(a: &Path, b: &Path) -> bool {
    let inode = |path: &Path| std::fs::metadata(path).ok().map(|m| inode_of(&m));
    matches!((inode(a), inode(b)), (Some(a), Some(b)) if a == b)
}
