//! What can be wrong with the world around an inbox. (A bad file is no error: see [`Reason`](crate::submission::Reason).)

use std::io;
use std::path::{Path, PathBuf};

/// Why an intake cannot start, or a folder of it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Two folders that must lie apart do not.
    #[error("{a_role} {a} and {b_role} {b} must be different folders, neither inside the other", a = a.display(), b = b.display())]
    Overlap {
        /// What the first is for.
        a_role: String,
        /// The first.
        a: PathBuf,
        /// What the second is for.
        b_role: String,
        /// The second.
        b: PathBuf,
    },
    /// A root's name cannot be used.
    #[error("inbox name {name:?} {problem}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An ignore pattern that cannot match anything.
    #[error("ignore pattern {pattern:?} of inbox {inbox:?} {problem}")]
    Pattern {
        /// The inbox.
        inbox: String,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No quarantined file has this claim.
    #[error("nothing in quarantine has the claim {0}; `faircopy retry` lists what is there")]
    NoSuchClaim(String),
    /// A file or folder could not be used.
    #[error("cannot {doing} {path}", path = path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: `doing` was tried on `path`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io {
            doing,
            path,
            source,
        }
    }
}
