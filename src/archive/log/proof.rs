//! `LogProof`: that a leaf is in a log, as a file of its own (C2SP [tlog-proof](https://c2sp.org/tlog-proof)).
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra eyJjYXB0dXJlIjox...                      whatever the verifier needs beside it, in base 64
//! index 17                                       which leaf
//! gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=   the path from the leaf to the root
//!
//! faircopy/0b2d...                               the checkpoint as it stands in the log
//! ```

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::key::VerifierKey;
use super::merkle;
use super::note::{Checkpoint, NoteError};
use crate::digest::Digest;

/// What a proof begins with.
pub const HEADER: &str = "c2sp.org/tlog-proof@v1\n";

/// A proof as it is handed on; nothing in it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// Extra data.
    pub extra: Option<Vec<u8>>,
    /// Which leaf.
    pub index: u64,
    /// The inclusion proof, the leaf's sibling first.
    pub hashes: Vec<Digest>,
    /// The checkpoint's signed note.
    pub note: String,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not of the form.
    #[error("not a proof: {0}")]
    Malformed(&'static str),
    /// Its checkpoint cannot be believed.
    #[error("its checkpoint is {0}")]
    Checkpoint(#[from] NoteError),
    /// It leads to another root.
    #[error("it does not lead from this leaf to the signed root")]
    WrongRoot,
}

impl LogProof {
    /// The file.
    pub fn to_text(&self) -> String {
        let mut text = HEADER.to_owned();
        if let Some(extra) = &self.extra {
            text.push_str("extra ");
            BASE64.encode_string(extra, &mut text);
            text.push('\n');
        }
        writeln!(text, "index {}", self.index).expect("a String takes everything");
        for hash in &self.hashes {
            BASE64.encode_string(hash.as_bytes(), &mut text);
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.note);
        text
    }

    /// Reads a file; only what [`LogProof::to_text`] writes is one.
    pub fn parse(text: &str) -> Result<LogProof, ProofError> {
        let malformed = ProofError::Malformed;
        let rest = text
            .strip_prefix(HEADER)
            .ok_or(malformed("its first line is another"))?;
        let (head, note) = rest
            .split_once("\n\n")
            .ok_or(malformed("no blank line before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let extra = extra.map(|line| BASE64.decode(&line["extra ".len()..]));
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.and_then(|index| index.parse().ok());
        let hash = |line| {
            let bytes = BASE64.decode(line).ok()?;
            Some(Digest::from_bytes(bytes.try_into().ok()?))
        };
        let proof = LogProof {
            extra: extra
                .transpose()
                .map_err(|_| malformed("its extra data is no base64"))?,
            index: index.ok_or(malformed("it names no leaf"))?,
            hashes: lines
                .map(hash)
                .collect::<Option<_>>()
                .ok_or(malformed("a line is no SHA-256 in base 64"))?,
            note: note.to_owned(),
        };
        match proof.to_text() == text {
            true => Ok(proof),
            false => Err(malformed("it is not written in the one right form")),
        }
    }

    /// Whether `entry` is the leaf that the proof is about, in a log that one of `keys` signed.
    pub fn verify(&self, entry: &[u8], keys: &[VerifierKey]) -> Result<Checkpoint, ProofError> {
        let checkpoint = Checkpoint::verify_by_any(&self.note, keys)?;
        let leads = merkle::verify_inclusion(
            &merkle::leaf_hash(entry),
            self.index,
            checkpoint.size,
            &checkpoint.root,
            &self.hashes,
        );
        leads.then_some(checkpoint).ok_or(ProofError::WrongRoot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::log::key::SigningKey;

    fn proof() -> (LogProof, VerifierKey) {
        let key = SigningKey::generate("faircopy/test").expect("random numbers");
        let leaves: Vec<Digest> = (0..7u8).map(|n| merkle::leaf_hash(&[n])).collect();
        let proof = LogProof {
            extra: Some(b"leaf\nblock".to_vec()),
            index: 4,
            hashes: merkle::prove_inclusion(&leaves, 4).expect("in the tree"),
            note: Checkpoint::sign(7, merkle::root(&leaves), &key).note,
        };
        (proof, key.verifier())
    }

    #[test]
    fn a_proof_is_written_read_back_and_verified() {
        let (proof, key) = proof();
        for extra in [proof.extra.clone(), None] {
            let proof = LogProof {
                extra,
                ..proof.clone()
            };
            let again = LogProof::parse(&proof.to_text()).expect("own form");
            assert_eq!(again, proof);
            let checkpoint = again.verify(&[4], std::slice::from_ref(&key));
            assert_eq!(checkpoint.expect("proven").size, 7);
            assert_eq!(
                again.verify(&[5], std::slice::from_ref(&key)),
                Err(ProofError::WrongRoot)
            );
            assert!(matches!(
                again.verify(&[4], &[]),
                Err(ProofError::Checkpoint(_))
            ));
        }
    }

    #[test]
    fn a_proof_with_any_bit_flipped_outside_its_extra_data_is_refused() {
        let (proof, key) = proof();
        let text = LogProof {
            extra: None,
            ..proof
        }
        .to_text();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let Ok(text) = String::from_utf8(bytes) else {
                    continue;
                };
                let read = LogProof::parse(&text);
                let verified = read.and_then(|p| p.verify(&[4], std::slice::from_ref(&key)));
                assert!(verified.is_err(), "byte {at}, bit {bit}");
            }
        }
    }
}
