//! `verify`: what a proof, a checkpoint or a bag proves, without the archive that it comes from.
//!
//! Trust is put in: keys of the log and of witnesses, which must have come another way than what is verified. What comes out
//! is never larger than the proof: digests and metadata that were in the log when its checkpoint was signed. That a publisher
//! said what the raw bytes say is nowhere in it, and when it was, only a witness can tell.

use crate::archive::leaf::Leaf;
use crate::archive::log::cosignature::{Cosignature, WitnessKey};
use crate::archive::log::key::VerifierKey;
use crate::archive::log::note::{Checkpoint, NoteError};
use crate::archive::log::proof::{LogProof, ProofError};
use crate::archive::metadata::{MetadataBlock, Summary};
use crate::digest::Digest;

pub mod bag;

/// Whom the verifier believes.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The keys of the log, the one it has now last.
    pub keys: Vec<VerifierKey>,
    /// Witnesses.
    pub witnesses: Vec<WitnessKey>,
}

/// A checkpoint that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// Which witnesses that are believed saw it, and when.
    pub cosignatures: Vec<Cosignature>,
}

/// A leaf that was proven.
pub struct Proven {
    /// Of which log.
    pub signed: Signed,
    /// Which leaf.
    pub index: u64,
    /// What the leaf says.
    pub leaf: Leaf,
    /// What the metadata says that the leaf commits to.
    pub block: MetadataBlock<Summary>,
}

/// Why nothing is proven.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The proof itself.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The checkpoint.
    #[error("it is {0}")]
    Checkpoint(#[from] NoteError),
    /// The extra data does not begin with a leaf.
    #[error(
        "its extra data is not a leaf of an archive and the metadata that it commits to; give a file that `faircopy prove` wrote"
    )]
    NoLeaf,
    /// There is no metadata.
    #[error(
        "it holds no metadata, and none was given beside it; name a file with it by --metadata"
    )]
    NoMetadata,
    /// The metadata is another.
    #[error(
        "the metadata is not what the leaf commits to: its digest is {found}, proven is {proven}; give the right one with --metadata"
    )]
    OtherMetadata {
        /// Of what there is.
        found: Digest,
        /// In the leaf.
        proven: Digest,
    },
    /// The metadata is of a kind that this program does not know.
    #[error("the metadata cannot be understood; a newer version of this program may")]
    Metadata(#[source] serde_json::Error),
}

/// Verifies a proof. The metadata that its leaf commits to stands in it, or is given beside it.
pub fn proof(text: &str, metadata: Option<&[u8]>, trust: &Trust) -> Result<Proven, Error> {
    let proof = LogProof::parse(text)?;
    let extra = proof.extra.as_deref().unwrap_or_default();
    let mut parts = extra.splitn(2, |byte| *byte == b'\n');
    let (entry, within) = (parts.next().unwrap_or_default(), parts.next());
    let leaf = Leaf::parse(entry).ok_or(Error::NoLeaf)?;
    let checkpoint = proof.verify(entry, &trust.keys)?;
    let block = metadata.or(within).ok_or(Error::NoMetadata)?;
    let found = Digest::of(block);
    if found != leaf.metadata {
        let proven = leaf.metadata;
        return Err(Error::OtherMetadata { found, proven });
    }
    Ok(Proven {
        signed: Signed {
            cosignatures: cosignatures(&proof.note, trust)?,
            checkpoint,
        },
        index: proof.index,
        block: MetadataBlock::parse(block).map_err(Error::Metadata)?,
        leaf,
    })
}

/// Verifies a checkpoint.
pub fn checkpoint(note: &str, trust: &Trust) -> Result<Signed, Error> {
    Ok(Signed {
        checkpoint: Checkpoint::verify_by_any(note, &trust.keys)?,
        cosignatures: cosignatures(note, trust)?,
    })
}

fn cosignatures(note: &str, trust: &Trust) -> Result<Vec<Cosignature>, NoteError> {
    let found = trust.witnesses.iter().map(|witness| witness.find(note));
    found.filter_map(Result::transpose).collect()
}
