//! `erase`: a document leaves the archive, the search index, and what lies of it in the folders of the inboxes. What the log
//! says of it stays, which nobody can read anything from.

use crate::archive;
use std::path::Path;

use jiff::Timestamp;

use crate::archive::catalog::erasure::Trace;
use crate::archive::metadata::Disposition;
use crate::archive::reader::Archive;
use crate::archive::seal;
use crate::archive::writer::ArchiveWriter;
use crate::archive::writer::erase::Erasure;
use crate::compaction::Turn;
use crate::identity::DocId;
use crate::inbox;
use crate::inbox::options::Options;
use crate::inbox::traces::{self, Traces};
use crate::pipeline::{Entrance, chain};
use crate::search::{self, index::Index};

/// A document that is archived again and again while it is to be erased is tried so often.
const ATTEMPTS_MAX: usize = 5;

/// What was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// In the archive.
    pub archive: Erasure,
    /// So many files in `done`, `failed` and inboxes.
    pub copies: usize,
}

/// Nothing was erased, or not all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive could not.
    #[error("cannot erase it from the archive")]
    Archive(#[from] archive::Error),
    /// The search index could not.
    #[error("cannot erase it from the search index")]
    Search(#[from] search::Error),
    /// Copies could not be deleted.
    #[error("cannot delete the copies of it")]
    Copies(#[from] inbox::error::Error),
}

/// Erases a document, with the archive in `dir` in hand.
pub fn erase(
    writer: &mut ArchiveWriter,
    dir: &Path,
    inboxes: &[Options],
    record: Disposition,
) -> Result<Erased, Error> {
    // It refuses what is held, before anything is deleted.
    writer.plan_erasure(&record.doc, record.decided_at)?;
    let traces = traces_of(&writer.traces(&record.doc)?);
    let (doc, now) = (record.doc.clone(), record.decided_at);
    forget_words(dir, &doc)?;
    let archive = writer.erase_at_once(record, now)?;
    forget_words(dir, &doc)?;
    let copies = remove_copies(inboxes, &traces)?;
    Ok(Erased { archive, copies })
}

/// Erases a document while the daemon runs: segments are written anew on this thread, the committer only takes them over.
pub fn erase_meanwhile(
    entrance: &Entrance,
    turn: &Turn,
    dir: &Path,
    inboxes: &[Options],
    record: &Disposition,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Erased, String> {
    let _turn = turn.take();
    let doc = record.doc.clone();
    for _ in 0..ATTEMPTS_MAX {
        let (of, now) = (doc.clone(), record.decided_at);
        let (plan, found) = entrance
            .with_writer(move |writer| Ok((writer.plan_erasure(&of, now)?, writer.traces(&of)?)))?;
        let built = seal::build(&plan, go_on).map_err(|error| chain(&error))?;
        let sealing = built.ok_or("the daemon is stopping")?;
        let record = record.clone();
        let forget = || forget_words(dir, &doc).map_err(|error| chain(&error));
        forget()?;
        let erased =
            entrance.with_writer(move |writer| writer.erase(record, sealing, Timestamp::now()))?;
        if let Some(archive) = erased {
            forget()?;
            let copies = remove_copies(inboxes, &traces_of(&found));
            let copies = copies.map_err(|error| chain(&error))?;
            return Ok(Erased { archive, copies });
        }
    }
    Err(archive::Error::Restless { doc }.to_string())
}

/// Takes a document out of the search index. Before it is erased, since only who knows its words can take them out; and after it,
/// should the index have been filled meanwhile: then it is deleted, to be made anew.
fn forget_words(dir: &Path, doc: &DocId) -> Result<(), search::Error> {
    Index::forget(&Archive::open(dir)?, doc)
}

fn traces_of(found: &[Trace]) -> Traces {
    let unshared = found.iter().filter(|trace| !trace.is_shared);
    Traces {
        claims: found.iter().map(|trace| trace.claim.clone()).collect(),
        sources: found
            .iter()
            .map(|trace| (trace.source.clone(), trace.raw))
            .collect(),
        raws: unshared.map(|trace| (trace.raw_bytes, trace.raw)).collect(),
    }
}

fn remove_copies(inboxes: &[Options], traces: &Traces) -> Result<usize, inbox::error::Error> {
    let removed = inboxes.iter().map(|inbox| traces::remove(inbox, traces));
    removed.sum()
}
