//! Single leaves of the log, as proofs and the history of events read them.

use std::ops::Range;

use crate::archive::catalog::HistoryRow;
use crate::archive::log::cosigned;
use crate::archive::log::note::Checkpoint;
use crate::archive::log::proof::LogProof;
use crate::archive::log::reader::LogReader;
use crate::archive::segment;
use crate::archive::warc::Record;
use crate::archive::{Error, rotation};
use crate::digest::Digest;
use crate::identity::DocId;

use super::Archive;

impl Archive {
    /// The proof that leaf `index` is in the log, with all that it takes to read it: the extra data is the leaf's entry, LF,
    /// and the block of the metadata record that the leaf commits to.
    pub fn prove(&self, index: u64) -> Result<LogProof, Error> {
        let mut proof = self.prove_entry(index)?;
        if let Some(extra) = &mut proof.extra {
            extra.push(b'\n');
            extra.extend(self.read_block_of(index)?);
        }
        Ok(proof)
    }

    /// [`Archive::prove`] for a verifier who has the metadata beside it: the extra data is the entry alone.
    pub fn prove_entry(&self, index: u64) -> Result<LogProof, Error> {
        let log_dir = self.dir.join("log");
        let mut log = LogReader::open(&log_dir)?;
        // A witness's word on when is worth more than a newer checkpoint.
        if let Some(note) = cosigned::first_covering(&log_dir, index)
            && let keys = rotation::keys_until(&log_dir, log.verifier())
            && let Ok(checkpoint) = Checkpoint::verify_by_any(&note, &keys)
        {
            log = LogReader::at(&log_dir, log.verifier().clone(), checkpoint);
        }
        Ok(LogProof {
            extra: Some(log.entry(index)?),
            index,
            hashes: log.prove_inclusion(index)?,
            note: log.checkpoint().note.clone(),
        })
    }

    /// How many leaves the log has.
    pub fn leaf_count(&self) -> Result<u64, Error> {
        Ok(self.catalog.high_water()?.leaves)
    }

    /// What happened, of these leaves, in their order.
    pub fn history(&self, leaves: Range<u64>) -> Result<Vec<HistoryRow>, Error> {
        self.catalog.history(leaves)
    }

    /// What happened to a document, in the order of its leaves.
    pub fn history_of(&self, doc: &DocId) -> Result<Vec<HistoryRow>, Error> {
        self.catalog.history_of(doc)
    }

    /// The block of the metadata record that a leaf commits to.
    pub fn read_block_of(&self, index: u64) -> Result<Vec<u8>, Error> {
        let row = self
            .catalog
            .leaf_rows(index..index.saturating_add(1))?
            .pop();
        let lost = Error::LeafLost { index };
        let Some((at, digest)) = row.and_then(|row| Some((row.metadata_at?, row.metadata))) else {
            return Err(lost);
        };
        let bytes = segment::read(&self.dir, at)?;
        match Record::parse(&bytes) {
            Ok(record) if Digest::of(record.block) == digest => Ok(record.block.to_vec()),
            _ => Err(lost),
        }
    }
}
