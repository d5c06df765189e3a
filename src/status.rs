//! How everything stands: as the daemon says, or as can be told without one.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::archive;
use crate::archive::log::error::LogError;
use crate::archive::log::reader::LogReader;
use crate::archive::reader::Archive;
use crate::config::Config;
use crate::control::{self, Client, Request};
use crate::digest::Digest;
use crate::drift::{CAPTURES_MAX, drifts};
use crate::inbox;
use crate::inbox::quarantine;
use crate::rulebook::Rulebook;

/// How things stand cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The daemon is there and cannot be asked.
    #[error("cannot ask the daemon")]
    Control(#[from] control::Error),
    /// The daemon answers that it cannot tell.
    #[error("the daemon says: {0}")]
    Refused(String),
    /// The archive cannot be read.
    #[error("cannot open the archive")]
    Archive(#[from] archive::Error),
    /// The log cannot be read.
    #[error("cannot read the log")]
    Log(#[from] LogError),
    /// The quarantine cannot be read.
    #[error("cannot list the quarantine")]
    Inbox(#[from] inbox::error::Error),
}

/// A daemon that hangs must not keep others waiting; one that works answers within some seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the daemon at this socket says; `None` if no daemon runs.
pub fn of_daemon(control: &Path) -> Result<Option<Value>, Error> {
    let mut client = match Client::connect(control) {
        Ok(client) => client.with_patience(PATIENCE)?,
        Err(error) if is_nobody_there(&error) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let status: Value = client.ask(&Request::Status)?;
    match status.pointer("/error/message").and_then(Value::as_str) {
        Some(message) => Err(Error::Refused(message.to_owned())),
        None => Ok(Some(status)),
    }
}

/// No socket, a dead one, or none that could be: no daemon runs. All else (no permission) says nothing about that.
fn is_nobody_there(error: &control::Error) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    match error {
        control::Error::TooLong { .. } => true,
        control::Error::Unreachable { source, .. } => {
            matches!(source.kind(), NotFound | ConnectionRefused)
        }
        _ => false,
    }
}

/// What can be told without a daemon.
pub fn stopped(config: &Config) -> Result<Value, Error> {
    let archive = Archive::open(&config.archive.dir)?;
    let checkpoint = checkpoint(&config.archive.dir)?;
    Ok(json!({
        "state": "stopped",
        "inbox": Value::Null,
        "quarantine": quarantined(&config.inbox)?,
        "captures": archive.counts()?.captures,
        "last_check": last_check(&config.archive.state),
        "checkpoint": {"size": checkpoint.size, "root": checkpoint.root},
        "rules": Rulebook::read(&config.rules).summary(),
        "drift": drifts(&archive.measures(CAPTURES_MAX)?),
    }))
}

/// So many files are in quarantine.
pub fn quarantined(inboxes: &[inbox::options::Options]) -> Result<usize, inbox::error::Error> {
    Ok(quarantine::newest(inboxes, None, 0)?.1)
}

/// What the log of an archive says of itself.
pub struct Checkpoint {
    /// So many leaves.
    pub size: u64,
    /// Their root.
    pub root: Digest,
    /// When it was signed.
    pub at: Option<Timestamp>,
}

/// The checkpoint of the archive in `dir` as it is by now.
pub fn checkpoint(dir: &Path) -> Result<Checkpoint, LogError> {
    let log = LogReader::open(&dir.join("log"))?;
    let written = std::fs::metadata(dir.join("log/checkpoint")).and_then(|file| file.modified());
    let checkpoint = log.checkpoint();
    Ok(Checkpoint {
        size: checkpoint.size,
        root: checkpoint.root,
        at: written.ok().and_then(|at| Timestamp::try_from(at).ok()),
    })
}

/// What the last `check` left in the state folder: when, and how many problems; null if there was none.
pub fn last_check(state: &Path) -> Value {
    std::fs::read(state.join("last-check.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or(Value::Null)
}
