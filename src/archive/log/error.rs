//! `LogError`: why a log cannot be read or written.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;

/// Why a log cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file system refused.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was being done, e.g. `read`.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A key, note or tile is not of its form, or a signature does not verify.
    #[error("{} is damaged: {what}; restore it from a backup, `faircopy check` tells what else is damaged", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A name that cannot stand in a signed note.
    #[error("{0:?} cannot name a log: it is empty, or holds a blank or a plus sign")]
    BadName(String),
    /// No random numbers.
    #[error("the system gives no random numbers for a key: {0}")]
    NoRandom(String),
    /// Another key than the one that signs this log.
    #[error("{} is not signed by the given key {given}: one of them is of another log; restore those that belong together", path.display())]
    OtherKey {
        /// The checkpoint.
        path: PathBuf,
        /// The verifier key that belongs to the given signing key.
        given: String,
    },
    /// A leaf above the 65,535 bytes that an entry's length can say.
    #[error("a leaf of {0} bytes does not fit into the log; 65535 is the most")]
    TooLong(usize),
    /// The entries do not make the tree that the checkpoint signed. To go on would be to sign a fork.
    #[error(
        "the log in {} does not match its checkpoint of size {size}: signed root {signed}, root of the entries {computed}; restore log/ from a backup, `faircopy check` tells which files differ",
        path.display()
    )]
    WrongRoot {
        /// The log's folder.
        path: PathBuf,
        /// The checkpoint's size.
        size: u64,
        /// The root that was signed.
        signed: Digest,
        /// The root that the entries make.
        computed: Digest,
    },
    /// The checkpoint on the disk is no longer the one this writer wrote: someone else wrote it.
    #[error(
        "{} was changed by someone else: this writer left it at size {expected}, it is now at {found}; let one process alone write to the archive, and start it again",
        path.display()
    )]
    ChangedUnderneath {
        /// The checkpoint.
        path: PathBuf,
        /// The size that this writer signed last.
        expected: u64,
        /// The size that stands there.
        found: u64,
    },
    /// A leaf beyond the end was asked for.
    #[error(
        "there is no leaf {index} in the log, which has {size}; `faircopy check` tells whether some are lost"
    )]
    NoSuchLeaf {
        /// Which leaf.
        index: u64,
        /// How many there are.
        size: u64,
    },
}

impl LogError {
    /// For `map_err`: an I/O error with what was being done, to which file.
    pub fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
        let path = path.to_owned();
        move |source| LogError::Io {
            doing,
            path,
            source,
        }
    }

    /// A damaged file.
    pub fn damaged(path: &Path, what: impl Into<String>) -> LogError {
        LogError::Damaged {
            path: path.to_owned(),
            what: what.into(),
        }
    }
}
