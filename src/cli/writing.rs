//! Who changes the archive for a command: the daemon if one runs, else this process.

use anyhow::{Context, anyhow, bail};
use faircopy::archive::Error as ArchiveError;
use faircopy::archive::writer::ArchiveWriter;
use faircopy::config::Config;
use faircopy::control::{Answer, Client, Request};

/// One that can change the archive.
pub(crate) enum Writer {
    /// The daemon, which holds the lock.
    Daemon(Box<Client>),
    /// This process; no daemon runs.
    Here(Box<ArchiveWriter>),
}

/// Finds the one that can change the archive. `task` says in an error what cannot be done, such as `cannot pin`.
pub(crate) fn reach(config: &Config, task: &'static str) -> anyhow::Result<Writer> {
    let unreachable = match Client::connect(&config.daemon.control) {
        Ok(client) => return Ok(Writer::Daemon(client.into())),
        Err(unreachable) => unreachable,
    };
    match ArchiveWriter::open(config.archive_paths(), config.writer_options()) {
        Ok((writer, _)) => Ok(Writer::Here(writer.into())),
        Err(error @ ArchiveError::Locked { .. }) => Err(anyhow::Error::from(error)
            .context(faircopy::pipeline::chain(&unreachable))
            .context(task)),
        Err(error) => Err(error).context("cannot open the archive"),
    }
}

/// The daemon's answer to a request; a failure is an error.
pub(crate) fn ask(client: &mut Client, request: &Request) -> anyhow::Result<Answer> {
    match serde_json::from_value(client.ask(request)?)? {
        Answer::Failed { error } => bail!("{}", error.message),
        answer => Ok(answer),
    }
}

/// The daemon answered something else than was asked: it is of another version.
pub(crate) fn misunderstood() -> anyhow::Error {
    anyhow!(
        "the daemon answered something else than was asked: it is of another version; restart it"
    )
}
