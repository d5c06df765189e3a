//! `publish`: hands the log's checkpoint to others, so that its owner can no longer rewrite it unseen.
//!
//! It reads the archive as anybody may and adds one file to it, `log/cosigned/SIZE`, whole and once. It is a command of its
//! own with a unit of its own: the daemon needs no network. What is not a continuation of what was handed out before is not
//! handed out.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::Timestamp;

use crate::archive::log::cosignature::{Cosignature, WitnessKey};
use crate::archive::log::cosigned::Cosigned;
use crate::archive::log::error::LogError;
use crate::archive::log::note::Checkpoint;
use crate::archive::log::reader::LogReader;
use crate::archive::{Error as ArchiveError, Paths, mending, recovery};
use crate::durable;

mod witness;

pub use witness::WitnessError;

/// Everybody may read what is published.
const MODE: u32 = 0o644;

/// To whom the checkpoint is handed.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A folder that others see.
    pub folder: Option<PathBuf>,
    /// A program, with arguments, that gets the checkpoint on its standard input; empty is none.
    pub command: Vec<String>,
    /// Witnesses.
    pub witnesses: Vec<Witness>,
}

/// A witness.
#[derive(Debug, Clone)]
pub struct Witness {
    /// Its submission prefix.
    pub url: String,
    /// Its key.
    pub key: WitnessKey,
}

/// What was published.
#[derive(Debug)]
pub struct Published {
    /// The checkpoint, with the cosignatures that there are.
    pub checkpoint: Checkpoint,
    /// These cosignatures.
    pub cosignatures: Vec<Cosignature>,
    /// To whom it was handed, and what became of it.
    pub handed: Vec<(String, Result<Handed, HandError>)>,
}

/// What became of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handed {
    /// It was handed over.
    Now,
    /// It had been before.
    Before,
}

/// Why a checkpoint could not be handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandError {
    /// A witness did not take it.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The folder holds another log's checkpoint, or a later one of this.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program cannot be run.
    #[error("cannot run it")]
    Run(#[source] io::Error),
    /// The program failed.
    #[error("it ended with {0}; what it wrote above tells why")]
    Ended(std::process::ExitStatus),
}

impl HandError {
    /// Whether it says that this log is not the one that was published before.
    pub fn is_fork(&self) -> bool {
        matches!(
            self,
            HandError::Witness(WitnessError::Forked(_))
                | HandError::Archive(
                    ArchiveError::LogShrunk { .. } | ArchiveError::LogForked { .. }
                )
        )
    }
}

/// Hands the checkpoint of the archive to all of `options`. Refuses a log that shrank or forked since this machine wrote or
/// published it.
pub fn publish(paths: &Paths, options: &Options) -> Result<Published, ArchiveError> {
    mending::manifest(&paths.dir, Timestamp::now())?;
    let published = paths.state.join("published");
    // Read before the log: a daemon may go on meanwhile, and what is older must be a beginning of what is newer.
    let notes = [
        recovery::read_note(&paths.last_checkpoint())?,
        recovery::read_note(&published)?,
    ];
    let log = LogReader::open(&paths.log())?;
    let witnesses = [paths.last_checkpoint(), published.clone()];
    for (note, path) in notes.into_iter().zip(witnesses) {
        recovery::check_continues(&paths.dir, &log, note, &path)?;
    }
    let mut handed = Vec::new();
    let mut cosigned = Cosigned::read(&paths.log(), log.checkpoint());
    let before = cosigned.cosignatures().len();
    for witness in &options.witnesses {
        let outcome = ask(witness, &log, &mut cosigned, &paths.log());
        handed.push((format!("witness {}", witness.key.name()), outcome));
    }
    if cosigned.cosignatures().len() > before {
        cosigned.write(&paths.log())?;
    }
    let note = cosigned.note();
    // A log that a witness knows otherwise goes nowhere else.
    let is_fork =
        |(_, outcome): &(_, Result<_, HandError>)| outcome.as_ref().is_err_and(HandError::is_fork);
    if !handed.iter().any(is_fork) {
        if let Some(folder) = &options.folder {
            let outcome = put_into(folder, paths, &log, &note);
            handed.push((format!("folder {}", folder.display()), outcome));
        }
        if let Some((program, arguments)) = options.command.split_first() {
            let outcome = match fs::read_to_string(&published) {
                Ok(last) if last == note => Ok(Handed::Before),
                _ => run(program, arguments, &note),
            };
            handed.push((format!("command {program}"), outcome));
        }
    }
    if handed.iter().all(|(_, outcome)| outcome.is_ok()) {
        durable::replace(&published, note.as_bytes(), MODE)
            .map_err(|source| ArchiveError::io("write", &published, source))?;
    }
    Ok(Published {
        checkpoint: log.checkpoint().clone(),
        cosignatures: cosigned.cosignatures().to_vec(),
        handed,
    })
}

fn ask(
    witness: &Witness,
    log: &LogReader,
    cosigned: &mut Cosigned,
    log_dir: &Path,
) -> Result<Handed, HandError> {
    if cosigned.take_in(&witness.key) {
        return Ok(Handed::Before);
    }
    let old = Cosigned::last_size(log_dir, &witness.key);
    let cosignature = witness::ask(&witness.url, &witness.key, log, old)?;
    cosigned.add(cosignature);
    Ok(Handed::Now)
}

/// Puts the checkpoint into a folder: `checkpoint` is the newest, `checkpoints/SIZE` are all, `vkey` is the key.
fn put_into(
    folder: &Path,
    paths: &Paths,
    log: &LogReader,
    note: &str,
) -> Result<Handed, HandError> {
    let newest = folder.join("checkpoint");
    let last = recovery::read_note(&newest)?;
    let known = last.as_deref() == Some(note);
    recovery::check_continues(&paths.dir, log, last, &newest)?;
    if known {
        return Ok(Handed::Before);
    }
    let all = folder.join("checkpoints");
    durable::create_folders(&all).map_err(write_error(&all))?;
    let key = format!("{}\n", log.verifier());
    let size = log.checkpoint().size.to_string();
    // The newest last: whoever sees it finds the others.
    for (path, text) in [
        (folder.join("vkey"), key.as_str()),
        (all.join(size), note),
        (newest, note),
    ] {
        durable::replace(&path, text.as_bytes(), MODE).map_err(write_error(&path))?;
    }
    Ok(Handed::Now)
}

fn write_error(path: &Path) -> impl FnOnce(io::Error) -> HandError {
    let path = path.to_owned();
    move |source| HandError::Write { path, source }
}

fn run(program: &str, arguments: &[String], note: &str) -> Result<Handed, HandError> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        // Standard output is this command's own.
        .stdout(Stdio::null())
        .spawn()
        .map_err(HandError::Run)?;
    let mut stdin = child.stdin.take().expect("it was asked for");
    // Whoever does not read it all may still be content with it: its status tells.
    drop(stdin.write_all(note.as_bytes()));
    drop(stdin);
    let status = child.wait().map_err(HandError::Run)?;
    match status.success() {
        true => Ok(Handed::Now),
        false => Err(HandError::Ended(status)),
    }
}

impl From<LogError> for HandError {
    fn from(error: LogError) -> HandError {
        HandError::Archive(error.into())
    }
}
