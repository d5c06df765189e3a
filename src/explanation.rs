//! The account of an archived version, with the text that it is of.

use crate::archive;
use crate::archive::catalog::CaptureRow;
use crate::archive::metadata::CaptureMetadata;
use crate::archive::reader::Archive;
use crate::document::Document;
use crate::ledger::LedgerError;
use crate::reclean::{self, decode_again};

/// A version, its text before it was cleaned, and the ledger that leads from one to the other.
#[derive(Debug)]
pub struct Explanation {
    /// What it was made from, decoded again.
    pub document: Document,
    /// What was made of it, with the ledger.
    pub metadata: CaptureMetadata,
}

/// A version cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its records cannot be read.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// Its raw bytes cannot be read as they were.
    #[error(transparent)]
    Decode(#[from] reclean::Error),
    /// An account that does not add up must not be shown as one.
    #[error(
        "the ledger of {name} does not account for its text (`faircopy check --read-data` tells what is damaged)"
    )]
    Ledger {
        /// Which version.
        name: String,
        /// Where it fails.
        source: LedgerError,
    },
}

/// Explains a version by what was archived of it.
pub fn of(archive: &Archive, capture: &CaptureRow) -> Result<Explanation, Error> {
    let metadata = archive.read_metadata(capture)?;
    let document = decode_again(archive, capture, &metadata)?;
    let accounted = (metadata.ledger).verify(document.input(), &metadata.article.text);
    accounted.map_err(|source| Error::Ledger {
        name: format!("{}@{}", capture.doc, capture.version),
        source,
    })?;
    Ok(Explanation { document, metadata })
}
